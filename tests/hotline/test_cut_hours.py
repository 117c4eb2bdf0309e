"""Hours of stored sums are the hours that are shown, also where clocks move by part of an hour."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hotline.buckets import By, buckets
from hotline.periods import parse
from hotline.zones import floor_local

MOVES = [
    ("Australia/Lord_Howe", "2023-04-02"),  # 02:00 becomes 01:30
    ("Australia/Lord_Howe", "2023-10-01"),  # 02:00 becomes 02:30
    ("Asia/Pyongyang", "2015-08-15"),  # 00:00 becomes 23:30 of the day before
    ("Asia/Pyongyang", "2018-05-04"),  # 23:30 becomes 00:00 of the next day
    ("America/Caracas", "2016-05-01"),  # 02:30 becomes 03:00
    ("Asia/Kathmandu", "2023-03-01"),  # a quarter of an hour off, and never moves
    ("America/New_York", "2023-03-12"),
    ("America/New_York", "2023-11-05"),
    ("Asia/Shanghai", "2023-03-01"),
]


@pytest.mark.parametrize(("zone", "day"), MOVES)
def test_every_minute_is_stored_in_the_hour_in_which_it_is_shown(zone: str, day: str) -> None:
    period = parse(day, zone=ZoneInfo(zone), now=datetime(2024, 1, 1, tzinfo=UTC))
    shown = [hour.start_s for hour in buckets(period, By.HOUR)]
    minutes = np.arange(period.start_s, period.end_s, 60)
    stored = floor_local(minutes, 3600, zone)
    assert np.unique(stored).tolist() == shown
    assert (np.searchsorted(shown, stored, "right") == np.searchsorted(shown, minutes, "right")).all()
    assert (floor_local(stored, 3600, zone) == stored).all()


def test_a_cut_hour_is_one_of_its_own() -> None:
    period = parse("2023-04-02", zone=ZoneInfo("Australia/Lord_Howe"), now=datetime(2024, 1, 1, tzinfo=UTC))
    hours = [(f"{hour.start:%H:%M}", (hour.end_s - hour.start_s) // 60) for hour in buckets(period, By.HOUR)]
    assert hours[:4] == [("00:00", 60), ("01:00", 60), ("01:30", 30), ("02:00", 60)]
