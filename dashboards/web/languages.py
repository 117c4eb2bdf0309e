"""Which language a reader is answered in: that of the address or of its board, else what the browser asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.words import Lang

if TYPE_CHECKING:
    from aiohttp import web


def language_of(request: web.Request, board: Lang | None = None) -> Lang:
    """The language that the address names, else that of its `board`, else the first that the browser asks for."""
    asked = _named(request.query.get("lang", "")) or board
    return asked or _named(request.headers.get("Accept-Language", "")) or Lang.EN


def _named(given: str) -> Lang | None:
    """The language that a tag such as `zh-CN` begins with, if boards are in it."""
    return next((lang for lang in Lang if given.lower().startswith(lang)), None)
