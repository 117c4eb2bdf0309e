"""Working time: deadlines, and how many working days and hours lie between two instants.

`clocks` turns wall-clock time of a zone into instants · `hours` and `days` count in it · `calendar` is both with a
version, as `chinese` knows it or `calendar_file` gives it · `rule` says how long a ticket has, `deadlines` when that is
over · `tickets` puts both on rows, for the fold · `loading` reads what the settings name.
"""

from hotline.working_time.calendar import Calendar, Holiday
from hotline.working_time.calendar_file import calendar_from
from hotline.working_time.chinese import chinese
from hotline.working_time.deadlines import deadlines_s, due_s
from hotline.working_time.errors import UnknownYearError, WorkingTimeError
from hotline.working_time.hours import UNKNOWN, Hours
from hotline.working_time.loading import load_calendar, load_working_time
from hotline.working_time.rule import Rule, Term, rule_from
from hotline.working_time.tickets import NO_WORKING_TIME, WorkingTime, with_working_time

__all__ = [
    "NO_WORKING_TIME",
    "UNKNOWN",
    "Calendar",
    "Holiday",
    "Hours",
    "Rule",
    "Term",
    "UnknownYearError",
    "WorkingTime",
    "WorkingTimeError",
    "calendar_from",
    "chinese",
    "deadlines_s",
    "due_s",
    "load_calendar",
    "load_working_time",
    "rule_from",
    "with_working_time",
]
