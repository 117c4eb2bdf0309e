"""Ranges of time are read as Grafana reads them, in the hotline's zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.web.ranges import RangeError, read

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 3, 31, 12, 0, 7, tzinfo=ZONE)

CASES = {
    ("now-6h", "now"): ("2024-03-31T06:00:07", "2024-03-31T12:00:07"),
    ("now-90s", "now-1m"): ("2024-03-31T11:58:37", "2024-03-31T11:59:07"),
    ("now/d", "now"): ("2024-03-31T00:00:00", "2024-03-31T12:00:07"),
    ("now/d", "now/d"): ("2024-03-31T00:00:00", "2024-03-31T23:59:59"),
    ("now-1d/d", "now-1d/d"): ("2024-03-30T00:00:00", "2024-03-30T23:59:59"),
    ("now/w", "now/w"): ("2024-03-25T00:00:00", "2024-03-31T23:59:59"),
    ("now-1M", "now"): ("2024-02-29T12:00:07", "2024-03-31T12:00:07"),
    ("now-1M/M", "now-1M/M"): ("2024-02-01T00:00:00", "2024-02-29T23:59:59"),
    ("now-1y/y", "now-1y/y"): ("2023-01-01T00:00:00", "2023-12-31T23:59:59"),
    ("now-4y", "now+1h"): ("2020-03-31T12:00:07", "2024-03-31T13:00:07"),
    ("1700000000000", "now"): ("2023-11-15T06:13:20", "2024-03-31T12:00:07"),
    ("2023-05-01", "2023-05-02T06:00"): ("2023-05-01T00:00:00", "2023-05-02T06:00:00"),
    ("2023-05-01T00:00:00Z", "2023-05-02T06:00:00+00:00"): ("2023-05-01T08:00:00", "2023-05-02T14:00:00"),
}


@pytest.mark.parametrize("asked", CASES)
def test_a_range_is_of_the_hotlines_zone(asked: tuple[str, str]) -> None:
    found = read(*asked, NOW, ZONE)
    assert tuple(datetime.fromtimestamp(at, ZONE).replace(tzinfo=None).isoformat() for at in found) == CASES[asked]


def test_a_day_is_as_long_as_the_clocks_make_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = read("now/d", "now/d", datetime(2024, 3, 31, 12, tzinfo=berlin), berlin)
    assert found.to_s + 1 - found.from_s == 23 * 3600


def test_a_day_that_ends_with_an_hour_twice_ends_with_the_second() -> None:
    santiago = ZoneInfo("America/Santiago")
    found = read("now/d", "now/d", datetime(2024, 4, 6, 12, tzinfo=santiago), santiago)
    assert found.to_s + 1 - found.from_s == 25 * 3600


@pytest.mark.parametrize(
    "bad",
    [
        *("", "today", "now-", "now-6q", "now/5", "2023-13-01", "now-999999y", "99999999999999", "1", "now-100001d"),
        *("0001-01-01", "9999-12-31T23:59:59-12:00", "now-2023y/y"),
    ],
)
def test_what_is_no_time_is_named_with_what_to_write(bad: str) -> None:
    with pytest.raises(RangeError, match=r"write now-6h|outside the years|too far"):
        read(bad, "now", NOW, ZONE)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(RangeError, match="before it begins"):
        read("now", "now-1h", NOW, ZONE)


@given(st.text(max_size=30), st.sampled_from(["now", "now/d", "2030-01-01"]))
def test_no_text_does_more_than_be_refused(since: str, until: str) -> None:
    try:
        found = read(since, until, NOW, ZONE)
    except RangeError:
        return
    assert found.from_s <= found.to_s
