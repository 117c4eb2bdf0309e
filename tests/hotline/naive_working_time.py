"""A second reading of working time: one wall clock looked at after another; shares no code with the product's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

STEP_S = 300
"""Hours and offsets in the tests change at whole five minutes only."""
DAYS = "mon tue wed thu fri sat sun".split()


class Naive:
    """Reads the content of a calendar file as it stands."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.zone = ZoneInfo(content["zone"])
        self.first, self.last = content["first_day"], content["last_day"]
        self.ends = functools.cache(self._ends)
        self.is_working_day = functools.cache(self._is_working_day)

    def wall(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, self.zone)

    def day(self, at: int) -> date:
        return self.wall(at).date()

    def open_at(self, day: date, clock: str) -> bool:
        """Whether the wall clock shows a working time."""
        if day in self.content["holidays"] or not self.first <= day <= self.last:
            return False
        hours = self.content["week"].get(DAYS[day.weekday()], [])
        if not hours and day in self.content["extra_days"]:
            hours = self.content["extra_hours"]
        within = any(start <= clock < end for start, end in hours)
        return within and not any(start <= clock < end for start, end in self.content["breaks"])

    def works(self, at: int) -> bool:
        wall = self.wall(at)
        return self.open_at(wall.date(), f"{wall:%H:%M}")

    def _is_working_day(self, day: date) -> bool:
        clocks = (f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 5))
        return any(self.open_at(day, clock) for clock in clocks)

    def _pieces(self, at: int, until: int) -> Iterator[tuple[int, int]]:
        while at < until:
            end = min(at - at % STEP_S + STEP_S, until)
            yield at, end
            at = end

    def between(self, start: int, end: int) -> int:
        return sum(b - a for a, b in self._pieces(start, end) if self.works(a))

    def after(self, at: int, length: int) -> int | None:
        for start, end in self._pieces(at, at + 400 * 86_400):
            if self.day(start) > self.last:
                return None
            if self.works(start):
                if length <= end - start:
                    return start + length
                length -= end - start
        return None

    def nth(self, day: date, number: int) -> date | None:
        """The working day of that number among those from `day` on."""
        while self.first <= day <= self.last:
            number -= self.is_working_day(day)
            if number == 0:
                return day
            day += timedelta(days=1)
        return None

    def _ends(self, day: date) -> int:
        """The instant after the last that shows this day."""
        noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=self.zone).timestamp())
        return max(at + 900 for at in range(noon - 86_400, noon + 86_400, 900) if self.day(at) == day)

    def workdays(self, start: int, end: int) -> int | None:
        first, last = self.day(start), self.day(end)
        if not (self.first <= first <= self.last and self.first <= last <= self.last):
            return None
        days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
        return sum(map(self.is_working_day, days))

    def due(self, at: int, *, within: int, unit: str, begins: str, ends: str) -> int | None:
        if (unit.startswith("working") or begins == "next_working_day") and not self.first <= self.day(at) <= self.last:
            return None
        first: date | None = self.day(at)
        if begins != "receipt":
            first = self.day(at) + timedelta(days=1)
        if begins == "next_working_day":
            first = self.nth(self.day(at) + timedelta(days=1), 1)
        if first is None:
            return None
        if unit.endswith("hours"):
            start = at if begins == "receipt" else self.ends(first - timedelta(days=1))
            return start + within * 3600 if unit == "calendar_hours" else self.after(start, within * 3600)
        last = first + timedelta(days=within - 1) if unit == "calendar_days" else self.nth(first, within)
        if last is None:
            return None
        if ends == "day":
            return self.ends(last) - 1
        end = self.ends(last)
        while not self.works(end - 1):
            end -= STEP_S
        return end
