"""Turns: dealt out fairly, never more than there are slots, and never lost."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.engine.errors import EngineError
from sinks.engine.turns import Turns
from tests.sinks.engines import DEADLINE_S, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable


class Work:
    """Pieces of work that last until they are let go; remembers in which order they began."""

    def __init__(self, turns: Turns) -> None:
        self.began: list[str] = []
        self.running = 0
        self.running_most = 0
        self._turns = turns
        self._gate = threading.Semaphore(0)
        self._lock = threading.Lock()

    def ask(self, asker: str) -> asyncio.Task[str]:
        return asyncio.create_task(self._turns.run(asker, self._piece(asker), on_vanished=self.let_go))

    def let_go(self, count: int = 1) -> None:
        self._gate.release(count)

    def _piece(self, asker: str) -> Callable[[], str]:
        def work() -> str:
            with self._lock:
                self.began.append(asker)
                self.running += 1
                self.running_most = max(self.running_most, self.running)
            self._gate.acquire(timeout=DEADLINE_S)
            with self._lock:
                self.running -= 1
            return asker

        return work

    async def until_began(self, count: int) -> None:
        await asyncio.to_thread(wait_until, lambda: len(self.began) >= count)


def test_one_asker_never_holds_the_last_slot() -> None:
    async def scenario() -> list[str]:
        work = Work(Turns(3, waiting_max=100, name="t"))
        greedy = [work.ask("greedy") for _ in range(10)]
        await work.until_began(2)
        modest = work.ask("modest")
        await work.until_began(3)
        began = list(work.began)
        work.let_go(100)
        await asyncio.gather(*greedy, modest)
        return began

    assert Counter(asyncio.run(scenario())) == {"greedy": 2, "modest": 1}


def test_askers_are_served_in_turn_whoever_asked_most() -> None:
    async def scenario() -> list[str]:
        work = Work(Turns(1, waiting_max=100, name="t"))
        tasks = [work.ask("a") for _ in range(6)] + [work.ask("b") for _ in range(2)] + [work.ask("c")]
        for done in range(len(tasks)):
            await work.until_began(done + 1)
            work.let_go()
        await asyncio.gather(*tasks)
        return work.began

    assert asyncio.run(scenario())[:6] == ["a", "b", "c", "a", "b", "a"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=25), st.integers(1, 4))
def test_no_slot_is_lost_whoever_goes_away(asked: list[tuple[str, bool]], slots: int) -> None:
    async def scenario() -> int:
        work = Work(Turns(slots, waiting_max=100, name="t"))
        tasks = [work.ask(asker) for asker, _ in asked]
        await asyncio.sleep(0)
        for task, (_, gone) in zip(tasks, asked, strict=True):
            if gone:
                task.cancel()
        work.let_go(100)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [a for a in answers if isinstance(a, str)] == [asker for asker, gone in asked if not gone]
        after = [work.ask(f"after {n}") for n in range(slots)]
        await asyncio.wait_for(asyncio.gather(*after), DEADLINE_S)
        return work.running_most

    assert asyncio.run(scenario()) <= slots


def test_too_many_who_wait_are_told_so() -> None:
    async def scenario() -> None:
        work = Work(Turns(1, waiting_max=2, name="t"))
        tasks = [work.ask("a")]
        await work.until_began(1)
        tasks += [work.ask("b"), work.ask("c")]
        await asyncio.sleep(0)
        with pytest.raises(EngineError, match="Too many simultaneous queries"):
            await work.ask("d")
        work.let_go(100)
        await asyncio.gather(*tasks)

    asyncio.run(scenario())


def test_a_slot_stays_taken_until_the_work_of_someone_gone_has_ended() -> None:
    async def scenario() -> list[str]:
        turns = Turns(1, waiting_max=10, name="t")
        work = Work(turns)
        stopped = threading.Event()
        first = asyncio.create_task(turns.run("a", work._piece("a"), on_vanished=stopped.set))
        await work.until_began(1)
        second = work.ask("b")
        first.cancel()
        assert await asyncio.to_thread(stopped.wait, DEADLINE_S)
        began = list(work.began)
        work.let_go(2)
        await second
        return began

    assert asyncio.run(scenario()) == ["a"]
