"""How often roll publishes, on a loop whose time passes only while nobody has anything to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from streams.roll.pace import EVERYTHING_EVERY_S, PUBLISH_EVERY_S, keep_pace

LATE_S = 0.01
"""How much earlier or later than asked something may be: what changes here changes every so often."""
Published = list[tuple[float, bool]]
"""When, and whether everything."""


class DrivenLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer, so that an hour takes as long as what happens in it."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        waiting = self._scheduled and not self._ready  # type: ignore[attr-defined]
        if waiting:
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def published(
    during_s: float,
    changing: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    takes_s: Callable[[float], float] = lambda _: 0.0,
) -> Published:
    """What is published in a time while things change; `takes_s`: how long a record of an instant takes."""

    async def run() -> Published:
        found: Published = []
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        async def publish(full: bool) -> None:  # noqa: FBT001 as the pace calls it
            found.append((loop.time(), full))
            await asyncio.sleep(takes_s(loop.time()))

        tasks = [asyncio.create_task(one) for one in (keep_pace(publish, changed), changing(changed))]
        await asyncio.sleep(during_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    with asyncio.Runner(loop_factory=DrivenLoop) as runner:
        return runner.run(run())


async def nothing(_: asyncio.Event) -> None:
    """Nothing changes."""


async def all_the_time(changed: asyncio.Event) -> None:
    """Something changes every ten milliseconds."""
    while True:
        changed.set()
        await asyncio.sleep(LATE_S)


def test_the_paces_are_those_that_are_promised() -> None:
    assert (PUBLISH_EVERY_S, EVERYTHING_EVERY_S) == (0.25, 1.0)


def test_everything_is_published_each_second_when_nothing_changes() -> None:
    found = published(3600, nothing)
    assert len(found) in {3600, 3601}
    assert all(full for _, full in found)
    assert all(abs(at - place) < LATE_S for place, (at, _) in enumerate(found))


def test_what_changes_all_the_time_is_published_four_times_a_second_and_each_second_everything() -> None:
    found = published(60, all_the_time)
    fulls = [at for at, full in found if full]
    assert len(fulls) in {60, 61}
    assert all(abs(at - place) < LATE_S for place, at in enumerate(fulls))
    apart = [later - earlier for (earlier, _), (later, _) in pairwise(found)]
    assert min(apart) > PUBLISH_EVERY_S - LATE_S
    assert max(apart) < PUBLISH_EVERY_S + LATE_S


@pytest.mark.parametrize("at_s", [0.1, 0.3, 0.6, 0.95])
def test_one_change_is_published_within_a_quarter_of_a_second(at_s: float) -> None:
    async def once(changed: asyncio.Event) -> None:
        await asyncio.sleep(at_s)
        changed.set()

    later = [at for at, _ in published(2, once) if at > 0]
    assert at_s <= later[0] <= at_s + PUBLISH_EVERY_S + LATE_S


def test_seconds_in_which_nothing_could_be_published_are_made_up_for_once() -> None:
    """The broker takes five seconds for one record: then everything twice, and on in step."""
    found = published(60, nothing, lambda at_s: 5.0 if 10 <= at_s < 10.5 else 0.0)
    fulls = [at for at, _ in found]
    assert max(later - earlier for earlier, later in pairwise(fulls)) < 5 + PUBLISH_EVERY_S + LATE_S
    late = [at for at in fulls if at >= 15]
    assert len(late) <= 60 - 15 + 2
    assert min(later - earlier for earlier, later in pairwise(late[1:])) > EVERYTHING_EVERY_S - LATE_S
