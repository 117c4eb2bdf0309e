"""Turns of clients at what few can have at a time: no client has two, so that a slow one leaves room for another."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web


class Turns:
    """So many turns at once, of as many clients; whoever comes later waits."""

    def __init__(self, at_once: int) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._of: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, client: tuple[str, str]) -> AsyncIterator[None]:
        """Wait for a client's turn, and have it."""
        own = self._of.setdefault(client, asyncio.Lock())
        async with own, self._all:
            yield


def client_of(request: web.Request) -> tuple[str, str]:
    """Who asks: by address and User-Agent, since a proxy has one address for all."""
    return request.remote or "", request.headers.get("User-Agent", "")
