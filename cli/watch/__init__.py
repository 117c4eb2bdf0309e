"""The command `watch`: a live board in the terminal."""

import math
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import Lang, Language, RefusedError, Scope, load_settings
from cli.options import Data, examples
from cli.watch.contents import SCREENS, ScreenName

if TYPE_CHECKING:
    from cli.watch.view import View
    from hotline.queries import Scope as ScopeAsked

INTERVAL_S = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "hotline watch",
            "hotline watch --screen tickets --by department",
            "hotline watch --scope district=East --lang zh",
            "hotline watch --once",
            "hotline watch --screen health --json --interval 10",
        )
    )(watch)


def watch(
    context: typer.Context,
    data: Data = None,
    *,
    screen: Annotated[ScreenName, typer.Option(help="What to begin with.")] = ScreenName.CALLS,
    by: Annotated[
        str | None, typer.Option(metavar="KIND", help="Rows by line, district, department, operator_group ...")
    ] = None,
    scope: Scope = None,
    lang: Language = Lang.EN,
    once: Annotated[bool, typer.Option("--once", help="Print one board and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")] = False,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="How often a board is printed without a terminal.")
    ] = INTERVAL_S,
    seconds: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=1, help="End after so long by itself.")
    ] = None,
) -> int:
    """Watch the figures live.

    A board with KPIs over 5 minutes to 7 days, what waits and is open now, targets, and the trend of the last hour. Its
    keys stand at its foot; q ends it. Without a terminal, and with --json, it is printed every few seconds. Exit code 3
    when no stack runs, 1 when --once finds no figures.
    """
    from cli.watch.sources import running, sources

    view, asked = _read(context, screen, by, scope, lang)
    settings = load_settings(data)
    running(settings)
    until_s = time.monotonic() + (seconds or math.inf)
    with sources(settings, asked) as found:
        if once or json or not sys.stdout.isatty():
            from cli.watch.printing import print_boards

            return print_boards(found, view, once=once, json=json, interval_s=interval, until_s=until_s)
        from cli.watch.terminal import show_board

        return show_board(found, view, until_s=until_s)


def _read(
    context: typer.Context, screen: ScreenName, by: str | None, scope: str | None, lang: Lang
) -> "tuple[View, ScopeAsked | None]":
    """Read what the options ask for. Raises RefusedError for what no board can show."""
    from cli.watch.contents import kinds_of
    from cli.watch.view import View
    from hotline.queries import QuestionError, parse_scope

    if by and scope:
        raise RefusedError("--by and --scope exclude each other: sums are kept by one kind of scope at a time", context)
    try:
        asked = parse_scope(scope) if scope else None
    except QuestionError as error:
        raise RefusedError(str(error), context) from error
    kind = by or (asked.kind if asked else None)
    if kind is None:
        return View(screen=screen, lang=lang), None
    if screen not in SCREENS:
        raise RefusedError(f"the screen {screen} is not kept by {kind}: leave that out", context)
    if kind not in kinds_of(screen):
        kept = ", ".join(kinds_of(screen))
        raise RefusedError(f"{screen} are not kept by {kind}: use one of {kept}", context)
    return View(screen=screen, split=by, lang=lang, scoped=asked is not None), asked
