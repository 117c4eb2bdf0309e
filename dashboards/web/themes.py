"""Light or dark: what a reader chose on one page holds on all of them, number pages and the login among them.

A cookie says it. The button of a board sets it for a year; a theme in an address holds until the browser is closed.
"""

from __future__ import annotations

from enum import StrEnum

from aiohttp import web

COOKIE = "hotline-theme"
"""The name that `static/board.js` sets."""


class Theme(StrEnum):
    """How a page looks; without one it follows the reader's system."""

    SYSTEM = ""
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: web.Request) -> Theme:
    """The theme that the address names, else the one that was chosen before; the system's for any other word."""
    return _named(request.query.get("theme", "")) or _named(request.cookies.get(COOKIE, ""))


async def keep_theme(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the theme that an address names be that of the pages that its links lead to."""
    asked = _named(request.query.get("theme", ""))
    if asked and asked != request.cookies.get(COOKIE):
        of_tls = "; Secure" if request.secure else ""  # `set_cookie` comes too late for an answer that is on its way
        answer.headers.add("Set-Cookie", f"{COOKIE}={asked}; Path=/; SameSite=Lax{of_tls}")


def _named(given: str) -> Theme:
    return Theme(given) if given in set(Theme) else Theme.SYSTEM
