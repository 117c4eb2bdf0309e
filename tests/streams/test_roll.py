"""Live values against rows read one at a time: any instants, in any order of arrival, over restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.accept import DeploymentError, GapError
from hotline.catalogue import KPIS, Grain, measures
from hotline.contributions import Changes, contributions
from hotline.current import Current
from hotline.names import MEASURED_TOPICS
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import ALL_MINUTES, DAY_S, HOUR_S, NOW, WINDOWS, recent_from, span
from streams.roll.publishing import Publisher
from streams.roll.snapshot import restored, save
from streams.roll.snapshot import take as taken
from streams.roll.state import AstrayError
from tests.hotline.random_events import BIRTHS, STEPS_S
from tests.hotline.random_rows import rows
from tests.streams.rolled import (
    ENTITIES,
    PIECES,
    SEED,
    changes,
    empty_state,
    merged,
    of_record,
    of_something,
    output,
    random_state,
    take,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")
_EDGES_S = (-60, -1, 0, 1, 59, 60, 240, 299, 300, 1_740, 3_600, DAY_S, 7 * DAY_S - 60, 7 * DAY_S)
INSTANTS = sorted({int(b.timestamp()) + s + e for b in BIRTHS for s in (0, max(STEPS_S)) for e in _EDGES_S})

instants = st.sampled_from(INSTANTS)


@given(
    zone=st.sampled_from(ZONES),
    moves=st.lists(instants, min_size=PIECES + 1, max_size=PIECES + 1).map(sorted),
    order=st.permutations(range(PIECES + 1)),
    replay=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_every_value_is_that_of_the_rows_whenever_they_came(
    zone: str, moves: list[int], order: list[int], *, replay: bool
) -> None:
    minutes_from = ALL_MINUTES if replay else recent_from(moves[0], zone)
    state = empty_state(zone, moves[0])
    publisher = Publisher(state)
    records = [publisher.everything(moves[0] * 1000)]
    for at_s, place in zip(moves, order, strict=True):
        state.move(at_s)
        for subject in SUBJECTS.values():
            take(state, subject, changes(subject, zone, minutes_from)[place], minutes_from)
        if record := publisher.changed(at_s * 1000):
            records.append(record)
    expected = values(zone, moves[-1])
    assert merged(records) == expected
    assert merged([publisher.everything(moves[-1] * 1000)]) == expected


def test_random_rows_fill_every_window_and_every_kind_of_scope() -> None:
    """Or the test above would say little."""
    found = set[tuple[str, str]]()
    for at_s in INSTANTS[:: len(INSTANTS) // 12]:
        found |= {(window, kind) for _, window, kind, _ in values(ZONES[0], at_s)}
    assert found >= {(window.name, kind) for window in WINDOWS for kind in ("all", "line", "department", "category")}


def test_a_kpi_whose_sums_are_not_filled_has_no_live_value_anywhere() -> None:
    state, without = random_state(), "calls_offered"
    record = Publisher(state, [without]).everything(1_800_000_000_000)
    whole = of_record(Publisher(state).everything(1_800_000_000_000))
    assert of_record(record) == {key: value for key, value in whole.items() if key[0] != without} != whole
    current = Current()
    current.take(record, 0)
    assert current.scopes("line")
    for name, known in ((without, False), ("calls_abandoned", True)):
        figures = [current.figure(KPIS[name], "7d", "line", scope) for scope in current.scopes("line")]
        assert {figure is not None for figure in figures} == {known}


def test_outputs_that_lack_a_column_bring_all_others() -> None:
    """A worker of another catalogue made them."""
    subject, lost = SUBJECTS["tickets"], measures(SUBJECTS["tickets"])[0].column
    at_s = int(BIRTHS[0].timestamp()) + DAY_S
    whole, lacking = empty_state(ZONES[0], at_s), empty_state(ZONES[0], at_s)
    for piece in changes(subject, ZONES[0], ALL_MINUTES):
        take(whole, subject, piece, ALL_MINUTES)
        without = Changes(*(sums.drop(lost) for sums in piece))
        take(lacking, subject, without, ALL_MINUTES)
    names = [name for name in KPIS if lost not in {one.column for one in KPIS[name].measures}]
    found, expected = (
        {key: value for key, value in merged([Publisher(state).everything(at_s * 1000)]).items() if key[0] in names}
        for state in (lacking, whole)
    )
    assert found == expected
    assert found


@pytest.mark.parametrize("later_s", [0, 61, 3 * HOUR_S, 8 * DAY_S])
def test_a_snapshot_goes_on_where_it_was_taken(tmp_path: Path, later_s: int) -> None:
    zone, at_s = ZONES[0], INSTANTS[len(INSTANTS) // 2]
    minutes_from = recent_from(at_s, zone)
    state = empty_state(zone, at_s)
    for subject in SUBJECTS.values():
        for piece in changes(subject, zone, minutes_from)[:3]:
            take(state, subject, piece, minutes_from)
    save(tmp_path / "roll" / "state", taken(state), zone)
    again = restored(tmp_path / "roll" / "state", ZoneInfo(zone), at_s + later_s)
    assert again is not None
    assert again.read == state.read
    for each in (state, again):
        each.move(at_s + later_s)
        for subject in SUBJECTS.values():
            for piece in changes(subject, zone, minutes_from)[3:]:
                take(each, subject, piece, minutes_from)
    found = [merged([Publisher(each).everything(0)]) for each in (state, again)]
    assert found[0] == found[1] == values(zone, at_s + later_s)


def test_a_snapshot_of_another_zone_or_catalogue_is_none(tmp_path: Path) -> None:
    file = tmp_path / "state"
    assert restored(file, ZoneInfo("UTC"), 0) is None
    save(file, taken(empty_state("UTC", 0)), "UTC")
    assert restored(file, ZoneInfo("UTC"), 0) is not None
    assert restored(file, ZoneInfo(ZONES[0]), 0) is None
    column = measures(SUBJECTS["calls"])[0].column.encode()
    file.write_bytes(file.read_bytes().replace(column, b"x" * len(column)))
    assert restored(file, ZoneInfo("UTC"), 0) is None
    file.write_bytes(b"\x00 no snapshot")
    assert restored(file, ZoneInfo("UTC"), 0) is None


def test_outputs_are_taken_by_the_common_rule() -> None:
    """A repeat moves the position and nothing else; gap, stray and older deployment are errors and change nothing."""
    zone, subject = ZONES[0], SUBJECTS["tickets"]
    at, at_s = (MEASURED_TOPICS["tickets"], 0), int(BIRTHS[0].timestamp()) + DAY_S
    state = empty_state(zone, at_s)
    pieces = changes(subject, zone, ALL_MINUTES)
    first, second = (
        output(subject, piece, ALL_MINUTES, source=place, deployment=2, output_id=place + 2, upon=place + 1).encode()
        for place, piece in enumerate(pieces[:2])
    )
    state.take(at, 0, first)
    state.take(at, 1, second)
    before, known = merged([Publisher(state).everything(0)]), state.read[at]
    assert before
    assert (known.offset, known.accepted.next_offset, known.newest_at) == (2, 2, 1)
    for offset, again in ((2, first), (3, second)):
        state.take(at, offset, again)
        assert state.read[at] == msgspec.structs.replace(known, offset=offset + 1)
    known = state.read[at]
    with pytest.raises(GapError, match="outputs between them are missing"):
        state.take(at, 4, output(subject, pieces[2], ALL_MINUTES, source=3, deployment=2).encode())
    with pytest.raises(AstrayError, match="offset 4 follows another output"):
        state.take(at, 4, output(subject, pieces[2], ALL_MINUTES, source=2, deployment=2, upon=2).encode())
    with pytest.raises(DeploymentError, match="deployment 1 writes after 2"):
        state.take(at, 4, output(subject, pieces[2], ALL_MINUTES, source=2, deployment=1).encode())
    assert (merged([Publisher(state).everything(0)]), state.read[at]) == (before, known)
    state.take(at, 4, output(subject, pieces[2], ALL_MINUTES, source=2, deployment=3).encode())
    assert merged([Publisher(state).everything(0)]) != before
    assert (state.read[at].offset, state.read[at].accepted.deployment) == (5, 3)


def test_a_count_of_nothing_is_a_value_from_the_first_event_of_the_day_on() -> None:
    """In changes as in full records, of the city as of any scope; a stock's of nothing once there was any event."""
    zone, tickets = ZoneInfo("Asia/Shanghai"), SUBJECTS["tickets"]
    midnight_s = int(datetime(2026, 3, 2, tzinfo=zone).timestamp())
    nothing = Changes(*(sums.clear() for sums in changes(tickets, zone.key, ALL_MINUTES)[0]))
    state = empty_state(zone.key, midnight_s - 600)
    publisher, following = Publisher(state), Current()
    following.take(publisher.everything(0), 0)

    def said(at_s: int, *, newest_at: int | None = None) -> dict[str, float | None]:
        """Read some counts at an instant, after an output that brings an event and changes no sum."""
        state.move(at_s)
        if newest_at is not None:
            take(state, tickets, nothing, ALL_MINUTES, newest_at=newest_at)
        if record := publisher.changed(at_s * 1000):
            following.take(record, 1)
        joining = Current()
        joining.take(Publisher(state).everything(at_s * 1000), 2)
        asked = {"5min": "tickets_created", "today": "tickets_created", "7d": "calls_offered", NOW: "tickets_open"}
        (found,) = {
            tuple(known.figure(KPIS[name], window, *scope).value for window, name in asked.items())  # type: ignore[union-attr]
            for known in (following, joining)
            for scope in (("all", ""), ("district", "not heard of"))
        }
        return dict(zip(asked, found, strict=True))

    before_any = {"5min": None, "today": None, "7d": None, NOW: None}
    assert said(midnight_s - 600) == before_any
    assert said(midnight_s - 600, newest_at=midnight_s - 601) == before_any | {"5min": 0, "today": 0, NOW: 0}
    assert said(midnight_s + 60) == before_any | {"5min": 0, NOW: 0}  # minutes before midnight are in it
    assert said(midnight_s + 600) == before_any | {NOW: 0}
    assert said(midnight_s + 600, newest_at=midnight_s) == before_any | {"5min": 0, "today": 0, NOW: 0}


def test_windows_slide_when_nothing_comes_and_are_silent_when_nothing_changes() -> None:
    zone = ZONES[0]
    subject = SUBJECTS["tickets"]
    at_s = int(BIRTHS[0].timestamp())
    state = empty_state(zone, at_s)
    publisher = Publisher(state)
    for piece in changes(subject, zone, ALL_MINUTES):
        take(state, subject, piece, ALL_MINUTES)
    first = publisher.everything(at_s * 1000)
    publisher.values_offset = 17
    assert publisher.changed(at_s * 1000 + 500) is None
    empty = publisher.everything(at_s * 1000 + 900)
    assert (empty.full, empty.values, empty.values_offset) == (True, b"", 17)
    state.move(at_s + 7 * DAY_S)
    slid = publisher.changed((at_s + 7 * DAY_S) * 1000)
    assert slid is not None
    assert merged([first, slid]) == of_something(_of_tickets(values(zone, at_s + 7 * DAY_S)))


def _of_tickets(found: dict[tuple[str, str, str, str], tuple[int, int | None, float | int | None]]) -> dict:  # type: ignore[type-arg]
    from hotline.catalogue import KPIS

    return {key: value for key, value in found.items() if KPIS[key[0]].subject is SUBJECTS["tickets"]}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
@pytest.mark.parametrize("zone", ZONES)
def test_recent_minutes_are_what_stands_by_the_hour_and_add_up_to_it(subject: Subject, zone: str) -> None:
    new = rows(subject, SEED, ENTITIES)
    found = contributions(subject, new, new.clear(), zone, minutes_from=ALL_MINUTES)
    kept = {
        kind: [m.column for m in measures(subject) if m.grains.get(kind) is Grain.HOUR]
        for kind in found.recent["scope_kind"].unique()
    }
    assert kept
    for kind, columns in kept.items():
        by_hour = found.sums.filter(pl.col("scope_kind") == kind)
        by_minute = found.recent.filter(pl.col("scope_kind") == kind)
        assert _total(by_minute, columns) == _total(by_hour, columns)
        others = [m.column for m in measures(subject) if m.column not in columns]
        assert not any(_total(by_minute, others).values())


def _total(frame: pl.DataFrame, columns: Iterable[str]) -> dict[str, int]:
    return {column: int(frame[column].sum()) for column in columns}


def test_recent_minutes_begin_with_a_local_hour_eight_days_before() -> None:
    at = datetime(2026, 3, 3, 12, 34, 56, tzinfo=UTC)
    for zone in (*ZONES, "Asia/Kolkata"):
        local = datetime.fromtimestamp(recent_from(int(at.timestamp()), zone), ZoneInfo(zone))
        assert (local.minute, local.second) == (0, 0)
        assert timedelta(days=8) <= at - local < timedelta(days=8, hours=1)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-11-01", 16), ("2026-11-02", 15), ("2023-03-12", 14)],
    ids=["clocks went back", "they did not", "clocks went forward"],
)
def test_the_running_minute_counts_as_a_whole_and_today_begins_at_midnight(day: str, hours: int) -> None:
    zone = ZoneInfo("America/New_York")
    at = datetime.fromisoformat(f"{day}T15:00:30").replace(tzinfo=zone)
    spans = {window.name: span(window, int(at.timestamp()), zone) for window in WINDOWS}
    end = int(at.timestamp()) + 30
    assert {stop for _, stop in spans.values()} == {end}
    assert spans["5min"][0] == end - 300
    assert datetime.fromtimestamp(spans["today"][0], zone) == datetime.fromisoformat(day).replace(tzinfo=zone)
    assert end - spans["today"][0] == hours * HOUR_S + 60
