"""The web server of the boards: pages, and for each open page a stream of what changes on it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from markupsafe import Markup

from dashboards.macros import MacroError
from dashboards.numbers import routes as numbers
from dashboards.web import access, boards, choice, offers, pages
from dashboards.web.boards import WebBoard
from dashboards.web.bundle import Bundle, BundleError
from dashboards.web.feeds import NAMES, TICK, Feed, Feeds, TooManyError, Viewer
from dashboards.web.keys import CLOCK, SETTINGS, STORE, Clock
from dashboards.web.languages import language_of
from dashboards.web.ranges import RangeError
from dashboards.web.store import Store
from dashboards.web.themes import keep_theme, theme_of
from dashboards.words import Lang, Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hotline.settings import Settings

LOG = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"
FIRST_WAIT_S = 0.4
"""So long a page waits for its first numbers; those that come later are told."""
STILL_WAIT_S = 60.0
"""So long a page that is a picture waits for all of them."""
SLOW_S = 20.0
"""A viewer that takes nothing for so long is let go; its browser connects anew when it can."""
QUIET_S = 15.0
"""A stream that says nothing else has a beat that often: proxies end what is silent, and pages hear that it lives."""
SILENT_S = 2 * QUIET_S
"""A page that hears nothing for so long takes its stream for lost: it shows that, and connects anew."""
RETRY_MS = 2000
EVENTS = {TICK: b"tick", NAMES: b"names"}
"""What an event is called that is not of a panel."""
FORM_S = 10.0
"""So long a form may take to come."""
LINE_BYTES_MAX = 1 << 17
"""What an address may have: as many names as can be chosen, percent-encoded."""
IDLE_S = 75.0
"""A connection that asks nothing for so long, or does not come to the end of its question, is closed."""
BOARDS: web.AppKey[Mapping[str, WebBoard]] = web.AppKey("boards")
FEEDS: web.AppKey[Feeds] = web.AppKey("feeds", Feeds)
BUNDLE: web.AppKey[Bundle] = web.AppKey("bundle", Bundle)
TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates")
TOKEN: web.AppKey[str] = web.AppKey("token", str)


def make(
    settings: Settings, *, token: str | None = None, clock: Clock = time.time, viewers_max: int | None = None
) -> web.Application:
    """The application; `token` is what readers need, `clock` tells epoch seconds; `viewers_max` lowers the bound."""
    app = web.Application(middlewares=[access.guard(token), _told], client_max_size=4096)
    app[SETTINGS], app[BOARDS] = settings, boards.read(settings.zone)
    app[CLOCK], app[STORE] = clock, Store(settings)
    app[FEEDS] = Feeds(app[STORE], clock, viewers_max)
    app[BUNDLE] = Bundle(settings.folder.run)
    app[TEMPLATES] = pages.templates()
    app[TOKEN] = token or ""
    app.cleanup_ctx.append(_running)
    app.on_response_prepare.extend([access.secure, keep_theme])
    app.add_routes(
        [
            web.get("/", _index),
            web.get("/login", _login_page),
            web.post("/login", _login),
            web.get("/health", _health),
            web.get("/d/{uid}", _board),
            web.get("/d/{uid}/events", _events, allow_head=False),
            web.get("/static/charts.js", _charts),
            web.static("/static", STATIC),
            *numbers.routes(),
        ]
    )
    return app


def runner(app: web.Application) -> web.AppRunner:
    """What serves the application; whoever goes away is asked for no longer.

    What is no HTTP and who hangs up are in no log: anybody could fill it with those.
    """
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=1,
        handler_cancellation=True,
        max_line_size=LINE_BYTES_MAX,
        keepalive_timeout=IDLE_S,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a fault is one of this program."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | ConnectionError))


async def _running(app: web.Application) -> AsyncIterator[None]:
    async with app[STORE]:
        yield
        await app[FEEDS].close()
        await app[BUNDLE].close()


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what is wrong with a question, on a page."""
    try:
        return await handler(request)
    except (choice.ChoiceError, RangeError) as error:
        return _said(request, HTTPStatus.BAD_REQUEST, error.said)
    except MacroError as error:
        return _said(request, HTTPStatus.BAD_REQUEST, Text(str(error), f"看板的语句有误:{error}"))
    except TooManyError as error:
        return _said(request, HTTPStatus.SERVICE_UNAVAILABLE, error.said)
    except web.HTTPNotFound:
        at = request.path[:200]
        return _said(request, HTTPStatus.NOT_FOUND, Text(f"there is nothing at {at}: see /", f"{at}处没有内容:请看 /"))


def _said(request: web.Request, status: HTTPStatus, text: Text) -> web.Response:
    board = request.app[BOARDS].get(request.match_info.get("uid", ""))
    lang = language_of(request, board.lang if board else None)
    page = _page(
        request, "said.html", lang=lang.value, words=pages.words(lang), status=status.value, text=text.of(lang)
    )
    page.set_status(status)
    return page


def _page(request: web.Request, name: str, **given: object) -> web.Response:
    text = request.app[TEMPLATES].get_template(name).render(theme=theme_of(request), **given)
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def _index(request: web.Request) -> web.StreamResponse:
    lang = language_of(request)
    first = next(board for board in request.app[BOARDS].values() if board.lang is lang)
    raise web.HTTPFound(f"/d/{first.uid}")


async def _login_page(request: web.Request) -> web.StreamResponse:
    lang = language_of(request)
    return _page(request, "login.html", lang=lang.value, words=pages.words(lang), wrong=False)


async def _login(request: web.Request) -> web.StreamResponse:
    token = request.app[TOKEN]
    if access.is_token(await _token_of(request), token):
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        answer.set_cookie(
            access.COOKIE,
            token,
            max_age=access.COOKIE_S,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return answer
    await asyncio.sleep(1)  # whoever guesses waits
    lang = language_of(request)
    page = _page(request, "login.html", lang=lang.value, words=pages.words(lang), wrong=True)
    page.set_status(HTTPStatus.FORBIDDEN)
    return page


async def _token_of(request: web.Request) -> str:
    """What a form says; nothing for a form that cannot be read, or that does not come to its end."""
    with suppress(TimeoutError, ValueError, LookupError):
        async with asyncio.timeout(FORM_S):
            return str((await request.post()).get("token", ""))
    return ""


async def _health(request: web.Request) -> web.StreamResponse:
    feeds = request.app[FEEDS]
    return web.json_response(
        {"feeds": len(feeds.running), "viewers": feeds.viewers, "questions": request.app[STORE].asked}
    )


async def _board(request: web.Request) -> web.StreamResponse:
    board, chosen = _asked(request)
    wanted = request.query.get("lang")
    if wanted in set(Lang) and wanted != board.lang:
        raise web.HTTPFound(
            request.rel_url.without_query_params("lang").with_path(f"/d/{board.other()}", keep_query=True)
        )
    still = "still" in request.query
    offered, feed = await asyncio.gather(
        offers.offered(request.app[STORE], board, offers.WAIT_S),
        _seen(request.app[FEEDS], board, chosen, STILL_WAIT_S if still else FIRST_WAIT_S),
    )
    kiosk = "kiosk" in request.query
    given = pages.board_page(feed, list(request.app[BOARDS].values()), kiosk=kiosk, offered=offered, silent_s=SILENT_S)
    return _page(request, "board.html", **given, first=_first(feed), still=still)


async def _seen(feeds: Feeds, board: WebBoard, chosen: choice.Choice, wait_s: float) -> Feed:
    """A feed once every panel was asked, or after so long. Raises TooManyError."""
    feed = feeds.feed(board, chosen)
    with feeds.watching(feed), suppress(TimeoutError):
        await asyncio.wait_for(feed.drawn.wait(), wait_s)
    return feed


def _asked(request: web.Request) -> tuple[WebBoard, choice.Choice]:
    """The board that is asked for, and the choice. Raises HTTPNotFound, ChoiceError or RangeError."""
    board = request.app[BOARDS].get(request.match_info["uid"])
    if board is None:
        raise web.HTTPNotFound
    found = choice.read(board, request.query)
    found.at(datetime.fromtimestamp(request.app[CLOCK](), UTC), ZoneInfo(board.json["timezone"]))
    return board, found


def _first(feed: Feed) -> Markup:
    """What is known already, as JSON that no text in it can end."""
    pieces = ",".join(feed.said(key).decode() for key in sorted(feed.everything() - {TICK}))
    tick = feed.said(TICK).decode()
    text = f'{{"panels":[{pieces}],"tick":{tick}}}'
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


async def _events(request: web.Request) -> web.StreamResponse:
    feed = request.app[FEEDS].feed(*_asked(request))
    answer = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    with request.app[FEEDS].watching(feed) as viewer:
        await answer.prepare(request)
        await answer.write(b"retry: %d\n\n" % RETRY_MS)
        naming = asyncio.create_task(offers.tell(feed, viewer)) if "unnamed" in request.query else None
        try:
            with suppress(TimeoutError, ConnectionError):
                await _tell(feed, viewer, answer)
        finally:
            if naming:
                naming.cancel()
    if request.transport is not None:
        request.transport.abort()  # what it has not read is not kept for it
    return answer


async def _tell(feed: Feed, viewer: Viewer, answer: web.StreamResponse) -> None:
    while not feed.ended:
        try:
            changed = await asyncio.wait_for(viewer.changes(), QUIET_S)
        except TimeoutError:
            await asyncio.wait_for(answer.write(b"event: beat\ndata: {}\n\n"), SLOW_S)
            continue
        for key in changed:
            name = EVENTS.get(key, b"panel")
            await asyncio.wait_for(answer.write(b"event: %b\ndata: %b\n\n" % (name, feed.said(key))), SLOW_S)


async def _charts(request: web.Request) -> web.StreamResponse:
    try:
        file = await request.app[BUNDLE].ready()
    except BundleError as error:
        LOG.error("charts cannot be drawn: %s", error)  # noqa: TRY400  a process failed, with these words
        return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"{error}\n")
    return web.FileResponse(file, headers={"Content-Type": "text/javascript; charset=utf-8"})
