"""Commands about lines that stopped until somebody decides: gaps in a log, and too many dead letters in a row."""

from pathlib import Path
from typing import Annotated

import typer

from cli.failures import CANNOT
from cli.options import Data, Json, examples
from cli.output import print_json, print_table, say

Place = Annotated[
    str, typer.Argument(metavar="PLACE", help="topic/partition/log/offset, as the alarm and hotline status print it.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        help="Look at records that were gone before they were read, and go on without them.",
        epilog=examples("hotline gaps list", "hotline gaps accept hotline.intake/0/1/5000"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list", epilog=examples("hotline gaps list", "hotline gaps list --json"))(list_)
    group.command(epilog=examples("hotline gaps accept hotline.intake/0/1/5000"))(accept)
    app.add_typer(group, name="gaps")


def list_(data: Data = None, *, json: Json = False) -> int:
    """List the records that were given up.

    From which offset to which, how many, and when.
    """
    from cli.dead_letters import asking
    from sinks.acceptances import given_up

    with asking(data) as client:
        found = given_up(client)
    if json:
        print_json(found)
    elif found:
        rows = [(f"{g.topic}/{g.partition}/{g.log}", f"{g.first_offset} to {g.next_offset - 1}") for g in found]
        print_table([(*row, f"{g.records:,} records", g.at.isoformat()) for row, g in zip(rows, found, strict=True)])
    else:
        say("no records were given up")
    return 0


def accept(place: Place, data: Data = None) -> int:
    """Give up records that are gone, so that their line goes on.

    What was deleted before that place is counted as given up: see hotline gaps list. Nothing that is still there is
    passed over.
    """
    from hotline.acceptances import GAP

    return _accept(place, data, GAP)


def accept_dead_letters(place: Place, data: Data = None) -> int:
    """Let a line go on that stopped after too many dead letters in a row.

    What it stopped at becomes dead letters like those before, and the count begins anew.
    """
    from hotline.acceptances import DEAD_LETTERS

    return _accept(place, data, DEAD_LETTERS)


def _accept(place: str, data: Path | None, kind: str) -> int:
    from cli.dead_letters import asking
    from hotline.acceptances import stop_of
    from sinks.acceptances import accept as store

    try:
        stop = stop_of(place)
    except ValueError as error:
        say(str(error))
        return CANNOT
    with asking(data, "writer") as client:
        store(client, kind, stop)
    say(f"accepted: the line goes on at {stop.name} within a few seconds; see hotline status")
    return 0
