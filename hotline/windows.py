"""The windows that live figures are shown over: spans that end with the running minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotline.events import YEAR_MAX
from hotline.periods import day_start_s

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MINUTE_S, HOUR_S = 60, 3600
DAY_S = 86_400


@dataclass(frozen=True)
class Window:
    """One window. `seconds` None is the local day so far."""

    name: str
    title: str
    title_zh: str
    seconds: int | None


WINDOWS = (
    Window("5min", "5 min", "5分钟", 300),
    Window("30min", "30 min", "30分钟", 1800),
    Window("1h", "1 h", "1小时", 3600),
    Window("today", "today", "今日", None),
    Window("7d", "7 days", "7天", 7 * DAY_S),
)
"""From the shortest to the longest."""
NOW = "now"
"""The window of a stock: how many are inside at the instant itself."""

EVENT_LATE_S, EVENT_OLD_S = 120.0, 900.0
"""From how many seconds on the newest event of live figures is late, and old, on boards and on the terminal: a city's
hotline has calls every few seconds by day and every minute or so at night."""
ALL_MINUTES, NO_MINUTES = 0, 1 << 62
"""Instants before and after all others: every minute is recent, or none."""
RECENT_S = 8 * DAY_S
"""How far back minutes are kept of what is stored by the hour for ever: the longest window, and a day to be late in."""


_LATEST_S = int(datetime(YEAR_MAX, 12, 31, tzinfo=UTC).timestamp())


def recent_from(at_s: int, zone: str) -> int:
    """Where recent minutes begin for what arrives at the instant `at_s`: a whole local hour, in epoch seconds.

    Senders may stamp a record with any time at all: one after all years that events may have is the end of those.
    """
    begin_s = min(max(ALL_MINUTES, at_s - RECENT_S), _LATEST_S)
    return local_hour_s(begin_s, zone)


def local_hour_s(at_s: int, zone: str) -> int:
    """Start of the local hour that holds an instant, both in epoch seconds; see `hotline.zones.floor_local`."""
    import numpy as np  # not for all who only name windows: polars comes along

    from hotline.zones import floor_local

    return int(floor_local(np.array([at_s]), HOUR_S, zone)[0])


def span(window: Window, at_s: int, zone: ZoneInfo) -> tuple[int, int]:
    """First second of a window, and the one after its last, in epoch seconds, at the instant `at_s`.

    Sums are kept by minute, so the running minute counts as a whole: five minutes are it and the four before.
    """
    end_s = at_s - at_s % MINUTE_S + MINUTE_S
    if window.seconds is None:
        return day_start_s(datetime.fromtimestamp(at_s, zone).date(), zone), end_s
    return end_s - window.seconds, end_s
