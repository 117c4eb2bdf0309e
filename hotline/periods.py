"""Periods: what a user writes for a span of time, read in the hotline's zone.

Every period is half-open, `start` inside and `end` not. Two aware times of one zone compare by their wall clocks in
Python, and an hour repeats every autumn; so all arithmetic here is done on epoch seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hotline.events.envelope import YEAR_MAX, YEAR_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

    _Span = tuple[int, int]
    _Reader = Callable[[re.Match[str], ZoneInfo, datetime], _Span]

FORMS = (
    "2023, 2023-Q1, 2023-05, 2023-W20, 2023-05-01, 2023-05-01..2023-05-08 (its last day excluded), "
    "2023-05-01T08:00..2023-05-01T12:30, today, yesterday, last-30m, last-1h or last-7d"
)
"""What may be written, for messages and helps."""

_MINUTE_S = 60
_UNITS_S = {"m": _MINUTE_S, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Period:
    """From `start` (inside) to `end` (outside), both aware and in the hotline's zone."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start_s: int, end_s: int, zone: ZoneInfo) -> Period:
        """Make the period between two instants in epoch seconds."""
        return cls(datetime.fromtimestamp(start_s, zone), datetime.fromtimestamp(end_s, zone))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its days."""
        if not isinstance(self.start.tzinfo, ZoneInfo):
            raise TypeError(f"{self.start} has no time zone: make periods with parse or Period.of")
        return self.start.tzinfo

    @property
    def start_s(self) -> int:
        """Its start in epoch seconds."""
        return int(self.start.timestamp())

    @property
    def end_s(self) -> int:
        """Its end in epoch seconds."""
        return int(self.end.timestamp())

    @property
    def first_day(self) -> date:
        """The local day of its first second."""
        return self.start.date()

    @property
    def last_day(self) -> date:
        """The local day of its last second."""
        return datetime.fromtimestamp(self.end_s - 1, self.zone).date()


def parse(text: str, *, zone: ZoneInfo, now: datetime) -> Period:
    """Read a period as a user writes it; `now` is an aware time.

    `last-…` counts elapsed time back from the last whole minute. A local time that repeats is read as its first pass,
    unless its offset is written as well. Raises ValueError that says what is wrong and what to write.
    """
    written = text.strip()
    for form, read in _FORMS:
        found = form.fullmatch(written)
        if found:
            start_s, end_s = _read(read, found, zone, now, written)
            return _checked(written, start_s, end_s, zone)
    raise ValueError(f"{text!r} is no period; write {FORMS}")


def instant_s(text: str, *, zone: ZoneInfo, now: datetime) -> int:
    """Read a point in time, in epoch seconds: now, a day, a time of a day, or the start of any period.

    A local time that repeats is read as its first pass, unless its offset is written as well. Raises ValueError that
    says what to write.
    """
    written = text.strip()
    if written.lower() == "now":
        return int(now.timestamp())
    if _TIME.match(written):
        return _time_s(written, zone)
    return parse(written, zone=zone, now=now).start_s


def _time_s(written: str, zone: ZoneInfo) -> int:
    try:
        local = datetime.fromisoformat(written.upper())
        found = int(local.timestamp()) if local.tzinfo else _local_s(local, zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{written!r} is no time: {error}; write now, yesterday, 2023-05-01, 2023-05-01T08:00 or "
            "2023-05-01T08:00:30+08:00"
        ) from error
    _checked(written, found, found + 1, zone)
    return found


def day_start_s(day: date, zone: ZoneInfo) -> int:
    """Give the first second of a local day; where daylight saving skips midnight, the one after the gap."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _read(read: _Reader, found: re.Match[str], zone: ZoneInfo, now: datetime, written: str) -> _Span:
    try:
        return read(found, zone, now)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{written!r} is no period: {error}; write {FORMS}") from error


def _checked(written: str, start_s: int, end_s: int, zone: ZoneInfo) -> Period:
    if start_s < day_start_s(date(YEAR_MIN, 1, 1), zone) or end_s > day_start_s(date(YEAR_MAX + 1, 1, 1), zone):
        raise ValueError(f"{written!r} is outside the years {YEAR_MIN} to {YEAR_MAX} that are kept")
    if end_s <= start_s:
        hint = "its end is excluded and must be later than its start" if ".." in written else f"{zone.key} skips it"
        raise ValueError(f"{written!r} holds no time: {hint}")
    return Period.of(start_s, end_s, zone)


def _days(first: date, after: date, zone: ZoneInfo) -> _Span:
    return day_start_s(first, zone), day_start_s(after, zone)


def _year(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    year = int(found[1])
    return _days(date(year, 1, 1), date(year + 1, 1, 1), zone)


def _quarter(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    first = date(int(found[1]), int(found[2]) * 3 - 2, 1)
    return _days(first, month_after(first, months=3), zone)


def _month(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    first = date(int(found[1]), int(found[2]), 1)
    return _days(first, month_after(first), zone)


def _week(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    return _days(monday, monday + timedelta(days=7), zone)


def _day(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    day = date.fromisoformat(found[1])
    return _days(day, day + timedelta(days=1), zone)


def _today(_: re.Match[str], zone: ZoneInfo, now: datetime) -> _Span:
    day = now.astimezone(zone).date()
    return _days(day, day + timedelta(days=1), zone)


def _yesterday(_: re.Match[str], zone: ZoneInfo, now: datetime) -> _Span:
    day = now.astimezone(zone).date()
    return _days(day - timedelta(days=1), day, zone)


def _last(found: re.Match[str], _: ZoneInfo, now: datetime) -> _Span:
    end_s = int(now.timestamp()) // _MINUTE_S * _MINUTE_S
    return end_s - int(found[1]) * _UNITS_S[found[2].lower()], end_s


def _range(found: re.Match[str], zone: ZoneInfo, _: datetime) -> _Span:
    return _edge_s(found[1], zone), _edge_s(found[2], zone)


def _edge_s(written: str, zone: ZoneInfo) -> int:
    """One end of a range: a day, or a day with its time, to the minute."""
    if not _EDGE.fullmatch(written):
        raise ValueError(f"{written!r} is no end of a range, which is a day or a minute, as 2023-05-01T08:00")
    if len(written) == len("2023-05-01"):
        return day_start_s(date.fromisoformat(written), zone)
    local = datetime.fromisoformat(written.upper())
    if local.second:
        raise ValueError(f"{written!r} cuts a minute, and minutes are the finest that is kept")
    return int(local.timestamp()) if local.tzinfo else _local_s(local, zone)


def _local_s(local: datetime, zone: ZoneInfo) -> int:
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    there = instant.astimezone(zone).replace(tzinfo=None)
    if there != local:
        raise ValueError(f"{zone.key} skips {local:%H:%M} on that day, and has {there:%H:%M} instead")
    return int(instant.timestamp())


def month_after(first: date, *, months: int = 1) -> date:
    """Give the first day of the month that comes `months` after that of `first`."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE)


_TIME = _form(r"[\d-]+[T ]\d")
_EDGE = _form(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?")
_FORMS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_form(r"(\d{4})"), _year),
    (_form(r"(\d{4})-Q(\d)"), _quarter),
    (_form(r"(\d{4})-(\d{2})"), _month),
    (_form(r"(\d{4})-W(\d{2})"), _week),
    (_form(r"(\d{4}-\d{2}-\d{2})"), _day),
    (_form(r"today"), _today),
    (_form(r"yesterday"), _yesterday),
    (_form(r"last-([1-9]\d{0,8})([mhd])"), _last),
    (_form(r"(.+?)\.\.(.+)"), _range),
)
