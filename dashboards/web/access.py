"""Who may look: on this machine anybody who asks for it by its own name; from elsewhere whoever has the token.

A page of another site can make a browser on this machine ask us under that site's name: so names are looked at.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dashboards.web.languages import language_of
from dashboards.words import Lang, Text
from hotline.data_folder import make_once, require_private
from hotline.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

COOKIE = "hotline-board"
TOKEN_BYTES = 32
TOKEN_CHARACTERS_MIN = 20
COOKIE_S = 365 * 86_400
"""A wall display is logged in once."""
READ_ONLY = Text("boards are read only", "看板只读")
OF_OTHERS = Text("pages of other sites may lead here, and take nothing", "其他网站的页面可链接至此,但不能读取内容")
BY_OUR_NAME = Text("ask for 127.0.0.1 or localhost", "请用 127.0.0.1 或 localhost 访问")
LOG_IN = Text("log in at /login, or send the token as Bearer", "请在 /login 登录,或以 Bearer 方式发送令牌")
OPEN = frozenset({"/login", "/static/board.css", "/static/icon.svg"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def token_in(file: Path) -> str:
    """The token of the web boards, made at first use.

    Raises PermissionError when others can read it, SettingsError when what stands there keeps nobody out.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = make_once(file, f"{secrets.token_urlsafe(TOKEN_BYTES)}\n".encode(), mode=0o600)
    require_private(file)
    token = found.decode().strip()
    if len(token) < TOKEN_CHARACTERS_MIN:
        raise SettingsError(
            f"{file} holds {len(token)} characters, and a token has at least {TOKEN_CHARACTERS_MIN}: delete it, and "
            "start the stack again, which makes one"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether a host is this machine only, whatever names resolve to."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def secure(request: web.Request, answer: web.StreamResponse) -> None:  # noqa: ARG001  as aiohttp calls it
    """Give an answer the headers that every one has; what says nothing else is asked for anew, as after an update."""
    answer.headers.update(HEADERS)
    answer.headers.setdefault("Cache-Control", "no-cache")


def guard(token: str | None) -> Middleware:
    """Let in who may look; without a token only this machine's own names are served."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        return _never(request) or _unknown(request, token) or await handler(request)

    return guarded


def _never(request: web.Request) -> web.Response | None:
    """Refuse what nobody may ask."""
    if request.method not in {"GET", "HEAD", "POST"} or (request.method == "POST" and request.path != "/login"):
        return _refused(request, HTTPStatus.METHOD_NOT_ALLOWED, READ_ONLY)
    return _refused(request, HTTPStatus.FORBIDDEN, OF_OTHERS) if is_others(request) else None


def _unknown(request: web.Request, token: str | None) -> web.Response | None:
    """Refuse who may not look."""
    if token is None:
        return None if is_loopback(_host(request)) else _refused(request, HTTPStatus.MISDIRECTED_REQUEST, BY_OUR_NAME)
    if request.path in OPEN or may_look(request, token):
        return None
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/login"})
    return _refused(request, HTTPStatus.UNAUTHORIZED, LOG_IN)


def _refused(request: web.Request, status: HTTPStatus, why: Text) -> web.Response:
    return web.Response(status=status, text=f"{why.of(language_of(request, _of_board(request.path)))}\n")


def _of_board(path: str) -> Lang | None:
    """The language of the board at an address, also where that is refused before anybody looks for the board."""
    uid = re.match(r"/d/([^/]+)", path)
    return (Lang.ZH if uid[1].endswith("-zh") else Lang.EN) if uid else None


def is_others(request: web.Request) -> bool:
    """Whether a browser asks for a page of another site, which would cost us and show nobody anything."""
    if request.headers.get("Sec-Fetch-Site") != "cross-site":
        return False
    return request.headers.get("Sec-Fetch-Dest") != "document" or request.method == "POST"


def _host(request: web.Request) -> str:
    """The name that we are asked by; empty for what is none."""
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def may_look(request: web.Request, token: str) -> bool:
    """Whether a request has the token, in its cookie or as Bearer."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    offered = given if kind.lower() == "bearer" else request.cookies.get(COOKIE, "")
    return is_token(offered, token)


def is_token(offered: str, token: str) -> bool:
    """Compare in a time that tells nothing; where there is no token, nothing is it."""
    return bool(token) and hmac.compare_digest(offered.strip().encode("utf-8", "replace"), token.encode())
