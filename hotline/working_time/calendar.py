"""A calendar: which days are worked on, in which hours, in which zone; with a version that stands on every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hotline.working_time.clocks import DAY_S, I64, instants_s
from hotline.working_time.days import Days
from hotline.working_time.errors import UnknownYearError
from hotline.working_time.hours import UNKNOWN, Hours
from hotline.zone_names import zone

VERSION_MAX = 255
"""Versions of rules and calendars fill a byte of a row's version."""
EPOCH = date(1970, 1, 1).toordinal()

Span = tuple[int, int]
"""From, to in seconds since midnight on the wall, half-open."""


class Holiday(NamedTuple):
    """What a holiday is called in English and Chinese; empty where nobody says."""

    name: str = ""
    name_zh: str = ""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Working days and hours. `working` maps each working day to its spans; none at all where only days are known.

    It speaks of the days from `first` to `last` and of no other. `remedy` says how to make it know more. `listed` are
    the days that it names by date, because their weekday does not decide: holidays, and days worked in exchange.
    """

    name: str
    version: int
    zone: str
    first: date
    last: date
    working: Mapping[date, Sequence[Span]]
    remedy: str
    listed: Mapping[date, Holiday] = field(default_factory=dict)

    @cached_property
    def days(self) -> Days:
        """Its days."""
        days = np.array(sorted(number(day) for day in self.working), np.int64)
        return Days(self.zone, number(self.first), number(self.last), days)

    @cached_property
    def hours(self) -> Hours | None:
        """Its hours; None when it has none."""
        spans = [
            (number(day) * DAY_S + start, number(day) * DAY_S + end)
            for day, spans in sorted(self.working.items())
            for start, end in spans
        ]
        if not spans:
            return None
        ends = np.array(spans, np.int64)
        return Hours(*instants_s(ends[:, 0], ends[:, 1], self.zone))

    def workdays(self, from_s: I64, to_s: I64) -> I64:
        """Working days elapsed between instants: those after the first one's day, up to and including the other's.

        Never below 0; UNKNOWN where it does not know one of the two days.
        """
        return self.days.between(self.days.of(from_s), self.days.of(to_s))

    def worked_s(self, from_s: I64, to_s: I64) -> I64:
        """Working seconds elapsed between instants; negative when the other comes first, UNKNOWN as above.

        Raises ValueError for a calendar without hours.
        """
        if self.hours is None:
            raise ValueError(f"the calendar {self.name} has no hours: name a calendar file that has")
        known = self.days.known(self.days.of(from_s)) & self.days.known(self.days.of(to_s))
        return np.where(known, self.hours.between(from_s, to_s), UNKNOWN)

    def require(self, answers: I64, asked_s: I64) -> I64:
        """Give the answers to what was asked of these instants, all of which it must know.

        Raises UnknownYearError naming the first that it does not.
        """
        unknown = np.flatnonzero(answers == UNKNOWN)
        if len(unknown):
            at = datetime.fromtimestamp(int(asked_s[unknown[0]]), zone(self.zone))
            raise UnknownYearError(self.beyond(at))
        return answers

    def beyond(self, at: datetime) -> str:
        """Say that it does not reach as far as what was asked of `at`, and what to do."""
        return (
            f"the calendar {self.name} knows {self.first} to {self.last}, which is not enough for {at.isoformat()}: "
            f"{self.remedy}"
        )


def number(day: date) -> int:
    """The days from 1970-01-01 to that day."""
    return day.toordinal() - EPOCH
