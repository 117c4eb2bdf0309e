"""Where the sums of a span are read: in pieces of tables that together hold each sum once, in as few rows as can be.

Whole local days are read by the day, which the engine keeps beside the sums; of other days, a span's own part from the
sums themselves. What a kind of scope keeps by the hour comes from recent minutes there, while they hold all of a day,
else from whole hours, and from recent minutes at an edge that cuts one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards.spans import DAYS_SINCE, DAYS_UNTIL, HOURS_SINCE, HOURS_UNTIL, RECENT
from hotline.catalogue import Grain
from hotline.names import SUMS_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotline.catalogue import Measure
    from hotline.subjects import Subject


_WHOLE_DAYS = f"{SUMS_DAY} >= toDate32({DAYS_SINCE}) AND {SUMS_DAY} < toDate32({DAYS_UNTIL})"


@dataclass(frozen=True)
class Summand:
    """A sum that a statement needs, under the name it has there; of all time where a stock needs it."""

    measure: Measure
    ever: bool

    @property
    def name(self) -> str:
        """Its name in the statement."""
        return f"{self.measure.name}_ever" if self.ever else self.measure.name


@dataclass(frozen=True)
class Key:
    """What sums are grouped by: its name, and what it is of a row of sums, and of a whole day of them."""

    name: str
    of_row: str
    of_day: str
    fine: bool = False
    """A part of a day: by the day is only read what was before the span."""


@dataclass(frozen=True)
class Piece:
    """Rows of a table, and the sums that are read from them."""

    table: str
    summands: tuple[Summand, ...]
    when: Mapping[bool, str]
    """Which of the rows belong to the span (False), and which to what was before it ends (True)."""
    by_day: bool = False
    """The day is all that a statement may use of `at`; else the engine does not read by it."""
    of_city: bool = True
    """The city keeps the same sums, in a fraction of the rows."""


def pieces(subject: Subject, kind: str, summands: Sequence[Summand], *, days: bool) -> Iterator[Piece]:
    """Cut what a statement needs of one kind of scope; with `days` when whole ones can be read as such."""
    since = {False: "since_at", True: DAYS_UNTIL if days else "toStartOfDay(since_at)"}
    whole = {True: f"{SUMS_DAY} < toDate32({since[True]})"} | ({False: _WHOLE_DAYS} if days else {})
    for ever, when in whole.items():
        if some := tuple(summand for summand in summands if summand.ever is ever):
            yield Piece(subject.sums_table, some, {ever: when}, by_day=True)
    for grain in Grain:
        if some := tuple(summand for summand in summands if summand.measure.grains[kind] is grain):
            begins = {ever: since[ever] for ever in sorted({summand.ever for summand in some})}
            yield from _rest(subject, some, grain, begins, days=days)


def _rest(
    subject: Subject, some: tuple[Summand, ...], grain: Grain, begins: Mapping[bool, str], *, days: bool
) -> Iterator[Piece]:
    """Read what is not read by the day: of the span what is outside its whole days, of all time its last day."""
    outside = {ever: days and not ever for ever in begins}
    if grain is Grain.MINUTE:
        minutes = {ever: _between(since, "until_at", outside=outside[ever]) for ever, since in begins.items()}
        yield Piece(subject.sums_table, some, minutes)
        return
    hours, minutes = {}, {}
    for ever, since in begins.items():
        first = HOURS_SINCE if since == "since_at" else since
        hours[ever] = _between(first, f"least({HOURS_UNTIL}, {RECENT})", outside=outside[ever])
        cut = f"(at >= {RECENT} OR at < {first} OR at >= {HOURS_UNTIL})"
        minutes[ever] = f"{_between(since, 'until_at', outside=outside[ever])} AND {cut}"
    yield Piece(subject.sums_table, some, hours, of_city=False)
    yield Piece(subject.recent_table, some, minutes, of_city=False)


def _between(since: str, until: str, *, outside: bool) -> str:
    """Choose a span; one without any time is a false constant, which costs nothing, whatever lies in a granule."""
    if not outside:
        return f"{since} < {until} AND at >= {since} AND at < {until}"
    first, last = f"least({DAYS_SINCE}, {until})", f"greatest({DAYS_UNTIL}, {since})"
    return f"({_between(since, first, outside=False)} OR {_between(last, until, outside=False)})"
