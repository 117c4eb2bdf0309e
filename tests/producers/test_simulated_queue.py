"""The queue of calls: nobody is answered before he came, nobody talks twice at once, and nobody waits for nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.blocks import complete
from hotline.fold.standing import with_keys
from hotline.fold.vectorised import fold
from hotline.subjects import CALLS
from producers.simulator import CITY, day
from producers.simulator.local_days import bounds_s
from producers.simulator.queueing import Demand, Roster, Served, serve
from producers.simulator.shifts import expected_load, operators_on_shift

WEDNESDAY = dt.date(2023, 5, 10)
BOUNDS = (0, 240)
"""A day of four minutes, so that few calls see many changes of shift."""

calls = st.lists(
    st.tuples(st.integers(0, 260), st.integers(0, 60), st.integers(0, 5), st.integers(0, 90)), max_size=30
).map(lambda found: sorted(found, key=lambda call: call[0]))
shifts = st.lists(st.integers(1, 3), min_size=1, max_size=6)


def served(found: list[Call], on_shift: list[int]) -> Served:
    columns = np.array(found, np.int64).reshape(-1, 4).T
    return serve(Demand(*columns), Roster(BOUNDS, on_shift))


Call = tuple[int, int, int, int]
"""When a call is queued, its patience, how long it rings and how long it would talk."""


def spans(found: list[Call], told: Served) -> dict[int, list[tuple[int, int]]]:
    """When each desk was busy, ringing or talking."""
    busy: dict[int, list[tuple[int, int]]] = {}
    columns = (told.wait.tolist(), told.answered.tolist(), told.desk.tolist(), told.rang.tolist())
    for (queued, _, _, talk), wait, answered, desk, rang in zip(found, *columns, strict=True):
        if desk >= 0:
            busy.setdefault(desk, []).append((queued + rang, queued + wait + talk * answered))
    return busy


@given(calls, shifts)
def test_nobody_is_answered_before_he_came_or_after_he_gave_up(found: list[Call], on_shift: list[int]) -> None:
    told = served(found, on_shift)
    for (_, patience, ring, _), wait, answered, rang in zip(
        found, told.wait.tolist(), told.answered.tolist(), told.rang.tolist(), strict=True
    ):
        assert 0 <= rang <= wait <= patience
        assert wait == (rang + ring if answered else patience)


@given(calls, shifts)
def test_a_desk_has_one_call_at_a_time_and_takes_it_only_on_duty(found: list[Call], on_shift: list[int]) -> None:
    told, roster = served(found, on_shift), Roster(BOUNDS, on_shift)
    for desk, busy in spans(found, told).items():
        assert all(first[1] <= second[0] for first, second in pairwise(sorted(busy)))
        assert all(desk < on_shift[roster.part_of(begun)] for begun, _ in busy)


@given(calls, shifts)
def test_nobody_waits_while_somebody_on_duty_is_free(found: list[Call], on_shift: list[int]) -> None:
    told, roster = served(found, on_shift), Roster(BOUNDS, on_shift)
    busy = spans(found, told)
    for (queued, *_), rang in zip(found, told.rang.tolist(), strict=True):
        for now in range(queued, queued + rang):
            for desk in range(on_shift[roster.part_of(now)]):
                assert any(begun <= now < ended for begun, ended in busy.get(desk, []))


@given(calls, shifts)
def test_who_came_first_is_rung_first(found: list[Call], on_shift: list[int]) -> None:
    told = served(found, on_shift)
    columns = zip(found, told.rang.tolist(), told.desk.tolist(), strict=True)
    rung = [queued + rang for (queued, *_), rang, desk in columns if desk >= 0]
    assert rung == sorted(rung)


def test_a_roster_without_anybody_is_refused() -> None:
    with pytest.raises(ValueError, match="0 operators on shift"):
        Roster(BOUNDS, [2, 0])


# The city's queue


@pytest.fixture(scope="module")
def inbound() -> pl.DataFrame:
    """Give a day's inbound calls, a row each."""
    events = day(CITY, WEDNESDAY, 7)[CALLS.name]
    answered = events.filter(pl.col("type") == "call.answered").select("entity", "operator")
    rows = fold(CALLS, with_keys(CALLS, complete(CALLS, events)))
    return (
        rows.filter(pl.col("direction") == "inbound")
        .drop("operator", strict=False)
        .join(answered, on="entity", how="left")
    )


def test_no_operator_talks_to_two_callers_at_once(inbound: pl.DataFrame) -> None:
    talks = inbound.drop_nulls("answered_at").sort("operator", "answered_at")
    spans = talks.select("operator", "answered_at", "ended_at").rows()
    assert len(spans) > 10_000
    pairs = [(first, second) for first, second in pairwise(spans) if first[0] == second[0]]
    assert len(pairs) > 10_000
    assert all(first[2] <= second[1] for first, second in pairs)


def test_at_most_so_many_talk_as_were_on_shift_since_the_longest_talk_began(inbound: pl.DataFrame) -> None:
    weight = CITY.weekday_weights[WEDNESDAY.weekday()]
    on_shift = operators_on_shift(CITY, weight)
    start, _ = bounds_s(WEDNESDAY, CITY.zone)
    talks = inbound.drop_nulls("answered_at").select(
        pl.col("answered_at").dt.epoch("s").alias("from"), pl.col("ended_at").dt.epoch("s").alias("to")
    )
    moves = Counter[int]()
    for begun, ended in talks.rows():
        moves[begun] += 1
        moves[ended] -= 1
    talking, most = 0, 0
    for at in sorted(moves):
        talking += moves[at]
        hour = min((at - start) // 3600, 23)
        assert talking <= on_shift[max(0, hour - 2) : hour + 1].max()
        most = max(most, talking)
    assert most > on_shift.max() * 0.8


def test_waiting_builds_up_where_more_call_than_were_planned_for(inbound: pl.DataFrame) -> None:
    weight = CITY.weekday_weights[WEDNESDAY.weekday()]
    hour = pl.col("offered_at").dt.convert_time_zone(CITY.zone).dt.hour().alias("hour")
    waits = dict(inbound.drop_nulls("answered_at").group_by(hour).agg(pl.col("wait_s").mean()).rows())
    short = expected_load(CITY, weight) / operators_on_shift(CITY, weight)
    tightest, easiest = int(short.argmax()), int(short[8:18].argmin()) + 8
    assert waits[tightest] > 2 * waits[easiest]
    assert waits[easiest] < 12


@pytest.mark.parametrize("size", [0.02, 0.1, 4])
def test_a_city_of_any_size_answers_most_of_its_calls(size: float) -> None:
    city = CITY.scaled(1, CITY.calls_per_day * size)
    events = day(city, WEDNESDAY, 7)[CALLS.name]
    rows = fold(CALLS, with_keys(CALLS, complete(CALLS, events))).filter(pl.col("direction") == "inbound")
    outcomes = rows.drop_nulls("outcome_at")
    assert 0.8 < 1 - outcomes["abandoned_at"].is_not_null().mean() < 0.99  # type: ignore[operator]
