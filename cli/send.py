"""The command that sends single JSON events."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.failures import CANNOT, DIFFERS
from cli.load import connection_of, quiet_clients
from cli.options import Data, Json, examples
from cli.output import print_json, print_table, say
from cli.progress import progress

if TYPE_CHECKING:
    from producers.json_sending import Progress, Sending
    from producers.waiting import Waiting

STDIN = "-"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline send events.jsonl --wait",
            "tail -F events.jsonl | hotline send -",
            "zcat events.jsonl.gz | hotline send - --wait --json",
        )
    )(send)


def send(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON lines, one event a line; - is standard input.")],
    data: Data = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return only when all are stored or dead letters.")] = False,
    json: Json = False,
) -> int:
    """Send single events, and account for them.

    Each line goes to the topic hotline.intake as it is, as any program could send it. Without --wait this returns when
    the broker has all of them. Joins the running stack, or starts one for as long as it takes. The same events may be
    sent again: what is known is seen, not counted twice. Exit code 0 when all were sent (dead letters are no failure),
    1 when not, 2 when nothing could be read.
    """
    from producers.sending import StackAwayError

    quiet_clients()
    try:
        with opened(file) as lines, progress("sending") as advance:
            result = send_lines(
                data, lines, wait=wait, telling=lambda so_far: advance(so_far.read, None, words(so_far))
            )
    except (OSError, StackAwayError) as error:
        say(_about(file, error) if isinstance(error, OSError) else str(error))
        return CANNOT
    return tell(result, json=json)


def send_lines(
    data: Path | None,
    lines: Iterable[bytes],
    *,
    wait: bool,
    telling: "Progress",
    pseudonymised: bool = False,
    source: "Waiting | None" = None,
) -> "Sending":
    """Send events over the stack of the data folder, which is joined or started."""
    from deploy.stack.joining import join_or_start
    from hotline.settings import load
    from producers.bounds import bounds
    from producers.json_sending import send_events

    with join_or_start(load(data)[0], say=say) as use:
        return send_events(
            lines,
            partitions=use.settings.partitions,
            connect=connection_of(use),
            wait=wait,
            progress=telling,
            pseudonymised=pseudonymised,
            source=source,
            bounds=bounds(use.settings),
        )


class opened:  # noqa: N801 used like the function open
    """The lines of a file or of standard input, blank ones left out; a context manager."""

    def __init__(self, file: str) -> None:
        self._stream: IO[bytes] = sys.stdin.buffer if file == STDIN else Path(file).open("rb")  # noqa: SIM115

    def __enter__(self) -> Iterator[bytes]:
        return (line for raw in self._stream if (line := raw.strip()))

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def words(account: "Sending") -> str:
    """Tell in a few words how far a sending is."""
    done = account.stored + account.dead if account.waited else account.sent
    return f"{account.read:,} events read, {done:,} {'stored' if account.waited else 'sent'}"


def as_json(account: "Sending") -> dict[str, Any]:
    """Shape the account as the contract says; what was not waited for, and a problem that is none, are left out."""
    plain: dict[str, Any] = msgspec.to_builtins(account)
    for name in () if account.waited else ("stored", "dead", "reasons"):
        del plain[name]
    return plain if account.problem else {name: value for name, value in plain.items() if name != "problem"}


def tell(account: "Sending", *, json: bool) -> int:
    """Print the account and give the exit code."""
    if json:
        print_json(as_json(account))
    else:
        names = ("read", "sent", "stored", "dead") if account.waited else ("read", "sent")
        print_table([names, tuple(f"{getattr(account, name):,}" for name in names)])
        if account.reasons:
            print_table([("dead", *(f"{why} {count:,}" for why, count in sorted(account.reasons.items())))])
        how = "complete" if account.complete else "incomplete"
        print_table([(f"{how}, {account.seconds:.1f} s{'' if account.waited else ', not waited for'}",)])
    if account.dead:
        say("see hotline dead-letters list for what to change")
    if account.problem:
        say(account.problem)
    return 0 if account.complete else DIFFERS


def _about(file: str, error: OSError) -> str:
    return f"cannot read {file}: {(error.strerror or str(error)).lower()}; check the path and its permissions"
