"""Dead letters that are sent again."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cli.load import connection_of, quiet_clients
from cli.output import print_json, print_table, say
from cli.progress import progress
from cli.send import as_json, send_lines, tell, words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.dead_letters import DeadLetter


class Letters(msgspec.Struct):
    """What was looked at."""

    letters: int = 0
    """Dead letters, of the reason that was asked for."""
    alike: int = 0
    """Those that hold the same event as one before."""
    blocks: int = 0
    """Those that are a whole record of a topic of events."""
    no_event: int = 0
    """Those that are neither, or whose bytes were not kept whole."""


class _Typed(msgspec.Struct):
    type: str


def originals(letters: Iterable["DeadLetter"], seen: Letters, blocks: list[str]) -> Iterator[bytes]:
    """Give the events among dead letters, each once; note the ids of whole records in `blocks`, as those are large."""
    from hotline.dead_letters import ORIGINAL_BYTES_MAX

    known: set[bytes] = set()
    for letter in letters:
        seen.letters += 1
        digest = hashlib.blake2b(letter.original, digest_size=16).digest()
        if digest in known:
            seen.alike += 1
        elif _is_record(letter):
            seen.blocks += 1
            known.add(digest)
            blocks.append(letter.id)
        elif len(letter.original) >= ORIGINAL_BYTES_MAX or not _is_event(letter.original):
            seen.no_event += 1
        else:
            known.add(digest)
            yield letter.original


def _is_record(letter: "DeadLetter") -> bool:
    """Whether it is what stood in a topic of events, whole, and no event of it."""
    from hotline.dead_letters import WHOLE_RECORDS
    from hotline.names import BLOCK_BYTES_MAX

    here = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return letter.reason in WHOLE_RECORDS and letter.origin == here and len(letter.original) < BLOCK_BYTES_MAX


def _is_event(original: bytes) -> bool:
    try:
        msgspec.json.decode(original, type=_Typed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def retry_letters(data: Path | None, client: "Client", *, reason: str, dry_run: bool, json: bool) -> int:
    """Send letters again, wait for all of them, and tell what became of them.

    Events go through intake, whole records of a topic of events to where they stood.
    """
    from sinks.dead_letters import every

    seen, blocks = Letters(), list[str]()
    events = list(originals(every(client, reason=reason), seen, blocks))
    looked = msgspec.to_builtins(seen)
    if blocks and not dry_run:
        looked["of_blocks"] = _send_records(data, client, blocks)
    if dry_run or not events:
        found = {**looked, "events": len(events)}
        if json:
            print_json(found)
        else:
            _print(found)
        return 0
    quiet_clients()
    with progress("sending") as advance:
        result = send_lines(
            data,
            events,
            wait=True,
            telling=lambda so_far: advance(so_far.read, len(events), words(so_far)),
            pseudonymised=True,
        )
    if json:
        print_json({**looked, **as_json(result)})
        return 0 if result.complete else 1
    _print(looked)
    return tell(result, json=False)


def _send_records(data: Path | None, client: "Client", names: Iterable[str]) -> dict[str, int]:
    """Send whole records to where they stood, each read when it is its turn; their verdicts."""
    from deploy.stack.joining import join_or_start
    from hotline.names import EVENTS_TOPICS
    from hotline.settings import load
    from producers.accounts import Account
    from producers.bounds import bounds
    from producers.sending import Sender
    from sinks.dead_letters import one

    subjects = {topic: subject for subject, topic in EVENTS_TOPICS.items()}
    account = Account(reasons={})
    with (
        join_or_start(load(data)[0], say=say) as use,
        Sender(connection_of(use), lambda _, verdicts: account.add(verdicts), bounds=bounds(use.settings)) as sender,
    ):
        for letter in filter(None, (one(client, name) for name in names)):
            sender.send_record(subjects[letter.topic], letter.partition, letter.original)
        while sender.waiting:
            sender.wait()
    return {name: getattr(account, name) for name in ("counted", "seen", "revised", "dead")}


def _print(found: dict[str, Any]) -> None:
    counts = {name: value for name, value in found.items() if isinstance(value, int)}
    print_table([tuple(counts), tuple(f"{value:,}" for value in counts.values())])
    if of_blocks := found.get("of_blocks"):
        print_table([("of the blocks", *(f"{name} {count:,}" for name, count in of_blocks.items()))])
