"""Deadlines and elapsed working time are what two readings, four engines and the State Council say."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotline.working_time import (
    UNKNOWN,
    Calendar,
    Hours,
    Rule,
    Term,
    UnknownYearError,
    WorkingTimeError,
    chinese,
    due_s,
)
from hotline.working_time.calendar_file import CalendarFile, calendar_of
from hotline.working_time.deadlines import deadlines_s
from hotline.working_time.rule import Unit
from tests.hotline.naive_working_time import DAYS, Naive

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SLA = json.loads((DATA / "sla_cases" / "cases.json").read_text(encoding="utf-8"))
NEW_YORK, SHANGHAI = "America/New_York", "Asia/Shanghai"


def calendar(content: dict[str, Any]) -> Calendar:
    return calendar_of(msgspec.convert(content, CalendarFile), "a file")


def content(zone: str, first: date, last: date, week: dict[str, Any], **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"breaks": [], "holidays": [], "extra_days": [], "extra_hours": []}
    named = {"format": 1, "name": "of a test", "version": 1, "zone": zone, "first_day": first, "last_day": last}
    return {**named, "week": week, **empty, **more}


def epoch_s(local: datetime) -> int:
    return int(local.timestamp())


def one(answers: np.ndarray[Any, Any]) -> int:
    (found,) = answers.tolist()
    return int(found)


def array(*instants: int) -> np.ndarray[Any, Any]:
    return np.array(instants, np.int64)


# -- what other engines and the notices say ----------------------------------------------------------------------------


def _sla_hours(case: dict[str, Any]) -> Hours:
    given = SLA["calendars"].get(case.get("calendar")) or case
    holidays = [date.fromisoformat(day) for day in given["holidays"]]
    made = calendar(content(given["tz"], date(2012, 1, 1), date(2017, 12, 31), given["hours"], holidays=holidays))
    assert made.hours is not None
    return made.hours.without([(_utc_s(start), _utc_s(end)) for start, end in case["pauses"]])


def _utc_s(text: str) -> int:
    return epoch_s(datetime.strptime(text.removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC))


def test_there_are_sixty_cases_of_other_engines() -> None:
    assert len(SLA["cases"]) == 60
    assert {case["kind"] for case in SLA["cases"]} == {"add_working_time", "working_time_between"}


@pytest.mark.parametrize("case", SLA["cases"], ids=lambda case: case["id"])
def test_another_engine_gives_the_same(case: dict[str, Any]) -> None:
    hours, start = _sla_hours(case), array(_utc_s(case["start"]))
    if case["kind"] == "add_working_time":
        assert one(hours.after(start, case["minutes"] * 60)) == _utc_s(case["expected"])
    else:
        assert one(hours.between(start, array(_utc_s(case["end"])))) // 60 == case["expected_minutes"]


def test_the_chinese_calendar_agrees_with_the_notices_on_every_day() -> None:
    with (DATA / "calendar" / "cn_days.csv").open(encoding="utf-8") as file:
        noticed = {date.fromisoformat(row["date"]): row["is_workday"] == "1" for row in csv.DictReader(file)}
    assert len(noticed) == 3_287
    assert {day: day in chinese().working for day in noticed} == noticed


# -- two readings ------------------------------------------------------------------------------------------------------

SPRING, AUTUMN = (date(2024, 2, 20), date(2024, 4, 8)), (date(2024, 10, 20), date(2024, 11, 20))
"""Around the leap day and the changes of clocks in 2024: 10 and 31 March, 7 April; 27 October, 3 November."""
ZONES = [NEW_YORK, SHANGHAI, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana"]


@st.composite
def spans(draw: st.DrawFn, *, count_min: int = 0) -> list[tuple[str, str]]:
    edges = st.sampled_from([0, 60, 90, 120, 125, 150, 180, 540, 720, 810, 1020, 1380, 1440]) | st.integers(0, 288).map(
        lambda n: n * 5
    )
    cuts = draw(st.lists(edges, min_size=2 * count_min, max_size=6, unique=True).map(sorted))
    clocks = [f"{cut // 60:02}:{cut % 60:02}" for cut in cuts]
    return list(zip(clocks[::2], clocks[1::2], strict=False))


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    first, last = draw(st.sampled_from([SPRING, AUTUMN]))
    inside = st.dates(first, last)
    week = draw(st.dictionaries(st.sampled_from(DAYS), spans(), min_size=1))
    week["sun"] = draw(spans(count_min=1))
    holidays = draw(st.lists(inside, max_size=3, unique=True))
    extra = draw(st.lists(inside.filter(lambda day: day not in holidays), max_size=2, unique=True))
    more = {"holidays": holidays, "extra_days": extra, "extra_hours": draw(spans(count_min=1))}
    return content(draw(st.sampled_from(ZONES)), first, last, week, breaks=draw(spans()), **more)


def _instants(given: dict[str, Any]) -> st.SearchStrategy[int]:
    """Any second, and the seconds about midnights and changes of hours, from two days before to two days after."""
    zone = ZoneInfo(given["zone"])
    start, end = given["first_day"] - timedelta(days=2), given["last_day"] + timedelta(days=2)
    clocks = {"00:00", "12:00"} | {clock for spans in given["week"].values() for span in spans for clock in span}
    at_edges = st.builds(
        lambda day, clock, step, fold: (
            epoch_s(datetime(day.year, day.month, day.day, int(clock[:2]) % 24, int(clock[3:]), tzinfo=zone, fold=fold))
            + step
        ),
        st.dates(start, end),
        st.sampled_from(sorted(clocks)),
        st.integers(-1, 1),
        st.integers(0, 1),
    )
    low, high = (epoch_s(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in (start, end))
    return at_edges | st.integers(low, high)


def _made(given: dict[str, Any]) -> Calendar | None:
    """The calendar, None where the breaks leave no hours at all."""
    try:
        return calendar(given)
    except WorkingTimeError as error:
        assert "no day has any hours" in str(error)  # noqa: PT017 any other error must fail the test
        return None


def test_a_shift_past_midnight_closes_its_first_day_at_midnight() -> None:
    content = {
        "format": 1,
        "name": "nights",
        "version": 1,
        "zone": "America/New_York",
        "first_day": date(2024, 2, 20),
        "last_day": date(2024, 4, 8),
        "week": {"mon": [("00:00", "24:00")], "tue": [("00:00", "01:00")]},
        "breaks": [],
        "holidays": [],
        "extra_days": [],
        "extra_hours": [],
    }
    made = _made(content)
    assert made is not None
    wednesday, *closings = (
        int(datetime(2024, month, day, hour, tzinfo=ZoneInfo("America/New_York")).timestamp())
        for month, day, hour in ((2, 28, 9), (3, 5, 0), (3, 5, 1))
    )
    terms = (Term(within=days, unit="working_days", from_="receipt", ends="closing") for days in (1, 2))
    assert [due_s(term, made, array(wednesday)).tolist() for term in terms] == [[closing] for closing in closings]


TERMS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "unit": st.sampled_from(["working_days", "working_hours", "calendar_days", "calendar_hours"]),
        "within": st.integers(1, 9),
        "begins": st.sampled_from(["receipt", "next_day", "next_working_day"]),
        "ends": st.sampled_from(["day", "closing"]),
    }
).filter(lambda term: term["ends"] == "day" or term["unit"] == "working_days")


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_two_readings_agree_on_any_deadline(data: st.DataObject) -> None:
    given_ = data.draw(contents())
    made, naive = _made(given_), Naive(given_)
    if made is None:
        return
    receipts = data.draw(st.lists(_instants(given_), min_size=1, max_size=6))
    named = data.draw(TERMS)
    term = Term(within=named["within"], unit=named["unit"], from_=named["begins"], ends=named["ends"])
    found = [None if due == UNKNOWN else due for due in due_s(term, made, array(*receipts)).tolist()]
    if named["unit"] != "working_hours":
        assert found == [naive.due(at, **named) for at in receipts]
        return
    for at, due in zip(receipts[:2], found, strict=False):
        assert due == naive.due(at, **named)


def test_of_a_hundred_thousand_receipts_each_has_the_deadline_that_it_has_alone_or_among_others() -> None:
    week = {day: [("09:00", "12:00"), ("13:30", "17:30")] for day in DAYS[:5]}
    made = calendar(content(NEW_YORK, date(2024, 1, 1), date(2024, 12, 31), week, holidays=[date(2024, 7, 4)]))
    first, last = (epoch_s(datetime(year, 1, 1, tzinfo=ZoneInfo(NEW_YORK))) for year in (2024, 2025))
    draw = np.random.default_rng(7)
    receipt_s = draw.integers(first - 86_400, last, 100_000)  # a few lie before the calendar begins, some dues after it
    terms = [
        Term(within=3, unit="working_days"),
        Term(within=2, unit="working_days", ends="closing"),
        Term(within=30, unit="working_hours", from_="receipt"),
        Term(within=5, unit="calendar_days", from_="next_day"),
        Term(within=36, unit="calendar_hours", from_="receipt"),
    ]
    place = draw.integers(0, len(terms), len(receipt_s))
    rule = Rule(format=1, name="of a test", version=1, terms=terms)
    found = deadlines_s(rule, made, receipt_s, place)
    assert 100 < (found == UNKNOWN).sum() < 10_000
    cuts = np.flatnonzero(draw.random(len(receipt_s)) < 0.05)
    pieces = zip(np.split(receipt_s, cuts), np.split(place, cuts), strict=True)
    assert len(cuts) > 4_000
    assert np.array_equal(np.concatenate([deadlines_s(rule, made, *piece) for piece in pieces]), found)
    alone = slice(0, 2_000)
    single = [one(due_s(terms[at], made, array(s))) for s, at in zip(receipt_s[alone], place[alone], strict=True)]
    assert single == found[alone].tolist()


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_two_readings_agree_on_any_time_elapsed(data: st.DataObject) -> None:
    given_ = data.draw(contents())
    made, naive = _made(given_), Naive(given_)
    if made is None:
        return
    start, end = sorted(data.draw(st.tuples(_instants(given_), _instants(given_))))
    days, worked = one(made.workdays(array(start), array(end))), one(made.worked_s(array(start), array(end)))
    expected = naive.workdays(start, end)
    assert days == (UNKNOWN if expected is None else expected)
    assert worked == (UNKNOWN if expected is None else naive.between(start, end))
    if expected is not None:
        assert one(made.worked_s(array(end), array(start))) == -worked
        assert one(made.workdays(array(end), array(start))) == 0 or start == end


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_deadline_takes_the_time_it_was_given(data: st.DataObject) -> None:
    """The two questions answer each other: what is up after so many seconds has so many seconds in it."""
    given_ = data.draw(contents())
    made = _made(given_)
    if made is None:
        return
    assert made.hours is not None
    start, length = array(data.draw(_instants(given_))), data.draw(st.integers(0, 200_000))
    end = made.hours.after(start, length)
    if one(end) != UNKNOWN:
        assert one(made.hours.between(start, end)) == length
        assert length == 0 or one(made.hours.between(start, end - 1)) == length - 1


# -- cases by hand -----------------------------------------------------------------------------------------------------

WHOLE = {day: [("00:00", "24:00")] for day in DAYS}
OFFICE = {day: [("09:00", "17:00")] for day in DAYS[:5]}


def due(made: Calendar, receipt: str, within: int, unit: str, **more: Any) -> str:
    """The deadline of a receipt on the wall as the wall shows it."""
    zone = ZoneInfo(made.zone)
    words: Any = {"within": within, "unit": unit, **more}
    term = Term(**words)
    at = array(epoch_s(datetime.fromisoformat(receipt).replace(tzinfo=zone)))
    return datetime.fromtimestamp(one(made.require(due_s(term, made, at), at)), zone).isoformat(" ")[:19]


def test_a_working_weekend_counts_and_a_holiday_does_not() -> None:
    # National Day 2023: off from 29 September to 6 October, worked on 7 and 8 October, a weekend.
    assert due(chinese(), "2023-09-28 16:00:00", 1, "working_days") == "2023-10-07 23:59:59"
    assert due(chinese(), "2023-09-28 16:00:00", 3, "working_days") == "2023-10-09 23:59:59"
    assert due(chinese(), "2023-10-02 10:00:00", 1, "working_days", from_="receipt") == "2023-10-07 23:59:59"


def test_a_leap_day_is_a_day() -> None:
    assert due(chinese(), "2024-02-28 08:00:00", 1, "working_days") == "2024-02-29 23:59:59"
    assert due(chinese(), "2024-02-28 08:00:00", 2, "calendar_days", from_="next_day") == "2024-03-01 23:59:59"
    assert due(chinese(), "2023-02-28 08:00:00", 1, "working_days") == "2023-03-01 23:59:59"


def test_midnight_belongs_to_the_day_that_begins() -> None:
    assert due(chinese(), "2024-01-09 23:59:59", 1, "working_days") == "2024-01-10 23:59:59"
    assert due(chinese(), "2024-01-10 00:00:00", 1, "working_days") == "2024-01-11 23:59:59"


def test_working_hours_run_through_a_change_of_clocks() -> None:
    night = calendar(content(NEW_YORK, SPRING[0], AUTUMN[1], WHOLE))
    assert due(night, "2024-03-09 22:00:00", 8, "working_hours", from_="receipt") == "2024-03-10 07:00:00"
    assert due(night, "2024-11-02 22:00:00", 8, "working_hours", from_="receipt") == "2024-11-03 05:00:00"
    assert due(night, "2024-03-09 22:00:00", 1, "working_days") == "2024-03-10 23:59:59"
    day = epoch_s(datetime(2024, 3, 10, tzinfo=ZoneInfo(NEW_YORK)))
    assert one(night.worked_s(array(day), array(day + 23 * 3600))) == 23 * 3600
    assert one(night.workdays(array(day), array(day + 23 * 3600))) == 1


def test_an_hour_that_is_passed_twice_counts_twice_and_one_that_is_skipped_not_at_all() -> None:
    small = calendar(content(NEW_YORK, SPRING[0], AUTUMN[1], {"sun": [("01:00", "03:00")]}))
    for day, hours in ((date(2024, 3, 10), 1), (date(2024, 3, 17), 2), (date(2024, 11, 3), 3)):
        start = epoch_s(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(NEW_YORK)))
        assert one(small.worked_s(array(start), array(start + 12 * 3600))) == hours * 3600


def test_breaks_are_cut_out_of_every_day() -> None:
    office = calendar(content(SHANGHAI, *SPRING, OFFICE, breaks=[("12:00", "13:30")]))
    assert due(office, "2024-02-21 11:30:00", 1, "working_hours", from_="receipt") == "2024-02-21 14:00:00"
    assert due(office, "2024-02-21 12:15:00", 1, "working_hours", from_="receipt") == "2024-02-21 14:30:00"


def test_a_day_ends_with_its_last_second_or_when_it_closes() -> None:
    office = calendar(content(SHANGHAI, *SPRING, OFFICE))
    assert due(office, "2024-02-23 16:59:59", 1, "working_days", ends="closing") == "2024-02-26 17:00:00"
    assert due(office, "2024-02-23 16:59:59", 1, "working_days") == "2024-02-26 23:59:59"
    assert due(office, "2024-02-23 16:00:00", 1, "working_hours", from_="receipt") == "2024-02-23 17:00:00"
    assert due(office, "2024-02-23 16:00:01", 1, "working_hours", from_="receipt") == "2024-02-26 09:00:01"


def test_a_day_that_a_zone_skipped_is_no_working_day() -> None:
    apia = calendar(content("Pacific/Apia", date(2011, 12, 1), date(2012, 1, 31), WHOLE))
    assert due(apia, "2011-12-29 10:00:00", 1, "working_days") == "2011-12-31 23:59:59"
    assert due(apia, "2011-12-29 10:00:00", 2, "working_hours", from_="next_day") == "2011-12-31 02:00:00"


def test_a_day_counts_from_the_one_after_the_dispatch() -> None:
    tuesday = epoch_s(datetime(2024, 1, 9, 23, 59, 59, tzinfo=ZoneInfo(SHANGHAI)))
    later = array(tuesday, tuesday + 1, tuesday + 86_400, tuesday + 86_401, tuesday + 4 * 86_400)
    assert chinese().workdays(array(*[tuesday] * 5), later).tolist() == [0, 1, 1, 2, 3]


# -- what is not known -------------------------------------------------------------------------------------------------


@example(year=2027)
@example(year=2003)
@given(year=st.integers(2027, 2099) | st.integers(1990, 2003))
@settings(max_examples=20, deadline=None)
def test_a_year_that_nobody_announced_is_an_error_with_its_remedy(year: int) -> None:
    at = array(epoch_s(datetime(year, 7, 1, tzinfo=UTC)))
    assert one(chinese().workdays(at, at)) == UNKNOWN
    answers = due_s(Term(within=1, unit="working_days"), chinese(), at)
    with pytest.raises(UnknownYearError, match=rf"knows 2004-01-01 to .*{year}-07-01.*install a chinesecalendar"):
        chinese().require(answers, at)


def test_a_deadline_that_would_lie_beyond_the_known_days_is_not_known() -> None:
    last = chinese().last
    at = array(epoch_s(datetime(last.year, 12, 28, 12, tzinfo=ZoneInfo(SHANGHAI))))
    assert one(due_s(Term(within=1, unit="working_days"), chinese(), at)) != UNKNOWN
    assert one(due_s(Term(within=20, unit="working_days"), chinese(), at)) == UNKNOWN
    assert one(due_s(Term(within=20, unit="calendar_days", from_="next_day"), chinese(), at)) != UNKNOWN


def test_no_instants_have_no_deadlines() -> None:
    none = array()
    units: tuple[Unit, ...] = ("working_days", "calendar_days", "calendar_hours")
    for unit in units:
        assert due_s(Term(within=1, unit=unit), chinese(), none).tolist() == []
    assert chinese().workdays(none, none).tolist() == []
