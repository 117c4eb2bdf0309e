"""Whose turn it is: a fixed number of statements at a time, dealt out fairly among those who ask."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable

T = TypeVar("T")


class Turns:
    """`slots` statements at a time, `waiting_max` more in the queue; belongs to one event loop.

    Askers (a client's address and name) take turns: each has a queue of its own, and the one that was served longest
    ago is next. One asker never holds the last free slot, unless there is only one: somebody else always gets through.
    """

    def __init__(self, slots: int, *, waiting_max: int, name: str) -> None:
        self._free = slots
        self._each_max = max(1, slots - 1)
        self._waiting_max = waiting_max
        self._running: Counter[Hashable] = Counter()
        self._queues: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._served_at: dict[Hashable, int] = {}
        self._served = 0
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix=name)

    async def run(self, asker: Hashable, work: Callable[[], T], *, on_vanished: Callable[[], None]) -> T:
        """Run `work` in a thread when it is its turn, and give what it gives.

        When the client goes away meanwhile, `on_vanished` is called in a thread; the slot stays taken until the
        work has ended. Raises error 202 when too many wait already.
        """
        async with self._turn(asker):
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._threads, work)
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                loop.run_in_executor(None, on_vanished)
                while not running.done():  # whatever the work uses must stay until it has ended
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait({running})
                running.exception()
                raise

    @asynccontextmanager
    async def _turn(self, asker: Hashable) -> AsyncIterator[None]:
        await self._wait(asker)
        try:
            yield
        finally:
            self._give_back(asker)

    async def _wait(self, asker: Hashable) -> None:
        if sum(map(len, self._queues.values())) >= self._waiting_max:
            raise EngineError(
                202, f"Too many simultaneous queries: {self._waiting_max} wait already. Ask again in a moment."
            )
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(asker, deque()).append(mine)
        self._deal()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was dealt a slot in the moment it went away
                self._give_back(asker)
            raise

    def _give_back(self, asker: Hashable) -> None:
        self._running[asker] -= 1
        if not self._running[asker]:
            del self._running[asker]
            if asker not in self._queues:
                self._served_at.pop(asker, None)
        self._free += 1
        self._deal()

    def _deal(self) -> None:
        """Give free slots away, each to whoever was served longest ago, until nobody can take one."""
        while self._free and (asker := self._next()) is not None:
            self._queues[asker].popleft().set_result(None)
            self._free -= 1
            self._running[asker] += 1
            self._served += 1
            self._served_at[asker] = self._served

    def _next(self) -> Hashable | None:
        for asker, queue in list(self._queues.items()):
            while queue and queue[0].done():  # whoever waited there is gone
                queue.popleft()
            if not queue:
                del self._queues[asker]
                if not self._running[asker]:
                    self._served_at.pop(asker, None)
        able = [asker for asker in self._queues if self._running[asker] < self._each_max]
        return min(able, key=lambda asker: self._served_at.get(asker, 0), default=None)
