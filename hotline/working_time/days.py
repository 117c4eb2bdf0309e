"""Local days: which of them are working days, and when each ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hotline.working_time.clocks import DAY_S, DAYS, FIRST_DAY, I64, day_ends_s
from hotline.working_time.hours import UNKNOWN
from hotline.zones import offsets_s

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Days:
    """Days counted from 1970-01-01 in `zone`; working days are known from `first` to `last`, both included."""

    zone: str
    first: int
    last: int
    listed: I64
    """The working days among them, sorted; a day that the zone skipped may be listed, and is none."""

    @cached_property
    def working(self) -> I64:
        """The working days that there are, sorted."""
        there = day_ends_s(self.zone)[1]
        real: I64 = self.listed[there[self.listed - FIRST_DAY]]
        return real

    @cached_property
    def _ends_s(self) -> I64:
        return day_ends_s(self.zone)[0]

    @cached_property
    def _counted(self) -> I64:
        """Working days up to and including each tabled day."""
        return np.cumsum(np.bincount(self.working - FIRST_DAY, minlength=DAYS))

    def of(self, at_s: I64) -> I64:
        """The local day of each instant."""
        if not len(at_s):
            return at_s
        days: I64 = (at_s + offsets_s(at_s, self.zone)) // DAY_S
        return days

    def known(self, day: I64) -> Mask:
        """Whether it is known of each day if it is a working day."""
        return (day >= self.first) & (day <= self.last)

    def end_s(self, day: I64) -> I64:
        """The instant after the day's last second."""
        return self._ends_s[day - FIRST_DAY]

    def from_(self, day: I64, number: int) -> I64:
        """The working day number `number` (from 1) of those at or after each day; UNKNOWN beyond what is known."""
        known = self.known(day)
        place = self._counted[np.where(known, day, self.first) - 1 - FIRST_DAY] + number - 1
        there = known & (place < len(self.working))
        if not there.any():
            return np.full(len(day), UNKNOWN)
        return np.where(there, self.working[np.where(there, place, 0)], UNKNOWN)

    def between(self, from_day: I64, to_day: I64) -> I64:
        """How many working days lie after the one day, up to and including the other, never below 0.

        UNKNOWN unless both are known.
        """
        count = np.maximum(self._counted[to_day - FIRST_DAY] - self._counted[from_day - FIRST_DAY], 0)
        return np.where(self.known(from_day) & self.known(to_day), count, UNKNOWN)
