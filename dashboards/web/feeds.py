"""Feeds: one board in one choice, asked once a tick for all who look at it; each viewer is told what changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dashboards.macros import expand
from dashboards.web import charts, drawing
from dashboards.web.errors import SaidError
from dashboards.web.links import with_links
from dashboards.web.marks import marks
from dashboards.web.ranges import RangeError
from dashboards.web.shown import Writer
from dashboards.web.store import StoreError
from dashboards.words import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from dashboards.macros import Chosen
    from dashboards.web.boards import Json, WebBoard
    from dashboards.web.choice import Choice
    from dashboards.web.keys import Clock
    from dashboards.web.store import Answer, Store

LOG = logging.getLogger(__name__)
FEEDS_MAX = 100
"""Different boards and choices that are looked at; each is asked every few seconds."""
VIEWERS_MAX = 1000
LINGERS_S = 20.0
"""So long a feed that nobody looks at goes on, for whoever loads the page anew."""
LOOKS_S = 0.1
"""How often a feed looks at the clock."""
MARKS = 0
"""The key of what annotations mark, beside the ids of panels, which begin at 1."""
TICK = -1
NAMES = -2
"""The key of the names that can be chosen, which a page is told that was made without."""
UNDRAWN = Text("it cannot be drawn: see log/web.log", "无法绘制:详见log/web.log")


class TooManyError(SaidError):
    """More is looked at than can be served."""


@dataclass(eq=False)
class Viewer:
    """One open page: what of the feed it has not been told, and a signal when that is something."""

    unsaid: set[int] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, keys: set[int]) -> None:
        """Note what changed."""
        self.unsaid |= keys
        self.woken.set()

    async def changes(self) -> list[int]:
        """Wait for changes, and take them: however slow a viewer is, no more than one of each is kept for it.

        The tick is the last of them: a page that shows an instant shows what is of it.
        """
        await self.woken.wait()
        self.woken.clear()
        taken, self.unsaid = sorted(self.unsaid, key=lambda key: (key == TICK, key)), set()
        return taken


class Failure(NamedTuple):
    """Since when (epoch seconds) a panel is not answered, why, and whether the store did not answer it."""

    since: float
    why: str
    of_store: bool


@dataclass(eq=False)
class Feed:
    """The latest content of every panel; `failed` has those that are not answered."""

    board: WebBoard
    choice: Choice
    store: Store
    clock: Clock
    content: dict[int, bytes] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    """The names of each variable that a page was told last."""
    viewers: set[Viewer] = field(default_factory=set)
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once every panel was asked."""
    at: float = 0.0
    looked_at: float = 0.0
    """When somebody last looked."""
    ended: bool = False

    def __post_init__(self) -> None:
        self.writer = Writer(self.board.lang, ZoneInfo(self.board.json["timezone"]))
        self.panels: list[Json] = [with_links(panel, self.choice) for panel in self.board.panels]

    async def run(self) -> None:
        """Ask at every tick until nobody looks; ticks fall on whole multiples, so that feeds share their questions."""
        every = self.board.refresh_s if self.choice.is_moving else None
        while self._is_wanted():
            await self.draw()
            while not self._due(every) and self._is_wanted():  # noqa: ASYNC110  the clock may be one that tests set
                await asyncio.sleep(LOOKS_S)

    def _is_wanted(self) -> bool:
        if self.viewers:
            self.looked_at = self.clock()
        return self.clock() - self.looked_at <= LINGERS_S

    def _due(self, every: int | None) -> bool:
        """Whether it is time to ask: at the next tick, or again after a failure."""
        if every is None:
            return bool(self.failed) and self.clock() - self.at > LINGERS_S
        return self.clock() // every > self.at // every

    async def draw(self) -> None:
        """Ask everything for this instant."""
        self.at = self.clock()
        now = datetime.fromtimestamp(int(self.at), UTC)
        asked = [(panel["id"], self._panel(panel, now)) for panel in self.panels if panel.get("targets")]
        await asyncio.gather(*(self._draw(key, content) for key, content in [(MARKS, self._marks(now)), *asked]))
        self._tell({TICK})
        self.drawn.set()

    async def _draw(self, key: int, content: Awaitable[Json]) -> None:
        """Take new content; where there is none the old stays, and it is said since when, whatever the reason."""
        try:
            made = await content
        except (StoreError, RangeError) as error:
            self._fail(key, error.said, of_store=isinstance(error, StoreError))
        except Exception:
            if key not in self.failed:
                LOG.exception("panel %s of board %s cannot be drawn", key, self.board.uid)
            self._fail(key, UNDRAWN, of_store=False)
        else:
            self.failed.pop(key, None)
            self.put(key, made)

    def _fail(self, key: int, why: Text, *, of_store: bool) -> None:
        since = self.failed[key].since if key in self.failed else self.at
        self.failed[key] = Failure(since, why.of(self.board.lang), of_store)

    async def _panel(self, panel: Json, now: datetime) -> Json:
        chosen = self.choice.at(now, self.writer.zone, panel["interval"])
        return drawn(panel, await self._answers([one["rawSql"] for one in panel["targets"]], chosen), self.writer)

    async def _marks(self, now: datetime) -> Json:
        kinds, chosen = self.board.marks, self.choice.at(now, self.writer.zone)
        answers = await self._answers([kind.sql for kind in kinds], chosen)
        return {"marks": marks(zip(kinds, answers, strict=True), chosen.from_s, self.writer)}

    async def _answers(self, statements: Sequence[str], chosen: Chosen) -> list[Answer]:
        return await asyncio.gather(*(self.store.shared(expand(sql, chosen)) for sql in statements))

    def put(self, key: int, content: Json) -> None:
        """Take what a panel shows now, and tell the viewers when that is something else than before."""
        packed = msgspec.json.encode(content)
        if self.content.get(key) != packed:
            self.content[key] = packed
            self._tell({key})

    def _tell(self, keys: set[int]) -> None:
        for viewer in self.viewers:
            viewer.tell(keys)

    def said(self, key: int) -> bytes:
        """What a page is told of a panel, or of the marks; of the tick: when it was, and what failed since when."""
        if key == NAMES:
            return msgspec.json.encode(self.names)
        if key != TICK:
            return b'{"id":%d,"content":%s}' % (key, self.content[key])
        failed = {str(panel): failure._asdict() for panel, failure in self.failed.items()}
        return msgspec.json.encode({"at": self.at, "failed": failed})

    def end(self) -> None:
        """Let all go who look or wait: nothing is asked for them any more."""
        self.ended = True
        self.drawn.set()
        self._tell(set())

    def everything(self) -> set[int]:
        """All that a page that was just opened has to be told."""
        return {*self.content, TICK}


def drawn(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """The content of a panel, of whatever kind."""
    kind = panel["type"]
    if kind in drawing.KINDS:
        return drawing.KINDS[kind](panel, answers[0], writer)
    return charts.ROWS[kind](panel, answers, writer)


@dataclass(eq=False)
class Feeds:
    """All feeds that run; the same board in the same choice is one."""

    store: Store
    clock: Clock
    viewers_max: int | None = None
    """Fewer than `VIEWERS_MAX`, where there is no room for so many."""
    running: dict[tuple[str, Choice], tuple[Feed, asyncio.Task[None]]] = field(default_factory=dict)

    def feed(self, board: WebBoard, choice: Choice) -> Feed:
        """Give the feed, which runs from now on. Raises TooManyError."""
        key = (board.uid, choice)
        if key not in self.running:
            self._make_room()
            feed = Feed(board, choice, self.store, self.clock)
            self.running[key] = (feed, asyncio.create_task(self._run(key, feed)))
        feed, _ = self.running[key]
        feed.looked_at = self.clock()
        return feed

    def _make_room(self) -> None:
        """Let go of the feed that nobody has looked at for the longest time. Raises TooManyError when all are."""
        if len(self.running) < FEEDS_MAX:
            return
        alone = [(feed.looked_at, key) for key, (feed, _) in self.running.items() if not feed.viewers]
        if not alone:
            raise TooManyError(
                Text(
                    f"{FEEDS_MAX} different boards and choices are open: close some, or ask later",
                    f"已打开{FEEDS_MAX}种看板与选择:请关闭一些,或稍后再试",
                )
            )
        _, longest = min(alone, key=lambda found: found[0])
        feed, task = self.running.pop(longest)
        feed.end()
        task.cancel()

    @contextlib.contextmanager
    def watching(self, feed: Feed) -> Any:
        """A viewer of a feed, for as long as it looks. Raises TooManyError."""
        most = VIEWERS_MAX if self.viewers_max is None else self.viewers_max
        if self.viewers >= most:
            raise TooManyError(
                Text(f"{most} pages are open: close some, or ask later", f"已打开{most}个页面:请关闭一些,或稍后再试")
            )
        viewer = Viewer()
        viewer.tell(feed.everything())
        feed.viewers.add(viewer)
        try:
            yield viewer
        finally:
            feed.viewers.discard(viewer)

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return sum(len(feed.viewers) for feed, _ in self.running.values())

    async def _run(self, key: tuple[str, Choice], feed: Feed) -> None:
        try:
            await feed.run()
        except Exception:
            LOG.exception("board %s cannot be drawn", key[0])
        finally:
            feed.end()
            if self.running.get(key, (None,))[0] is feed:  # it may have made room, and have come again
                del self.running[key]

    async def close(self) -> None:
        """End all of them."""
        for _, task in list(self.running.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
