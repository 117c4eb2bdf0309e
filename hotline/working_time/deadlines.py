"""Deadlines by a rule, a million at a time."""

from __future__ import annotations

import numpy as np

from hotline.working_time.calendar import Calendar
from hotline.working_time.clocks import DAYS, FIRST_DAY, I64
from hotline.working_time.hours import UNKNOWN
from hotline.working_time.rule import Rule, Term

HOUR_S = 3600
NO_TERM = -1


def deadlines_s(rule: Rule, calendar: Calendar, receipt_s: I64, term: I64) -> I64:
    """The deadline of each ticket in epoch seconds, by its receipt and the place of its term (NO_TERM: none).

    UNKNOWN without a term, and where the calendar does not reach.
    """
    found = np.full(len(receipt_s), UNKNOWN)
    for place, one in enumerate(rule.terms):
        mine = np.flatnonzero(term == place)
        if len(mine):
            found[mine] = due_s(one, calendar, receipt_s[mine])
    return found


def due_s(term: Term, calendar: Calendar, receipt_s: I64) -> I64:
    """When each receipt's term is over, in epoch seconds; UNKNOWN where the calendar does not reach."""
    answer = _by_days if term.unit.endswith("_days") else _by_hours
    due, known = answer(term, calendar, receipt_s), np.ones(len(receipt_s), bool)
    if term.needs_working_days:
        known = calendar.days.known(calendar.days.of(receipt_s))
    return np.where(known, due, UNKNOWN)


def _by_days(term: Term, calendar: Calendar, receipt_s: I64) -> I64:
    """The end of a day."""
    first = _first_day(term, calendar, receipt_s)
    if term.unit == "calendar_days":
        last = np.where(first == UNKNOWN, UNKNOWN, first + term.within - 1)
    else:
        last = calendar.days.from_(first, term.within)
    tabled = (last >= FIRST_DAY) & (last < FIRST_DAY + DAYS)
    ends = calendar.days.end_s(np.where(tabled, last, FIRST_DAY))
    if term.ends == "closing" and calendar.hours is not None:
        return np.where(tabled, calendar.hours.closing(ends), UNKNOWN)
    return np.where(tabled, ends - 1, UNKNOWN)


def _by_hours(term: Term, calendar: Calendar, receipt_s: I64) -> I64:
    """A moment of a day."""
    begin = receipt_s
    if term.from_ != "receipt":
        first = _first_day(term, calendar, receipt_s)
        known = first != UNKNOWN
        midnight = calendar.days.end_s(np.where(known, first, FIRST_DAY + 1) - 1)
        begin = np.where(known, midnight, UNKNOWN)
    if term.unit == "calendar_hours" or calendar.hours is None:
        return np.where(begin == UNKNOWN, UNKNOWN, begin + term.within * HOUR_S)
    return np.where(begin == UNKNOWN, UNKNOWN, calendar.hours.after(begin, term.within * HOUR_S))


def _first_day(term: Term, calendar: Calendar, receipt_s: I64) -> I64:
    """The day that counts as day one."""
    day = calendar.days.of(receipt_s)
    if term.from_ == "receipt":
        return day
    return day + 1 if term.from_ == "next_day" else calendar.days.from_(day + 1, 1)
