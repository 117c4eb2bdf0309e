"""The rule of a deadline, as data: how long after receipt, by nature and category; see docs/working-time.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hotline.events.words import Nature
from hotline.working_time.calendar import VERSION_MAX, Calendar
from hotline.working_time.reading import read, wrong

Unit = Literal["working_days", "working_hours", "calendar_days", "calendar_hours"]
DAYS_MAX = 3_660
"""A deadline of more than ten years is a slip of the pen."""


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How long the tickets of a nature and category have. What is not named fits every ticket."""

    nature: Nature | None = None
    category: Annotated[str, Meta(min_length=1)] | None = None
    within: Annotated[int, Meta(ge=1, le=DAYS_MAX)]
    unit: Unit
    from_: Literal["receipt", "next_day", "next_working_day"] = "next_working_day"
    """Where counting begins: at receipt (its day is day one), with the next day, or with the next working day."""
    ends: Literal["day", "closing"] = "day"
    """For days: at the last second of the last day, or when its working hours end."""

    @property
    def needs_working_days(self) -> bool:
        """Whether it looks at which days are worked on."""
        return self.unit.startswith("working") or self.from_ == "next_working_day"

    @property
    def needs_hours(self) -> bool:
        """Whether it looks at working hours."""
        return self.unit == "working_hours" or self.ends == "closing"

    def covers(self, other: Term) -> bool:
        """Whether every ticket that `other` fits is one that this fits."""
        return self.nature in {None, other.nature} and self.category in {None, other.category}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule file holds. The first term that fits a ticket is its own; with none it has no deadline."""

    format: Literal[1]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    version: Annotated[int, Meta(ge=1, le=VERSION_MAX)]
    receipt: Literal["dispatched", "created"] = "dispatched"
    """What is the receipt: that the department got the ticket, or that the hotline did."""
    terms: list[Term] = []

    def term_of(self, nature: str, category: str) -> int | None:
        """The place of the term that fits, None when none does."""
        fits = (
            at
            for at, term in enumerate(self.terms)
            if term.nature in {None, nature} and term.category in {None, category}
        )
        return next(fits, None)


def rule_from(file: Path, calendar: Calendar) -> Rule:
    """The rule in a file, for that calendar. Raises WorkingTimeError."""
    rule = read(file, Rule)
    check(rule, calendar, file)
    return rule


def check(rule: Rule, calendar: Calendar, file: Path | str) -> None:
    """Refuse terms that can never be used, that contradict themselves, or that ask too much of the calendar."""
    for place, term in enumerate(rule.terms):
        _check_term(term, f"terms[{place}]", calendar, file)
        earlier = next((at for at in range(place) if rule.terms[at].covers(term)), None)
        if earlier is not None:
            raise wrong(
                file, f"terms[{place}]", f"never used, because terms[{earlier}] fits all its tickets", "move it up"
            )


def _check_term(term: Term, key: str, calendar: Calendar, file: Path | str) -> None:
    if term.ends == "closing" and term.unit != "working_days":
        raise wrong(
            file, f"{key}.ends", f"closing means nothing for {term.unit}", 'leave it out, or count "working_days"'
        )
    if term.needs_working_days and not calendar.working:
        what = f"{term.within} {term.unit} from {term.from_} need working days, and no calendar is set"
        raise wrong(file, key, what, "set calendar to cn or to a calendar file")
    if term.needs_hours and calendar.hours is None:
        what = f"the calendar {calendar.name} knows days and no hours"
        raise wrong(file, key, what, "set calendar to a calendar file, which may have it as its base")
