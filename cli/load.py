"""The command that loads files."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.failures import CANNOT, DIFFERS
from cli.options import Data, Json, examples
from cli.output import print_json, print_table, say
from cli.progress import Advance, progress
from cli.stopping import stopping

if TYPE_CHECKING:
    from deploy.stack.joining import StackUse
    from hotline.settings import Settings
    from producers.files import Files
    from producers.following import Follower
    from producers.loading import Load, Progress

DRY_RUN_KEY = b"nothing is kept of a dry run"
_VERDICTS = ("read", "counted", "seen", "revised", "dead")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline load bank1999 january.txt.gz february.txt.gz",
            "hotline load bank1999 january.txt.gz --dry-run",
            "zcat cases.csv.gz | hotline load boston311 - --json",
            "hotline load boston311 cases.csv --zone America/New_York",
            "hotline load asterisk /var/log/asterisk/queue_log --follow",
        )
    )(load)


def load(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="Kind of the files: see hotline adapters.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, packed or not; - is standard input.")],
    data: Data = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge only; send and store nothing.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Read the last file on while it grows and is rotated, until Ctrl-C.")
    ] = False,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the files' times; default: the adapter's.")
    ] = None,
    json: Json = False,
) -> int:
    """Load files and account for every line.

    Reads, sends, waits until all is stored, then tells what became of it. Joins the running stack, or starts one for
    as long as it takes. The same file may be loaded again: what is known is seen, not counted twice. A load cannot be
    taken back: try --dry-run first. With --follow what is written is sent at once; how far it came is not kept, so
    start it again with all files that may hold something new. Exit code 0 when the account adds up and every file was
    whole (dead letters are no failure), 1 when not (what was readable counts), 2 when nothing could be read.
    """
    from producers.adapters import AdapterError
    from producers.adapters import adapter as adapter_named
    from producers.files import Files
    from producers.following import Follower
    from producers.loading import dry_run as loading_dry_run
    from producers.sending import StackAwayError

    quiet_clients()
    follower = Follower() if follow else None
    settings = _settings(data)
    try:
        chosen = adapter_named(adapter)
        key = DRY_RUN_KEY if dry_run else _key(settings)
        batches = Files(chosen, files, key=key, zone=zone, follower=follower)
        with stopping(follower), progress("reading" if dry_run else "loading", in_bytes=True) as advance:
            telling = _telling(advance, batches)
            if dry_run:
                result = loading_dry_run(batches, progress=telling)
            else:
                result = _load(settings, batches, telling, follower)
    except (AdapterError, ValueError, StackAwayError) as error:
        say(str(error))
        return CANNOT
    return _account(result, json=json, dry_run=dry_run)


def _settings(data: Any) -> "Settings":
    from hotline.settings import load as load_settings

    return load_settings(data)[0]


def _key(settings: "Settings") -> bytes:
    from hotline.settings import pseudonym_key

    return pseudonym_key(settings.data)


def quiet_clients() -> None:
    """Keep clients that retry from writing between our lines; what they cannot do shows in the account."""
    for name in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _load(settings: "Settings", batches: "Files", telling: "Progress", follower: "Follower | None" = None) -> "Load":
    from deploy.stack.joining import join_or_start
    from producers.bounds import bounds
    from producers.loading import load as loading_load

    first = batches.begin()  # a file of something else must not start a stack
    with join_or_start(settings, say=say) as use:
        return loading_load(
            first,
            partitions=use.settings.partitions,
            connect=connection_of(use),
            progress=telling,
            follower=follower,
            bounds=bounds(use.settings),
        )


def connection_of(use: "StackUse") -> Callable[[], tuple[str, Any]]:
    """Give the stack's addresses, joining it again when it went away meanwhile."""
    from sinks.connecting import connect

    joined = [use.settings]

    def connection() -> tuple[str, Any]:
        settings = joined.pop() if joined else use.rejoin()
        return settings.bootstrap, connect(settings, "reader")

    return connection


def _telling(advance: Advance, batches: "Files") -> "Progress":
    def tell(load: "Load") -> None:
        done = load.counted + load.seen + load.revised + load.dead
        words = f"{load.read:,} events read, {done:,} stored, {done / max(load.seconds, 0.001):,.0f}/s"
        stored = batches.bytes_read * done // max(load.read, 1)  # what is read and not stored is not done
        advance(stored, batches.bytes_total, words)

    return tell


def _account(result: "Load", *, json: bool, dry_run: bool) -> int:
    if json:
        print_json(as_json(result))
    else:
        _print_account(result, dry_run=dry_run)
    if result.problem:
        say(result.problem)
    elif not result.complete:
        say("the account does not add up: see hotline status, then load the same files again")
    return 0 if result.complete else DIFFERS


def as_json(result: "Load") -> dict[str, Any]:
    """Shape the account as the contract says; `problem` only when there is one."""
    plain: dict[str, Any] = {name: getattr(result, name) for name in (*_VERDICTS, "seconds", "complete")}
    plain["topics"] = {
        topic: {name: getattr(account, name) for name in _VERDICTS} for topic, account in result.topics.items()
    }
    lines = result.lines
    plain["lines"] = {"read": lines.read, "broken": lines.broken, "skipped": lines.skipped}
    plain["reasons"] = result.reasons
    return plain if result.problem is None else {**plain, "problem": result.problem}


def print_verdicts(result: "Load") -> None:
    """Print what became of the events, a line a topic."""
    rows: list[tuple[str, ...]] = [("", *_VERDICTS)]
    rows += [
        (topic, *(f"{getattr(account, name):,}" for name in _VERDICTS))
        for topic, account in result.topics.items()
        if account.read
    ]
    print_table([*rows, ("all", *(f"{getattr(result, name):,}" for name in _VERDICTS))])


def _print_account(result: "Load", *, dry_run: bool) -> None:
    print_verdicts(result)
    lines = {"read": result.lines.read, "broken": result.lines.broken, **result.lines.skipped}
    print_table([("lines", *(f"{why} {count:,}" for why, count in lines.items()))])
    if result.reasons:
        print_table([("dead", *(f"{why} {count:,}" for why, count in sorted(result.reasons.items())))])
    how = "complete" if result.complete else "incomplete"
    print_table([(f"{how}, {result.seconds:.1f} s{', nothing was sent' if dry_run else ''}",)])
