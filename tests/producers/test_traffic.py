"""Endless traffic: the same events at any pace, whatever goes wrong on the way, in a memory that stops growing."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hotline.blocks import complete, pack
from hotline.fold.standing import with_keys
from hotline.fold.vectorised import fold
from hotline.subjects import SUBJECTS
from hotline.zone_names import zone
from producers.simulator import CITY, City, Delivery, Mishaps, Pacer, Traffic, day, live
from producers.simulator.day import LIFE_DAYS_MAX
from producers.simulator.json_lines import json_lines
from producers.simulator.local_days import bounds_s
from producers.simulator.mishaps import ARRIVES
from producers.simulator.pacer import STEP_S_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from producers.simulator.timeline import Events

WEDNESDAY = dt.date(2023, 5, 10)
SPRING, AUTUMN = dt.date(2023, 3, 12), dt.date(2023, 11, 5)
"""Days on which the clocks of New York move."""
TINY = CITY.scaled(150, 80)
SEED = 7
BADLY = Mishaps(duplicates=0.2, late=0.2, disorder=0.3, late_s_max=7_200)


def local_s(date: dt.date, hour: int = 0, *, city: City = TINY) -> int:
    return int(dt.datetime.combine(date, dt.time(hour), zone(city.zone)).timestamp())


def expected(city: City, start_s: int, end_s: int, *, days_before: int) -> Events:
    """Put together by `day` what happens between two instants to all that is born from so many days before on."""
    first = dt.datetime.fromtimestamp(start_s, zone(city.zone)).date() - dt.timedelta(days=days_before)
    last = dt.datetime.fromtimestamp(end_s, zone(city.zone)).date()
    births = [day(city, first + dt.timedelta(days=n), SEED) for n in range((last - first).days + 1)]
    at = pl.col("occurred_at").dt.epoch("s")
    return {name: pl.concat([one[name] for one in births]).filter(at >= start_s, at < end_s) for name in SUBJECTS}


def together(pieces: Iterable[Events]) -> Events:
    """Put pieces together again, in the order in which they came."""
    held = list(pieces)
    empty = {name: pl.DataFrame(schema=subject.columns) for name, subject in SUBJECTS.items()}
    return {
        name: pl.concat([empty[name], *(piece[name].select(empty[name].columns) for piece in held if name in piece)])
        for name in SUBJECTS
    }


def assert_same(told: Events, wanted: Events) -> None:
    for name in SUBJECTS:
        assert_frame_equal(in_order(told[name]), in_order(wanted[name]))


def in_order(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort("entity", "occurred_at", "type", "id")


class Clock:
    """A clock that moves on by what comes next each time it is looked at."""

    def __init__(self, begin_s: float, steps_s: Iterable[float]) -> None:
        self.now_s, self._steps_s = begin_s, iter(steps_s)

    def __call__(self) -> float:
        self.now_s += next(self._steps_s)
        return self.now_s


def paced(traffic: Traffic, clock: Clock, **options: object) -> Pacer:
    """Give a pacer that never really waits: the clock moves by itself."""
    pacer = Pacer(traffic, clock=clock, **options)  # type: ignore[arg-type]
    pacer.stop.wait = lambda _=None: False  # type: ignore[method-assign, assignment]
    return pacer


# The same events


@pytest.mark.parametrize(
    ("zone_name", "date"),
    [("Asia/Shanghai", WEDNESDAY), ("America/New_York", SPRING), ("America/New_York", AUTUMN)],
)
def test_traffic_holds_what_the_days_hold_in_order_of_time_and_across_midnight(zone_name: str, date: dt.date) -> None:
    city = City(zone=zone_name, tickets_per_day=150, calls_per_day=80)
    start_s, end_s = local_s(date, 13, city=city), local_s(date + dt.timedelta(days=2), 5, city=city)
    told = Traffic(city, SEED, start_s, days_before=10).until(end_s)
    assert_same(told, expected(city, start_s, end_s, days_before=10))
    for events in told.values():
        assert len(events) > 50
        assert events["occurred_at"].is_sorted()


def test_with_the_longest_life_before_it_nothing_is_missing_from_the_first_second() -> None:
    start_s, end_s = local_s(WEDNESDAY, 9), local_s(WEDNESDAY, 17)
    told = Traffic(TINY, SEED, start_s, days_before=LIFE_DAYS_MAX).until(end_s)
    longer = Traffic(TINY, SEED, start_s, days_before=LIFE_DAYS_MAX + 5).until(end_s)
    assert_same(told, longer)
    assert told["tickets"]["born_at"].dt.date().n_unique() > 10


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(-7200, 60_000, allow_nan=False), max_size=12))
def test_wherever_traffic_is_cut_it_is_the_same(moves_s: list[float]) -> None:
    start_s = local_s(WEDNESDAY, 15)
    end_s = start_s + 100_000
    traffic = Traffic(TINY, SEED, start_s, days_before=1)
    cuts = [min(at, end_s) for at in itertools.accumulate(moves_s, initial=float(start_s))]
    pieces = [traffic.until(cut) for cut in [*cuts, end_s]]
    assert_same(together(pieces), expected(TINY, start_s, end_s, days_before=1))
    for cut, piece in zip(cuts, pieces, strict=False):
        for events in piece.values():
            assert (events["occurred_at"].dt.epoch("s") < cut).all()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(0, 4_000), max_size=3), st.floats(0.5, 600), st.sampled_from([Mishaps(), BADLY]))
def test_at_any_pace_and_after_any_pause_it_is_the_same(steps_s: list[float], speed: float, mishaps: Mishaps) -> None:
    start_s = local_s(WEDNESDAY, 15)
    end_s = start_s + 40_000
    clock = Clock(0.0, itertools.cycle([step_s / speed for step_s in (*steps_s, 1_000.0)]))
    traffic = Traffic(TINY, SEED, start_s, days_before=1)
    pacer = paced(traffic, clock, speed=speed, end_s=end_s, ahead=True, delivery=Delivery(mishaps, SEED))
    told = together(pacer)
    whole = Traffic(TINY, SEED, start_s, days_before=1).until(end_s)
    delivery = Delivery(mishaps, SEED)
    at_once = together([delivery.arriving(whole, end_s), delivery.rest()])
    for name in SUBJECTS:
        if not mishaps:
            assert told[name]["occurred_at"].is_sorted()
        assert_frame_equal(in_order(told[name]), in_order(at_once[name]))


def test_another_seed_is_other_traffic_and_the_same_seed_the_same() -> None:
    start_s = local_s(WEDNESDAY)
    one, same, other = (Traffic(TINY, seed, start_s, days_before=0).until(start_s + 80_000) for seed in (1, 1, 2))
    assert_same(one, same)
    assert not set(one["calls"]["entity"]) & set(other["calls"]["entity"])


def test_a_negative_number_of_days_before_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 days before"):
        Traffic(TINY, SEED, local_s(WEDNESDAY), days_before=-1)


# The pace


def test_simulated_time_runs_as_many_times_as_fast_as_the_clock() -> None:
    start_s = local_s(WEDNESDAY, 10)
    clock = Clock(1_000.0, itertools.repeat(5.0))
    pacer = paced(Traffic(TINY, SEED, start_s, days_before=0), clock, speed=60, ahead=True)
    for piece in itertools.islice(pacer, 5):
        due_s = start_s + 60 * (clock.now_s - 1_005)
        for events in piece.values():
            assert (events["occurred_at"].dt.epoch("s") < due_s).all()
        assert pacer.simulated_s == due_s


def test_events_do_not_come_before_their_time_when_the_clock_may_not_be_passed() -> None:
    start_s = local_s(WEDNESDAY, 10)
    clock = Clock(start_s + 1_800, itertools.repeat(0.5))
    for speed in (0.0, 1000.0):
        pacer = paced(Traffic(TINY, SEED, start_s, days_before=0), clock, speed=speed)
        for piece in itertools.islice(pacer, 5):
            for events in piece.values():
                assert (events["occurred_at"].dt.epoch("s") < clock.now_s).all()
        assert pacer.simulated_s > start_s + 1_800


def test_after_a_pause_it_says_how_far_behind_it_is_and_catches_up() -> None:
    start_s = local_s(WEDNESDAY, 10)
    day_s = 86_400.0
    clock = Clock(start_s, itertools.chain([600.0, 600.0, day_s], itertools.repeat(1.0)))
    pacer = paced(Traffic(TINY, SEED, start_s, days_before=0), clock)
    behind = []
    for _ in pacer:
        behind.append(pacer.behind_s)
        if len(behind) > 3 and pacer.behind_s < 600:
            break
    assert pacer.simulated_s > start_s + day_s
    assert behind[:2] == [600, day_s]
    assert behind[1:] == sorted(behind[1:], reverse=True)


def test_no_piece_holds_more_than_a_quarter_of_a_day() -> None:
    start_s = local_s(WEDNESDAY)
    pacer = Pacer(Traffic(TINY, SEED, start_s, days_before=0), speed=0, end_s=start_s + 3 * 86_400, ahead=True)
    times = [events["occurred_at"] for piece in pacer for events in piece.values()]
    assert len(times) > 10
    assert all((at.max() - at.min()) < dt.timedelta(seconds=STEP_S_MAX) for at in times)  # type: ignore[operator]


def test_a_stopped_pacer_gives_what_was_held_back_and_no_more() -> None:
    start_s = local_s(WEDNESDAY, 8)
    late = Delivery(Mishaps(late=1.0, late_s_max=86_400), SEED)
    clock = Clock(0.0, itertools.repeat(600.0))
    pacer = paced(Traffic(TINY, SEED, start_s, days_before=0), clock, ahead=True, delivery=late)
    told = []
    for piece in pacer:
        told.append(piece)
        if pacer.simulated_s > start_s + 20_000:
            pacer.stop.set()
    assert late.waiting == 0
    assert_same(together(told), expected(TINY, start_s, pacer.simulated_s, days_before=0))


@pytest.mark.parametrize("speed", [-1.0, float("nan")])
def test_a_speed_that_leads_nowhere_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="goes nowhere"):
        Pacer(Traffic(TINY, SEED, local_s(WEDNESDAY), days_before=0), speed=speed)


# Mishaps


def test_mishaps_happen_to_about_the_share_that_was_asked_for() -> None:
    start_s, end_s = local_s(WEDNESDAY), local_s(WEDNESDAY + dt.timedelta(days=1))
    events = Traffic(CITY.scaled(3_000, 1_500), SEED, start_s, days_before=0).until(end_s)
    delivery = Delivery(Mishaps(duplicates=0.1, late=0.2, disorder=0.3, late_s_max=600), SEED)
    sent = [delivery.arriving(events, end_s), delivery.rest()]
    for name in SUBJECTS:
        came = pl.concat([piece[name] for piece in sent])
        delays = came.select((pl.col(ARRIVES) - pl.col("occurred_at").dt.epoch("s")).alias("s"))["s"]
        first = came.with_columns(delays).sort("s").unique(["entity", "type", "occurred_at"], keep="first")
        assert len(came) / len(events[name]) == pytest.approx(1.1, abs=0.02)
        assert (first["s"] > 6).mean() == pytest.approx(0.2, abs=0.03)
        assert ((first["s"] > 0) & (first["s"] <= 6)).mean() == pytest.approx(0.24, abs=0.03)
        assert 0 <= delays.min() <= delays.max() <= 1_201  # type: ignore[operator]
        assert not came["occurred_at"].is_sorted()


@settings(max_examples=12, deadline=None)
@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 200_000),
    st.lists(st.integers(1, 40_000), max_size=6),
    st.integers(0, 2**32),
)
def test_no_mishap_changes_a_row(
    duplicates: float, late: float, disorder: float, late_s_max: int, cuts_s: list[int], seed: int
) -> None:
    """Rows are folded from the sets of events, so equal rows are an equal database."""
    start_s = local_s(WEDNESDAY, 9)
    end_s = start_s + 60_000
    mishaps = Mishaps(duplicates=duplicates, late=late, disorder=disorder, late_s_max=late_s_max)
    traffic, delivery = Traffic(TINY, SEED, start_s, days_before=2), Delivery(mishaps, seed)
    cuts = sorted({min(start_s + cut, end_s) for cut in cuts_s} | {end_s})
    came = together([*(delivery.arriving(traffic.until(cut), cut) for cut in cuts), delivery.rest()])
    assert delivery.waiting == 0
    wanted = expected(TINY, start_s, end_s, days_before=2)
    for name, subject in SUBJECTS.items():
        rows = [_rows(name, events) for events in (came[name], wanted[name])]
        assert_frame_equal(rows[0], rows[1])
        assert len(came[name]) >= len(wanted[name])
        assert_frame_equal(in_order(came[name].unique()), in_order(wanted[name].select(list(subject.columns))))


def _rows(name: str, events: pl.DataFrame) -> pl.DataFrame:
    """Fold the set of these events, as measure does: each member once."""
    keyed = with_keys(SUBJECTS[name], complete(SUBJECTS[name], events))
    return fold(SUBJECTS[name], keyed.unique(["source", "entity", "event_key", "revision", "digest"])).sort("entity")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"late": 1.5}, "late is 1.5"), ({"duplicates": -0.1}, "duplicates"), ({"late_s_max": 0}, "0 s")],
)
def test_shares_that_are_none_are_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Mishaps(**wrong)  # type: ignore[arg-type]


# Up to now, and from now on


def test_the_past_at_once_and_the_rest_as_it_happens_are_one_traffic() -> None:
    start_s, now_s = local_s(WEDNESDAY), local_s(WEDNESDAY + dt.timedelta(days=1), 11)
    past, rest = live(TINY, SEED, start_s=start_s, now_s=now_s, days_before=3)
    loaded = together(batch.frames for batch in past)
    assert_same(loaded, expected(TINY, start_s, now_s, days_before=3))
    rest._clock = Clock(now_s + 40, itertools.repeat(60.0))
    rest.stop.wait = lambda _=None: False  # type: ignore[method-assign, assignment]
    going_on = []
    for piece in rest:
        going_on.append(piece)
        if rest.simulated_s > now_s + 30_000:
            break
    assert_same(together(going_on), expected(TINY, now_s, rest.simulated_s, days_before=4))


# Memory


def test_what_endless_traffic_keeps_in_memory_stops_growing() -> None:
    start_s = local_s(WEDNESDAY)
    traffic = Traffic(TINY, SEED, start_s, days_before=0)
    pending, given_out = [], 0
    for n in range(1, 64):
        given_out += sum(map(len, traffic.until(start_s + n * 86_400).values()))
        pending.append(traffic.pending)
    assert given_out > 50_000
    assert max(pending[44:]) < 1.15 * max(pending[22:44])
    assert min(pending[44:]) > 0


def test_nothing_that_was_given_out_is_pending() -> None:
    start_s, end_s = local_s(WEDNESDAY), local_s(WEDNESDAY + dt.timedelta(days=1))
    city = TINY.scaled(0, 500)  # calls end within the day
    traffic = Traffic(city, SEED, start_s, days_before=0)
    of_day = sum(map(len, day(city, WEDNESDAY, SEED).values()))
    assert traffic.pending == of_day > 0
    assert sum(map(len, traffic.until(start_s + 43_200).values())) == of_day - traffic.pending > 0
    traffic.until(end_s)
    assert traffic.pending < 10


# JSON


def test_json_lines_are_the_events_in_order_of_arrival_with_local_times() -> None:
    start_s = local_s(WEDNESDAY, 9)
    events = Delivery().arriving(Traffic(TINY, SEED, start_s, days_before=2).until(start_s + 7_200), start_s + 7_200)
    lines = [json.loads(line) for line in json_lines([events], TINY.zone)]
    assert len(lines) == sum(map(len, events.values())) > 20
    times = [dt.datetime.fromisoformat(line["occurred_at"]) for line in lines]
    assert times == sorted(times)
    assert all(line["occurred_at"].endswith("+08:00") and line["born_at"] for line in lines)
    assert {line["type"].partition(".")[0] for line in lines} >= {"call", "ticket"}
    assert all(None not in line.values() and ARRIVES not in line and "revision" not in line for line in lines)


def test_blocks_of_traffic_hold_the_columns_of_blocks_only() -> None:
    start_s, _ = bounds_s(WEDNESDAY, TINY.zone)
    events = Delivery(BADLY, SEED).arriving(Traffic(TINY, SEED, start_s).until(start_s + 50_000), start_s + 50_000)
    for name, frame in events.items():
        assert ARRIVES in frame.columns
        for block in pack(SUBJECTS[name], frame, 2):
            assert ARRIVES not in block.events.columns
