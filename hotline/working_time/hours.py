"""Working hours as spans of instants, and the two questions asked of them: when is it up, and how much was it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hotline.working_time.clocks import I64

UNKNOWN = -(2**62)
"""Stands for an answer that a calendar does not know."""


@dataclass(frozen=True, eq=False)
class Hours:
    """Spans [start, end) in epoch seconds, sorted and disjoint."""

    starts_s: I64
    ends_s: I64

    @cached_property
    def _worked_s(self) -> I64:
        """Working seconds before each span, and at the end of all."""
        return np.append(0, np.cumsum(self.ends_s - self.starts_s))

    def before(self, at_s: I64) -> I64:
        """Working seconds from the first span until each instant."""
        place = np.searchsorted(self.starts_s, at_s, "right") - 1
        inside = np.maximum(place, 0)
        part = np.clip(at_s - self.starts_s[inside], 0, self.ends_s[inside] - self.starts_s[inside])
        worked: I64 = self._worked_s[inside] + part
        return worked

    def after(self, at_s: I64, length_s: int) -> I64:
        """The instant at which `length_s` working seconds have passed since each; UNKNOWN beyond the last span.

        What is up when a span ends is up at that end, not when the next begins; no seconds at all are up at the next
        working moment.
        """
        if length_s == 0:
            return self.opening(at_s)
        target = self.before(at_s) + length_s
        place = np.searchsorted(self._worked_s[1:], target, "left")
        known = np.minimum(place, len(self.starts_s) - 1)
        return np.where(place == known, self.starts_s[known] + target - self._worked_s[known], UNKNOWN)

    def opening(self, at_s: I64) -> I64:
        """The first working moment at or after each instant; UNKNOWN beyond the last span."""
        place = np.searchsorted(self.ends_s, at_s, "right")
        known = np.minimum(place, len(self.starts_s) - 1)
        return np.where(place == known, np.maximum(self.starts_s[known], at_s), UNKNOWN)

    def closing(self, at_s: I64) -> I64:
        """The end of the last working moment before each instant: itself where work goes on; UNKNOWN before any."""
        place = np.searchsorted(self.starts_s, at_s, "left") - 1
        return np.where(place >= 0, np.minimum(self.ends_s[np.maximum(place, 0)], at_s), UNKNOWN)

    def between(self, from_s: I64, to_s: I64) -> I64:
        """Working seconds from one instant to the other; negative when the other comes first."""
        return self.before(to_s) - self.before(from_s)

    def without(self, pauses: Iterable[tuple[int, int]]) -> Hours:
        """The same hours without these spans of instants, each half-open like a span of hours."""
        starts, ends = self.starts_s, self.ends_s
        for begin, end in pauses:
            starts = np.concatenate([starts, np.maximum(starts, end)])
            ends = np.concatenate([np.minimum(ends, begin), ends])
            left = starts < ends
            starts, ends = np.sort(starts[left]), np.sort(ends[left])
        return Hours(starts, ends)
