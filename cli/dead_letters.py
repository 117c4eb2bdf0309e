"""Commands about dead letters: what could not be counted, and why."""

import base64
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.asking import end_of
from cli.failures import CANNOT
from cli.gaps import accept_dead_letters
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say

if TYPE_CHECKING:
    from hotline.settings import Account
    from sinks.dead_letters import DeadLetter

SHOWN = 20
STDOUT = "-"
Reason = Annotated[str, typer.Option(metavar="REASON", help="Only those of this reason.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        help="Look at what could not be counted, and why.",
        epilog=examples("hotline dead-letters list", "hotline dead-letters export dead.jsonl"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command(
        "list",
        epilog=examples(
            "hotline dead-letters list",
            "hotline dead-letters list --reason bad_value --limit 100",
            "hotline dead-letters list --json",
        ),
    )(list_)
    group.command(
        epilog=examples(
            "hotline dead-letters show hotline.calls/0/1/4/17",
            "hotline dead-letters show hotline.calls/0/1/4/17 --json",
        )
    )(show)
    group.command(
        epilog=examples(
            "hotline dead-letters export dead.jsonl", "hotline dead-letters export - --reason undecodable | head"
        )
    )(export)
    group.command(
        epilog=examples(
            "hotline dead-letters delete hotline.calls/0/1/4/17",
            "hotline dead-letters delete --until 2023-06-30",
            "hotline dead-letters delete --reason undecodable --until 2023-06",
        )
    )(delete)
    group.command(
        epilog=examples(
            "hotline dead-letters retry --reason unknown_ticket", "hotline dead-letters retry --dry-run --json"
        )
    )(retry)
    group.command("accept", epilog=examples("hotline dead-letters accept hotline.tickets/0/1/17"))(accept_dead_letters)
    app.add_typer(group, name="dead-letters")


def list_(
    data: Data = None,
    *,
    reason: Reason = "",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = SHOWN,
    json: Json = False,
) -> int:
    """List dead letters, the newest first.

    When it was set aside, its reason, where it came from, and how it begins.
    """
    from sinks.dead_letters import newest

    if not _known(reason):
        return CANNOT
    with asking(data) as client:
        found = newest(client, reason=reason, limit=limit)
    if json:
        print_json([{**_described(letter), "head": printable(letter.original)} for letter in found])
    elif found:
        print_table([(letter.at.isoformat(), *_row(letter)) for letter in found])
    else:
        say("there are no dead letters" + (f" of the reason {reason}" if reason else ""))
    return 0


def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="topic/partition/log/offset/place, as list prints it.")],
    data: Data = None,
    *,
    json: Json = False,
) -> int:
    """Show one dead letter.

    Its reason, what its sender can do, where it came from, and its original bytes; what is no text is escaped.
    """
    from hotline.dead_letters import REASONS
    from sinks.dead_letters import one

    try:
        with asking(data) as client:
            found = one(client, letter)
    except ValueError as error:
        say(str(error))
        return CANNOT
    if found is None:
        say(f"there is no dead letter {letter}: see hotline dead-letters list")
        return CANNOT
    remedy = REASONS.get(found.reason, "")
    if json:
        print_json({**_described(found), "remedy": remedy, "block_id": found.block_id, **_original(found)})
        return 0
    facts = {**_described(found), "block": found.block_id, "bytes": len(found.original), "remedy": remedy}
    print_table([(name, str(value)) for name, value in facts.items()])
    print_data("")
    print_data(printable(found.original, keep_lines=True))
    return 0


def export(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="File to write; - is standard output.")],
    data: Data = None,
    *,
    reason: Reason = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; default: all.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines, which it writes anyway.")] = False,
) -> int:
    """Write dead letters as JSON lines.

    One a line, `original` as text, or `original_base64` where it is no UTF-8. A file appears when it is whole.
    """
    from sinks.dead_letters import every

    del json
    if not _known(reason):
        return CANNOT
    with asking(data) as client:
        letters = every(client, reason=reason, limit=limit)
        count = _write_lines(letters, sys.stdout.buffer) if file == STDOUT else _write_file(letters, Path(file))
    say(f"wrote {count:,} dead letters" + ("" if file == STDOUT else f" to {file}"))
    return 0


def delete(
    letter: Annotated[
        str, typer.Argument(metavar="[ID]", help="topic/partition/log/offset/place, as list prints it.")
    ] = "",
    data: Data = None,
    *,
    reason: Reason = "",
    until: Annotated[
        str, typer.Option(metavar="PERIOD", help="Only those set aside by the end of that day, month, year ...")
    ] = "",
    json: Json = False,
) -> int:
    """Delete dead letters for good.

    Those with all that is named: an id, a reason, until when they were set aside. Accounts keep their counts.
    """
    from hotline.settings import load
    from sinks.dead_letters import delete as delete_all

    if not _known(reason):
        return CANNOT
    try:
        end = end_of(until, load(data)[0].zone) if until else None
        with asking(data, "writer") as client:
            count = delete_all(client, name=letter, reason=reason, until=end)
    except ValueError as error:
        say(str(error))
        return CANNOT
    if json:
        print_json({"deleted": count})
    else:
        say(f"deleted {count:,} dead {'letter' if count == 1 else 'letters'}")
    return 0


def retry(
    data: Data = None,
    *,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    json: Json = False,
) -> int:
    """Send dead letters again that came as JSON events or are whole blocks.

    Each event goes through intake once more, as it was kept, each block to where it stood, and what becomes of them is
    told. What was counted meanwhile is seen, not counted twice; what is still wrong is a dead letter again.
    """
    from cli.retrying import retry_letters
    from producers.sending import StackAwayError

    if not _known(reason):
        return CANNOT
    with asking(data) as client:
        try:
            return retry_letters(data, client, reason=reason, dry_run=dry_run, json=json)
        except StackAwayError as error:
            say(str(error))
            return CANNOT


def _write_file(letters: Iterable["DeadLetter"], file: Path) -> int:
    draft = file.with_name(f"{file.name}.part")
    try:
        with draft.open("wb") as out:
            count = _write_lines(letters, out)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _write_lines(letters: Iterable["DeadLetter"], out: Any) -> int:
    count = 0
    for count, letter in enumerate(letters, 1):  # noqa: B007 it is returned
        out.write(msgspec.json.encode({**_described(letter), **_original(letter)}) + b"\n")
    out.flush()
    return count


@contextmanager
def asking(data: Path | None, account: "Account" = "reader") -> Iterator[Any]:
    """Join or start a stack as far as its engine, and ask as that account."""
    from deploy.stack.joining import join_or_start
    from hotline.settings import load
    from sinks.connecting import connect

    with (
        join_or_start(load(data)[0], say=say, until=["engine"]) as use,
        connect(use.settings, account) as client,
    ):
        yield client


def _known(reason: str) -> bool:
    from hotline.dead_letters import REASONS

    if not reason or reason in REASONS:
        return True
    import difflib

    near = difflib.get_close_matches(reason, REASONS, 3) or sorted(REASONS)
    say(f"unknown reason {reason!r}; use {', '.join(near)}")
    return False


def _described(letter: "DeadLetter") -> dict[str, Any]:
    return {
        "id": letter.id,
        "when": letter.at.isoformat(),
        "reason": letter.reason,
        "detail": letter.detail,
        "origin": letter.origin,
        "subject": letter.subject,
    }


def _row(letter: "DeadLetter") -> tuple[str, ...]:
    head = printable(letter.original) + ("" if letter.whole else "…")
    said = printable(letter.detail.encode())
    return letter.reason, said, printable(letter.origin.encode()), letter.subject, letter.id, head


def _original(letter: "DeadLetter") -> dict[str, str]:
    try:
        return {"original": letter.original.decode()}
    except UnicodeDecodeError:
        return {"original_base64": base64.b64encode(letter.original).decode()}


def printable(content: bytes, *, keep_lines: bool = False) -> str:
    """Show any bytes safely: text as it is, everything that a terminal might act upon escaped."""
    text = content.decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() or (keep_lines and char == "\n") else char.encode("unicode_escape").decode()
        for char in text
    )
