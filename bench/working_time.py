"""Working time alone: a million deadlines by each kind of term, and by a rule of several terms, in seconds.

python -m bench.working_time [DEADLINES]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import numpy as np

from hotline.working_time import UNKNOWN, Rule, Term, chinese, due_s
from hotline.working_time.calendar_file import CalendarFile, calendar_of
from hotline.working_time.clocks import I64
from hotline.working_time.deadlines import deadlines_s

FIRST_S, LAST_S = 1_672_502_400, 1_704_038_400
"""The year 2023 in Shanghai."""
OFFICE = [("09:00", "12:00"), ("13:30", "17:30")]
CALENDAR: dict[str, Any] = {
    "format": 1,
    "name": "offices",
    "version": 1,
    "zone": "Asia/Shanghai",
    "first_day": date(2020, 1, 1),
    "last_day": date(2026, 12, 31),
    "base": "cn-1.11.0",
    "week": dict.fromkeys(["mon", "tue", "wed", "thu", "fri"], OFFICE),
    "extra_hours": OFFICE,
}
TERMS = {
    "5 working days": Term(within=5, unit="working_days"),
    "5 working days, until closing": Term(within=5, unit="working_days", ends="closing"),
    "4 working hours": Term(within=4, unit="working_hours", from_="receipt"),
    "2 calendar days": Term(within=2, unit="calendar_days", from_="next_day"),
    "24 hours": Term(within=24, unit="calendar_hours", from_="receipt"),
}


def timed(name: str, function: Callable[[], Any]) -> None:
    begun = time.perf_counter()
    found = function()
    took_s = time.perf_counter() - begun
    print(f"  {took_s:6.3f} s  {len(found) / took_s / 1e6:6.1f} million/s  {name}")
    if (found == UNKNOWN).any():
        raise RuntimeError(f"{name}: the calendar does not know some of them")


def receipts(count: int) -> I64:
    return np.random.default_rng(2023).integers(FIRST_S, LAST_S, count)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    at_s = receipts(count)
    calendar = calendar_of(msgspec.convert(CALENDAR, CalendarFile), "bench")
    due_s(TERMS["4 working hours"], calendar, at_s[:1])  # its tables are made once
    due_s(TERMS["5 working days"], chinese(), at_s[:1])
    print(f"{count:,} deadlines")
    for name, term in TERMS.items():
        timed(name, lambda term=term: due_s(term, calendar, at_s))  # type: ignore[misc]
    timed("5 working days, calendar cn", lambda: due_s(TERMS["5 working days"], chinese(), at_s))
    rule = Rule(format=1, name="bench", version=1, receipt="created", terms=list(TERMS.values()))
    places = np.arange(count) % len(rule.terms)
    timed("by a rule of all these terms", lambda: deadlines_s(rule, calendar, at_s, places))
    timed("working days elapsed", lambda: calendar.workdays(at_s, at_s + 5 * 86_400))


if __name__ == "__main__":
    main()
