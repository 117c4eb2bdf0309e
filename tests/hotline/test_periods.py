"""Periods and buckets read as plain date arithmetic says, in zones whose clocks do everything clocks do."""

# ruff: noqa: DTZ001  (Hypothesis takes bounds without a zone)

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hotline.buckets import By, buckets
from hotline.periods import Period, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Shanghai",
        "Asia/Kolkata",  # half an hour off
        "America/New_York",
        "America/Sao_Paulo",  # skipped midnights until 2018
        "America/St_Johns",  # changed a minute after midnight until 2011
        "Australia/Lord_Howe",  # moves by half an hour
        "Pacific/Apia",  # skipped 2011-12-30
    )
]
NOW = datetime(2023, 11, 5, 7, 31, 20, tzinfo=UTC)
STEP = timedelta(minutes=15)
"""No zone changes inside a quarter of an hour, but St. John's did, a minute after it began."""

zones = st.sampled_from(ZONES)
days = st.dates(date(1990, 1, 1), date(2098, 12, 31))
near_changes = st.sampled_from(
    [date(2023, 3, 12), date(2023, 11, 5), date(2018, 11, 4), date(2011, 12, 29), date(2010, 11, 7), date(2023, 4, 2)]
)
moments = st.datetimes(datetime(1990, 1, 3), datetime(2098, 1, 1), timezones=st.just(UTC))


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Find the earliest minute of that local day or a later one, found by walking there."""
    walk = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    while walk.astimezone(zone).date() < day:
        walk += STEP
    while (before := walk - timedelta(minutes=1)).astimezone(zone).date() >= day:
        walk = before
    return walk


def between(first: date, after: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return first_instant(first, zone), first_instant(after, zone)


def read(text: str, zone: ZoneInfo, now: datetime = NOW) -> tuple[datetime, datetime]:
    period = parse(text, zone=zone, now=now)
    assert period.start.tzinfo is zone
    return period.start.astimezone(UTC), period.end.astimezone(UTC)


def skipped(first: date, after: date, zone: ZoneInfo) -> bool:
    start, end = between(first, after, zone)
    return start == end


@given(days | near_changes, zones)
@example(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
def test_days_weeks_months_quarters_and_years_are_local(day: date, zone: ZoneInfo) -> None:
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    month = day.replace(day=1)
    quarter = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    tomorrow = day + timedelta(days=1)
    if not skipped(day, tomorrow, zone):
        assert read(f"{day}", zone) == between(day, tomorrow, zone)
    if 1990 <= year <= 2098:
        assert read(f"{year}-W{week:02}", zone) == between(monday, monday + timedelta(days=7), zone)
    assert read(f"{day:%Y-%m}", zone) == between(month, (month + timedelta(days=31)).replace(day=1), zone)
    after_quarter = (quarter + timedelta(days=95)).replace(day=1)
    assert read(f"{day.year}-Q{(day.month + 2) // 3}", zone) == between(quarter, after_quarter, zone)
    assert read(f"{day.year}", zone) == between(date(day.year, 1, 1), date(day.year + 1, 1, 1), zone)


@given(moments, zones)
def test_today_and_yesterday_are_days_of_the_zone(now: datetime, zone: ZoneInfo) -> None:
    day = now.astimezone(zone).date()
    one = timedelta(days=1)
    assert read("today", zone, now) == between(day, day + one, zone)
    if not skipped(day - one, day, zone):
        assert read("yesterday", zone, now) == between(day - one, day, zone)


@given(moments, zones, st.integers(1, 900), st.sampled_from(["minutes", "hours", "days"]))
def test_the_last_hours_are_elapsed_time_in_whole_minutes(now: datetime, zone: ZoneInfo, n: int, unit: str) -> None:
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(**{unit: n})
    text = f"last-{n}{unit[0]}"
    if start.year >= 1991:
        assert read(text, zone, now) == (start, end)


@given(days, days, zones)
def test_the_end_of_a_range_is_not_in_it(first: date, after: date, zone: ZoneInfo) -> None:
    if first < after and not skipped(first, after, zone):
        assert read(f"{first}..{after}", zone) == between(first, after, zone)
    elif first >= after:
        with pytest.raises(ValueError, match="later than its start"):
            parse(f"{first}..{after}", zone=zone, now=NOW)


@given(moments, zones)
def test_what_is_printed_can_be_asked_for_again(start: datetime, zone: ZoneInfo) -> None:
    local = start.replace(second=0, microsecond=0).astimezone(zone)
    text = f"{local.isoformat()}..{(start + timedelta(days=2)).astimezone(zone):%Y-%m-%d}"
    assert read(text, zone)[0] == local


def test_a_repeated_time_is_its_first_pass_and_a_skipped_one_is_refused() -> None:
    zone = ZoneInfo("America/New_York")
    start, end = read("2023-11-05T01:30..2023-11-05T02:00", zone)
    assert (start, end - start) == (datetime(2023, 11, 5, 5, 30, tzinfo=UTC), timedelta(minutes=90))
    with pytest.raises(ValueError, match=r"America/New_York skips 02:30 on that day, and has 03:30 instead"):
        parse("2023-03-12T02:30..2023-03-13", zone=zone, now=NOW)
    with pytest.raises(ValueError, match="Pacific/Apia skips it"):
        parse("2011-12-30", zone=ZoneInfo("Pacific/Apia"), now=NOW)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write 2023, 2023-Q1"),
        ("last week", "write 2023, 2023-Q1"),
        ("2023-5", "write 2023, 2023-Q1"),
        ("２０２３", "write 2023, 2023-Q1"),  # digits of another script
        ("2023-13", "month must be"),
        ("2023-02-29", "day is out of range"),
        ("2023-Q5", "month must be"),
        ("2023-W53", "Invalid week"),
        ("2023-05-01T25:00..2023-05-02", "hour must be"),
        ("2023-05-01T08:00:30..2023-05-02", "cuts a minute"),
        ("2023-05..2023-06", "'2023-05' is no end of a range"),
        ("2023-05-01..", "write 2023, 2023-Q1"),
        ("2023-05-01..2023-05-01", "later than its start"),
        ("last-0h", "write 2023, 2023-Q1"),
        ("last-999999999d", "outside the years 1990 to 2099"),
        ("1989", "outside the years 1990 to 2099"),
        ("2100", "outside the years 1990 to 2099"),
        ("0000", "year 0 is out of range"),
        ("9999-12-31", "no period|outside the years"),
    ],
)
def test_what_is_no_period_is_refused_with_what_would_be(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text, zone=ZONES[0], now=NOW)


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9QWT:-]{1,6}(\.\.[0-9T:-]{1,16})?", fullmatch=True))
def test_any_text_is_a_period_or_a_plain_refusal(text: str) -> None:
    try:
        period = parse(text, zone=ZONES[0], now=NOW)
    except ValueError:
        return
    assert period.start_s < period.end_s


LABELS: dict[By, Callable[[datetime], Hashable]] = {
    By.HOUR: lambda t: (t.date(), t.hour, t.utcoffset()),
    By.DAY: lambda t: t.date(),
    By.WEEK: lambda t: t.isocalendar()[:2],
    By.MONTH: lambda t: (t.year, t.month),
    By.QUARTER: lambda t: (t.year, (t.month - 1) // 3),
    By.YEAR: lambda t: t.year,
}


@given(
    st.datetimes(datetime(2009, 1, 1), datetime(2024, 1, 1), timezones=st.just(UTC))
    | near_changes.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)),
    st.integers(1, 4 * 24 * 40),
    st.sampled_from([zone for zone in ZONES if zone.key != "America/St_Johns"]),
    st.sampled_from(list(LABELS)),
)
def test_buckets_are_what_a_walk_through_local_time_finds(start: datetime, steps: int, zone: ZoneInfo, by: By) -> None:
    start = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    walk = [start + STEP * step for step in range(steps)]
    runs = itertools.groupby(walk, key=lambda t: LABELS[by](t.astimezone(zone)))
    starts = [next(run) for _, run in runs]
    period = Period(start.astimezone(zone), (start + STEP * steps).astimezone(zone))
    found = buckets(period, by)
    assert [bucket.start.astimezone(UTC) for bucket in found] == starts
    assert [bucket.end_s for bucket in found] == [*(bucket.start_s for bucket in found[1:]), period.end_s]


def test_minutes_are_all_there_and_too_many_are_refused() -> None:
    month = parse("2023-03", zone=ZONES[2], now=NOW)
    assert len(buckets(month, By.MINUTE)) == (31 * 24 - 1) * 60
    assert len(buckets(parse("2023-03-12", zone=ZONES[2], now=NOW), By.HOUR)) == 23
    assert len(buckets(parse("2023-11-05", zone=ZONES[2], now=NOW), By.HOUR)) == 25
    with pytest.raises(ValueError, match="take a coarser one"):
        buckets(parse("2023-01-01..2025-01-01", zone=ZONES[2], now=NOW), By.MINUTE)
