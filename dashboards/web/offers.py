"""The names that can be chosen on a board: a page is made with them, or is told them once the store answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from dashboards.web.feeds import NAMES
from dashboards.web.store import StoreError

if TYPE_CHECKING:
    from dashboards.web.boards import Json, WebBoard
    from dashboards.web.feeds import Feed, Viewer
    from dashboards.web.store import Store

WAIT_S = 1.0
"""So long a page waits for its names; those that come later are told."""
AGAIN_S = 5.0
"""So often names that did not come are asked for again."""


def offering(board: WebBoard) -> list[Json]:
    """The variables of a board whose names are asked of the store."""
    return [variable for variable in board.variables if variable["type"] == "query"]


async def offered(store: Store, board: WebBoard, wait_s: float | None = None) -> dict[str, list[str]]:
    """The names of each variable that has them within `wait_s`; a variable that has no answer is not in it."""
    asked = offering(board)
    answers = await asyncio.gather(*(_names(store, variable["query"], wait_s) for variable in asked))
    return {variable["name"]: names for variable, names in zip(asked, answers, strict=True) if names is not None}


async def _names(store: Store, sql: str, wait_s: float | None) -> list[str] | None:
    with suppress(StoreError, TimeoutError):
        async with asyncio.timeout(wait_s):
            return [str(row[0]) for row in (await store.names(sql)).rows]
    return None


async def tell(feed: Feed, viewer: Viewer) -> None:
    """Ask for all names of a feed's board until they are there, and tell a viewer who was given a page without."""
    while len(found := await offered(feed.store, feed.board)) < len(offering(feed.board)):  # noqa: ASYNC110  the store tells nobody when it answers again
        await asyncio.sleep(AGAIN_S)
    feed.names = found
    viewer.tell({NAMES})
