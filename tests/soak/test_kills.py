"""When runs begin, and when no more do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.soak.kills import Run, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future


def a_run(number: int, kills: int) -> Run:
    return Run("embedded", number, "2023-03-01", "1/0/25", [], [], None, {"sink": kills})


@given(kills=st.lists(st.integers(0, 9), max_size=30), times=st.integers(0, 60), at_once=st.integers(1, 4))
def test_runs_begin_until_so_many_were_killed_and_all_that_began_are_told(
    kills: list[int], times: int, at_once: int
) -> None:
    """In whatever order they end; none begins after one without kills."""
    begun: list[Future[Run]] = []
    told: list[Run] = []

    def runs(pool: ThreadPoolExecutor) -> Iterator[Future[Run]]:
        for number, count in enumerate(chain(kills, repeat(10))):
            assert sum(run.kills for run in told) < times
            assert all(run.kills for run in told)
            assert len(begun) - len(told) < at_once
            begun.append(pool.submit(a_run, number, count))
            yield begun[-1]

    with ThreadPoolExecutor(at_once) as pool:
        for run in until(times, runs(pool), at_once):
            told.append(run)  # noqa: PERF402 what is told so far is looked at meanwhile
    assert sorted(run.seed for run in told) == list(range(len(begun)))
    assert sum(run.kills for run in told) >= times or not all(run.kills for run in told)
