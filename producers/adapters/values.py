"""One value of a record at a time: what it becomes in an event, or the reason why it cannot.

For sources whose records are objects or lines of varying length; tables are read by columns (`fields`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hotline.dead_letters import REASONS
from hotline.events import NAME_BYTES_MAX, SECONDS_MAX, YEAR_MAX, YEAR_MIN
from hotline.events.rules import UNTIDY
from hotline.pseudonyms import pseudonym

EARLIEST_S = int(datetime(YEAR_MIN, 1, 1, tzinfo=UTC).timestamp())
LATEST_S = int(datetime(YEAR_MAX, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())

_UNTIDY = re.compile(UNTIDY)
_FRACTION = re.compile(r"[.,]\d+")
_SHORT_OFFSET = re.compile(r"[+-]\d{2}$")
_EXACT_S, _MINUTES, _LAST = 2**14, 2**15, 2**16 - 1
"""Seconds told apart exactly, minutes after them, and the largest revision there is."""


class RefusedError(ValueError):
    """A record that gives no events; `reason` is one of `hotline.dead_letters.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


def name(value: Any) -> str | None:
    """Read a name: trimmed, None when there is nothing. Raises RefusedError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise RefusedError("bad_value")
    return _tidy(str(value))


@lru_cache(maxsize=4096)  # queues, events and people come again and again
def _tidy(value: str) -> str | None:
    text = value.strip()
    if _UNTIDY.search(text):
        raise RefusedError("bad_value")
    if len(text.encode()) > NAME_BYTES_MAX:
        raise RefusedError("too_large")
    return text or None


def required(value: Any) -> str:
    """Read a name that must be there. Raises RefusedError."""
    read = name(value)
    if read is None:
        raise RefusedError("missing_field")
    return read


def person(value: Any, key: bytes) -> str | None:
    """Pseudonym of whom the value names; None when it names nobody. Raises RefusedError."""
    if value is not None and not isinstance(value, (str, int)):
        raise RefusedError("bad_value")
    text = str(value or "").strip()
    return pseudonym(text, key) if text else None


def seconds(value: Any) -> int | None:
    """Read a duration in whole seconds; None when nothing is stated. Raises RefusedError."""
    if value is None or value == "":
        return None
    try:
        read = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise RefusedError("bad_value") from error
    if not 0 <= read <= SECONDS_MAX:
        raise RefusedError("bad_value")
    return read


def instant(value: Any, zone: str) -> int | None:
    """Read a time in epoch seconds, parts of a second cut off; None when nothing is stated. Raises RefusedError.

    Text is ISO 8601, a number epoch seconds. Without an offset text means the wall clock of `zone`, a repeated hour
    its first pass.
    """
    if value is None or value == "":
        return None
    read = _of_number(value) if isinstance(value, (int, float)) else _of_text(value, zone)
    if not EARLIEST_S <= read <= LATEST_S:
        raise RefusedError("time_out_of_range")
    return read


def required_instant(value: Any, zone: str) -> int:
    """Read a time that must be there. Raises RefusedError."""
    read = instant(value, zone)
    if read is None:
        raise RefusedError("missing_field")
    return read


def later(seconds_after: int) -> int:
    """Number a later statement of an event by how long after the birth it was made: the latest one stands.

    Whole seconds for four and a half hours, minutes for three weeks, then hours; what lies closer together is one.
    """
    after = max(0, seconds_after)
    if after < _EXACT_S:
        return after
    minutes = (after - _EXACT_S) // 60
    if minutes < _MINUTES:
        return _EXACT_S + minutes
    return min(_LAST, _EXACT_S + _MINUTES + (minutes - _MINUTES) // 60)


def _of_number(value: float) -> int:
    if isinstance(value, bool) or value != value:  # noqa: PLR0124 the only number that is not itself is no time
        raise RefusedError("bad_value")
    return int(min(max(value, -1), LATEST_S + 1))


def _of_text(value: Any, zone: str) -> int:
    if not isinstance(value, str):
        raise RefusedError("bad_value")
    text = _FRACTION.sub("", value.strip(), count=1)
    if len(text) > len("yyyy-mm-dd") and _SHORT_OFFSET.search(text):
        text += ":00"  # PostgreSQL writes whole hours so
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError("time_out_of_range" if text.startswith("0000-") else "bad_value") from error
    if read.tzinfo is None:
        read = _local(read, zone)
    return (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


def _local(wall: datetime, zone: str) -> datetime:
    if not YEAR_MIN - 1 <= wall.year <= YEAR_MAX + 1:
        raise RefusedError("time_out_of_range")
    there = wall.replace(tzinfo=_zone(zone))
    if there.astimezone(UTC).astimezone(_zone(zone)).replace(tzinfo=None) != wall:
        raise RefusedError("time_skipped")
    return there


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
