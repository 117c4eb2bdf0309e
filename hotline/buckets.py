"""Buckets: the local minutes, hours, days … of a period, every one of them, the first and last clipped to it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from hotline.periods import Period, day_start_s, month_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUCKETS_MAX = 600_000
"""A year by the minute fits; more is a mistake, or wants a file of its own."""


_HOUR_S = 3600
_QUARTER_S = 900
"""Clocks move at whole quarters of an hour when they move by part of an hour."""


class By(StrEnum):
    """What a period is cut into, the finest first."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def buckets(period: Period, by: By) -> list[Period]:
    """All buckets of a period in order; together they are the period. A week begins on Monday.

    A local day that daylight saving shortens or lengthens is one bucket of 23 or 25 hours; a repeated hour is two, and
    so is one in which clocks move by part of an hour.
    Raises ValueError when there would be more than `BUCKETS_MAX`.
    """
    at_least = (period.end_s - period.start_s) // _LONGEST_S[by]
    if at_least > BUCKETS_MAX:
        raise ValueError(f"more than {BUCKETS_MAX:,} buckets by {by}: take a coarser one, or a shorter period")
    edges = [period.start_s, *_inner_edges(period, by), period.end_s]
    return [Period.of(start_s, end_s, period.zone) for start_s, end_s in pairwise(edges)]


def _inner_edges(period: Period, by: By) -> Iterator[int]:
    """Where a bucket ends and the next begins, strictly inside the period, ascending."""
    edge, after = period.start_s, _AFTER[by]
    while (edge := after(edge, period)) < period.end_s:
        yield edge


def _minute_after(instant_s: int, _: Period) -> int:
    return instant_s + 60


def _hour_after(instant_s: int, period: Period) -> int:
    offset_s = _offset_s(instant_s, period)
    after_s = instant_s + _HOUR_S - (instant_s + offset_s) % _HOUR_S

    def is_cut(until_s: int) -> bool:
        """Whether clocks have moved by part of an hour, which begins another one."""
        return (_offset_s(until_s, period) - offset_s) % _HOUR_S != 0

    if not is_cut(after_s - 1):
        return after_s
    return next(at for at in range(instant_s - instant_s % _QUARTER_S + _QUARTER_S, after_s, _QUARTER_S) if is_cut(at))


def _offset_s(instant_s: int, period: Period) -> int:
    offset = datetime.fromtimestamp(instant_s, period.zone).utcoffset() or timedelta()
    return int(offset.total_seconds())


def _by_date(after: Callable[[date], date]) -> Callable[[int, Period], int]:
    def start_after(instant_s: int, period: Period) -> int:
        day = datetime.fromtimestamp(instant_s, period.zone).date()
        while True:
            day = after(day)
            found = day_start_s(day, period.zone)
            if found > instant_s:  # a day that the zone skipped as a whole begins where the next one does
                return found

    return start_after


_AFTER: dict[By, Callable[[int, Period], int]] = {
    By.MINUTE: _minute_after,
    By.HOUR: _hour_after,
    By.DAY: _by_date(lambda day: day + timedelta(days=1)),
    By.WEEK: _by_date(lambda day: day + timedelta(days=7 - day.weekday())),
    By.MONTH: _by_date(month_after),
    By.QUARTER: _by_date(lambda day: month_after(day, months=3 - (day.month - 1) % 3)),
    By.YEAR: _by_date(lambda day: date(day.year + 1, 1, 1)),
}
_LONGEST_S = {
    By.MINUTE: 60,
    By.HOUR: 5400,
    By.DAY: 172_800,
    By.WEEK: 8 * 86_400,
    By.MONTH: 32 * 86_400,
    By.QUARTER: 93 * 86_400,
    By.YEAR: 367 * 86_400,
}
