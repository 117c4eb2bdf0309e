"""How old figures may be before the board says so."""

from dataclasses import dataclass
from enum import IntEnum

from hotline.windows import EVENT_LATE_S, EVENT_OLD_S

SILENT_LATE_S = 3.0
"""Figures are published every second."""
SILENT_OLD_S = 15.0
"""A worker that died is back within a few seconds; this is longer."""


class Freshness(IntEnum):
    """From good to bad."""

    FRESH = 0
    LATE = 1
    OLD = 2


@dataclass(frozen=True)
class Bounds:
    """From how many seconds on something is late, and old."""

    late_s: float
    old_s: float

    def judge(self, age_s: float) -> Freshness:
        """Judge an age."""
        return Freshness((age_s >= self.late_s) + (age_s >= self.old_s))


SILENCE = Bounds(SILENT_LATE_S, SILENT_OLD_S)
"""Since the last record was published."""
EVENTS = Bounds(EVENT_LATE_S, EVENT_OLD_S)
"""Of the newest event in the figures."""
