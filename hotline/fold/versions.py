"""What a row's version is made of: the size of its set, then the versions of fold, deadline rule and calendar."""

from __future__ import annotations

from hotline.rows import FOLD_VERSION
from hotline.subjects import TICKETS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime

SIZE_UNIT = 1 << 24
"""What one more member of the set adds to a row's version; below it stands what folded it."""


def folded_by(subject: Subject, working: WorkingTime = NO_WORKING_TIME) -> int:
    """The part of a row's version that says what folded it, by this program's fold and these rule and calendar."""
    return folded_by_versions(subject, FOLD_VERSION, working.rule_version, working.calendar_version)


def folded_by_versions(subject: Subject, fold: int, rule: int, calendar: int) -> int:
    """The same of any versions; only tickets have deadlines and working days."""
    return (fold << 16) + ((rule << 8) + calendar if subject is TICKETS else 0)
