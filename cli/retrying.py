"""Dead letters that are sent again."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.load import quiet_clients
from cli.output import print_json, print_table
from cli.progress import progress
from cli.send import as_json, send_lines, tell, words

if TYPE_CHECKING:
    from sinks.dead_letters import DeadLetter


class Letters(msgspec.Struct):
    """What was looked at."""

    letters: int = 0
    """Dead letters, of the reason that was asked for."""
    alike: int = 0
    """Those that hold the same event as one before."""
    no_event: int = 0
    """Those that came as something else than a JSON event, or whose bytes were not kept whole."""


class _Typed(msgspec.Struct):
    type: str


def originals(letters: Iterable["DeadLetter"], seen: Letters) -> Iterator[bytes]:
    """Give the events among dead letters, each once."""
    from hotline.dead_letters import ORIGINAL_BYTES_MAX

    known: set[bytes] = set()
    for letter in letters:
        seen.letters += 1
        digest = hashlib.blake2b(letter.original, digest_size=16).digest()
        if digest in known:
            seen.alike += 1
        elif len(letter.original) >= ORIGINAL_BYTES_MAX or not _is_event(letter.original):
            seen.no_event += 1
        else:
            known.add(digest)
            yield letter.original


def _is_event(original: bytes) -> bool:
    try:
        msgspec.json.decode(original, type=_Typed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def retry_letters(data: Path | None, letters: Iterable["DeadLetter"], *, dry_run: bool, json: bool) -> int:
    """Send the events among the letters through intake again, wait for all of them, and tell what became of them."""
    seen = Letters()
    events = list(originals(letters, seen))
    looked = msgspec.to_builtins(seen)
    if dry_run or not events:
        found = {**looked, "events": len(events)}
        if json:
            print_json(found)
        else:
            print_table([tuple(found), tuple(f"{value:,}" for value in found.values())])
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
    print_table([tuple(looked), tuple(f"{value:,}" for value in looked.values())])
    return tell(result, json=False)
