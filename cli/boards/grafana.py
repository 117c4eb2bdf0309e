"""The commands that speak with a Grafana: push, diff, annotate."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import RefusedError, load_settings
from cli.boards.choosing import Language, Names, TokenFile, Url, Wait, Web, chosen, connected
from cli.boards.telling import Telling
from cli.failures import DIFFERS
from cli.options import Data, Json

if TYPE_CHECKING:
    from datetime import datetime

    from dashboards.choosing import Chosen
    from dashboards.grafana.connection import Connection
    from dashboards.grafana.notes import Wanted
    from dashboards.grafana.outcome import Outcome

MESSAGE_CHARACTERS_MAX = 500
"""What Grafana takes."""
RELEASE = "release"


def push(
    names: Names = None,
    data: Data = None,
    *,
    url: Url = None,
    token_file: TokenFile = None,
    lang: Language = None,
    web: Web = None,
    message: Annotated[
        str, typer.Option(metavar="TEXT", help="What the history of a changed board in Grafana says, such as a commit.")
    ] = "",
    annotate: Annotated[
        str, typer.Option("--annotate", metavar="TEXT", help="Note in all trends, tagged release, that this was now.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and say what would be changed.")] = False,
    wait: Wait = 0,
    json: Json = False,
) -> int:
    """Push boards into a Grafana.

    Folders, then boards; what is there already is not sent. The data source must be there: it is made by file, see
    deploy/grafana. Boards that Grafana has by file are not pushed. Exit code 1 when Grafana refused one.
    """
    boards = chosen(names, lang, data, web)
    with Telling(json=json, dry_run=dry_run) as telling, connected(url, token_file, wait) as connection:
        _check_source(connection, telling)
        telling.tell(_pushed(connection, boards, _message(message), dry_run=dry_run))
        if annotate:
            telling.tell(_noted(connection, _wanted(annotate, RELEASE, None, None, data), dry_run=dry_run))
    return DIFFERS if telling.refused else 0


def diff(
    names: Names = None,
    data: Data = None,
    *,
    url: Url = None,
    token_file: TokenFile = None,
    lang: Language = None,
    web: Web = None,
    wait: Wait = 0,
    json: Json = False,
) -> int:
    """Show what boards in a Grafana differ in.

    A line for each place: what stands there → what is ours. Changes nothing. Exit code 1 when something differs.
    """
    boards = chosen(names, lang, data, web)
    with Telling(json=json, dry_run=True) as telling, connected(url, token_file, wait) as connection:
        telling.tell(_pushed(connection, boards, "", dry_run=True))
    return DIFFERS if telling.different else 0


def annotate(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the note says.", show_default=False)],
    data: Data = None,
    *,
    tag: Annotated[
        str, typer.Option(metavar="TAG", help="incident, release or holiday: what all boards mark.")
    ] = RELEASE,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, in the hotline's zone; default: now.")] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="From when to when, for what lasts.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and say what would be changed.")] = False,
    wait: Wait = 0,
    json: Json = False,
) -> int:
    """Write a note that boards mark in their trends.

    One with the same text, tag and time is not written again. Without --at or --period it marks now, and is not written
    when one with the same text and tag is less than a day old.
    """
    wanted = _wanted(text, tag, at, period, data)
    with Telling(json=json, dry_run=dry_run) as telling, connected(url, token_file, wait) as connection:
        telling.tell(_noted(connection, wanted, dry_run=dry_run))
    return 0


def _check_source(connection: "Connection", telling: Telling) -> None:
    from dashboards.grafana.source import check_source

    if unwell := check_source(connection):
        telling.warn(unwell)


def _pushed(connection: "Connection", boards: "list[Chosen]", message: str, *, dry_run: bool) -> "Iterator[Outcome]":
    from dashboards.grafana.pushing import push as push_all

    return push_all(connection, boards, message=message, dry_run=dry_run)


def _noted(connection: "Connection", wanted: "Wanted", *, dry_run: bool) -> "Iterator[Outcome]":
    from dashboards.grafana.notes import annotate as write

    yield write(connection, wanted, dry_run=dry_run)


def _message(text: str) -> str:
    from cli.versions import product_version

    return " · ".join(filter(None, (f"hotline {product_version()}", text)))[:MESSAGE_CHARACTERS_MAX]


def _wanted(text: str, tag: str, at: str | None, period: str | None, data: Path | None) -> "Wanted":
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from dashboards.annotations import TAGS
    from dashboards.grafana.notes import Wanted
    from hotline.periods import instant_s, parse

    if tag not in TAGS:
        raise RefusedError(f"no board marks notes tagged {tag!r}: use {', '.join(TAGS)}")
    if not text.strip():
        raise RefusedError("the note says nothing: write what happened")
    if at and period:
        raise RefusedError("--at and --period: a note marks an instant or a span, name one of them")
    zone, now = ZoneInfo(load_settings(data).zone), datetime.now(UTC)
    try:
        if period:
            span = parse(period, zone=zone, now=now)
            return Wanted(text, tag, _ms(span.start), _ms(span.end))
        return Wanted(text, tag, instant_s(at or "now", zone=zone, now=now) * 1000, of_today=not at)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _ms(at: "datetime") -> int:
    return int(at.timestamp() * 1000)
