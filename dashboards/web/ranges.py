"""Ranges of time as boards and their addresses write them: `now-6h`, `now/d`, `now-1y/y`, epoch ms, ISO 8601."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from dashboards.web.errors import SaidError
from dashboards.words import Text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

YEARS = (1970, 2105)
"""What the store's instants can hold."""
AMOUNT_MAX = 100_000
_RELATIVE = re.compile(r"now(?:(?P<sign>[-+])(?P<amount>\d{1,6})(?P<unit>[smhdwMy]))?(?:/(?P<round>[mhdwMy]))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class RangeError(SaidError, ValueError):
    """A range that cannot be read; its message names the text and shows what to write."""


class Range(NamedTuple):
    """Epoch seconds: the first, and the last second, which is the end or, of a rounded range, its last second."""

    from_s: int
    to_s: int


def read(since: str, until: str, now: datetime, zone: ZoneInfo) -> Range:
    """Read both ends in the hotline's zone. Raises RangeError."""
    found = Range(_instant(since, now, zone, end=False), _instant(until, now, zone, end=True))
    if found.from_s > found.to_s:
        raise RangeError(
            Text(
                f"the range begins at {since} and ends at {until}, before it begins: write a later to=, such as to=now",
                f"时间范围始于{since},却止于更早的{until}:请写更晚的to=,如to=now",
            )
        )
    return found


def is_moving(since: str, until: str) -> bool:
    """Whether a range moves with the time."""
    return "now" in since or "now" in until


def _instant(text: str, now: datetime, zone: ZoneInfo, *, end: bool) -> int:
    if found := _RELATIVE.fullmatch(text):
        return _relative(found, now.astimezone(zone), end=end, text=text)
    if re.fullmatch(r"\d{10,14}", text):
        return _checked(datetime.fromtimestamp(int(text) / 1000, UTC), text)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise RangeError(
            Text(
                f"{text!r} is no time: write now-6h, now/d, now-1y/y, 2023-05-01 or epoch milliseconds",
                f"{text!r}不是时间:请写now-6h、now/d、now-1y/y、2023-05-01或毫秒时间戳",
            )
        ) from None
    return _checked(given if given.tzinfo else given.replace(tzinfo=zone), text)


def _relative(found: re.Match[str], now: datetime, *, end: bool, text: str) -> int:
    if found["amount"]:
        amount = int(found["amount"]) * (1 if found["sign"] == "+" else -1)
        if abs(amount) > AMOUNT_MAX:
            raise RangeError(
                Text(f"{text!r} is too far away: at most {AMOUNT_MAX} units", f"{text!r}太远:最多{AMOUNT_MAX}个单位")
            )
        now = _moved(now, amount, found["unit"], text)
    if found["round"]:
        start = _start(now, found["round"])
        now = _end(start, found["round"], text) if end else start
    return _checked(now, text)


def _moved(at: datetime, amount: int, unit: str, text: str) -> datetime:
    """Move by seconds of time, or by days, weeks, months and years of the calendar."""
    try:
        if unit in _SECONDS:
            return (at.astimezone(UTC) + timedelta(seconds=amount * _SECONDS[unit])).astimezone(at.tzinfo)
        if unit in {"d", "w"}:
            return at + timedelta(days=amount * (7 if unit == "w" else 1))
        months = at.year * 12 + at.month - 1 + amount * (12 if unit == "y" else 1)
        return _in_month(at, months)
    except (ValueError, OverflowError):
        raise _outside(text) from None


def _in_month(at: datetime, months: int) -> datetime:
    """The same day of another month, counted from year 0; its last day where it is shorter."""
    year, month = divmod(months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _start(at: datetime, unit: str) -> datetime:
    """The start of the minute, hour, day, week (Monday), month or year that holds an instant."""
    if unit == "m":
        return at.replace(second=0, microsecond=0)
    if unit == "h":
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "w":
        return day - timedelta(days=day.weekday())
    if unit == "M":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "y" else day


def _end(start: datetime, unit: str, text: str) -> datetime:
    """The last second of the minute, hour … that begins there; where clocks are set at midnight, the later one."""
    return (_moved(start, 1, unit, text).astimezone(UTC) - timedelta(seconds=1)).astimezone(start.tzinfo)


def _checked(at: datetime, text: str) -> int:
    if not YEARS[0] <= at.year <= YEARS[1] or at.timestamp() < 0:
        raise _outside(text)
    return int(at.timestamp())


def _outside(text: str) -> RangeError:
    first, last = YEARS
    return RangeError(Text(f"{text!r} is outside the years {first} to {last}", f"{text!r}不在{first}年至{last}年之间"))
