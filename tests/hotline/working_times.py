"""A calendar and a rule about the births of random events, in both readings."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

import msgspec

from hotline.working_time import Rule, WorkingTime
from hotline.working_time.calendar_file import CalendarFile, calendar_of
from hotline.working_time.rule import check
from tests.hotline.naive_fold import Working
from tests.hotline.naive_working_time import Naive

OFFICE = [("09:00", "12:00"), ("13:30", "17:30")]
CALENDAR: dict[str, Any] = {
    "format": 1,
    "name": "of a test",
    "version": 3,
    "zone": "Asia/Shanghai",
    "first_day": date(2023, 2, 20),
    "last_day": date(2023, 3, 6),
    "week": dict.fromkeys("mon tue wed thu fri".split(), OFFICE),
    "breaks": [("16:00", "16:30")],
    "holidays": [date(2023, 3, 3)],
    "extra_days": [date(2023, 3, 4)],
    "extra_hours": [("10:00", "12:00")],
}
"""Known until a few days after the births, so that some deadlines lie beyond."""
TERMS: list[dict[str, Any]] = [
    {"category": "a", "within": 3, "unit": "working_hours", "from": "receipt", "ends": "day"},
    {"nature": "consult", "category": "b", "within": 2, "unit": "calendar_days", "from": "next_day", "ends": "day"},
    {"nature": "consult", "within": 1, "unit": "working_days", "from": "next_working_day", "ends": "closing"},
    {
        "nature": "other",
        "category": "b",
        "within": 2,
        "unit": "working_days",
        "from": "next_working_day",
        "ends": "day",
    },
]
"""Some natures and categories have no term."""


@functools.cache
def working_times(receipt: str) -> tuple[WorkingTime, Working]:
    """The product's working time, and the second reading of the same data."""
    calendar = calendar_of(msgspec.convert(CALENDAR, CalendarFile), "a file")
    content = {"format": 1, "name": "of a test", "version": 5, "receipt": receipt, "terms": TERMS}
    rule = msgspec.convert(content, Rule)
    check(rule, calendar, "a file")
    return WorkingTime(calendar, rule), Working(Naive(CALENDAR), 5, receipt, TERMS)
