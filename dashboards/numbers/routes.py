"""The pages of numbers and their files, for the application that serves the web boards."""

from __future__ import annotations

import asyncio
import functools
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aiohttp import web

from dashboards.numbers import files, listed, pages
from dashboards.numbers.address import Address, AddressError, UnknownNumberError, read, read_row
from dashboards.numbers.counted import Counted, counted
from dashboards.numbers.figure import figure
from dashboards.numbers.listed import NothingListedError
from dashboards.numbers.turns import Turns, client_of
from dashboards.web.errors import SaidError
from dashboards.web.keys import CLOCK, SETTINGS, STORE
from dashboards.web.languages import language_of
from dashboards.web.store import StoreError
from dashboards.web.themes import theme_of
from dashboards.words import Text
from hotline.queries import QuestionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Make = Callable[[web.Request, Address, Counted], Awaitable[web.StreamResponse]]

PAGES_AT_ONCE_MAX = 2
"""Pages that are made at a time, each asking one thing after the other: fewer than the store takes, for live boards."""
_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (UnknownNumberError, HTTPStatus.NOT_FOUND),
    (NothingListedError, HTTPStatus.NOT_FOUND),
    (AddressError, HTTPStatus.BAD_REQUEST),
    (QuestionError, HTTPStatus.BAD_REQUEST),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def routes() -> list[web.RouteDef]:
    """The routes; the application holds a `STORE` that is entered, its `SETTINGS` and its `CLOCK`."""
    looks, makes = asyncio.Semaphore(PAGES_AT_ONCE_MAX), Turns(files.AT_ONCE_MAX)
    return [
        web.get("/numbers/static/numbers.css", _style),
        web.get("/numbers/{kpi}", _told(_in_turn(_number, looks))),
        web.get("/numbers/{kpi}/row", _told(_in_turn(_row, looks))),
        web.get("/numbers/{kpi}/rows.csv", _told(_file(files.csv, makes)), allow_head=False),
        web.get("/numbers/{kpi}/rows.xlsx", _told(_file(files.xlsx, makes)), allow_head=False),
    ]


def _in_turn(handler: Handler, turns: asyncio.Semaphore) -> Handler:
    async def handled(request: web.Request) -> web.StreamResponse:
        async with turns:
            return await handler(request)

    return handled


def _told(handler: Handler) -> Handler:
    """Say on a page what cannot be answered."""

    @functools.wraps(handler)
    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except tuple(kind for kind, _ in _STATUS) as error:
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            lang = language_of(request)
            said = error.said if isinstance(error, SaidError) else Text(str(error), f"无法回答:{error}")
            return _page(pages.refused(said.of(lang), lang, theme_of(request)), status)

    return handled


async def _number(request: web.Request) -> web.StreamResponse:
    address, of = _asked(request)
    store = request.app[STORE]
    rows = await listed.page(of, address, store)
    return _page(pages.number(address, of, await figure(of, address.by, store), rows, theme_of(request)))


async def _row(request: web.Request) -> web.StreamResponse:
    address, of = _asked(request)
    row = read_row(request.query)
    adds, events = await listed.one(of, address, row, request.app[STORE])
    return _page(pages.row(address, of, row.text(of.period.zone), adds, events, theme_of(request)))


def _file(make: Make, turns: Turns) -> Handler:
    """Make a file once it is its turn."""

    async def handled(request: web.Request) -> web.StreamResponse:
        address, of = _asked(request)
        try:
            async with turns.turn(client_of(request)), asyncio.timeout(files.FILE_S_MAX):
                return await make(request, address, of)
        except TimeoutError as error:
            raise files.broken_off(request, error) from error

    return handled


async def _style(_: web.Request) -> web.StreamResponse:
    return web.FileResponse(pages.STATIC / "numbers.css")


def _asked(request: web.Request) -> tuple[Address, Counted]:
    now, zone = datetime.fromtimestamp(int(request.app[CLOCK]()), UTC), ZoneInfo(request.app[SETTINGS].zone)
    address = read(request.match_info["kpi"], request.query, now, zone, language_of(request))
    return address, counted(address, now, zone)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})
