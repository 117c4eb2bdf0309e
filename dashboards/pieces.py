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
    from collections.abc import Iterator, Sequence

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
    when: str
    by_day: bool = False
    """The day is all that a statement may use of `at`; else the engine does not read by it."""
    of_city: bool = True
    """The city keeps the same sums, in a fraction of the rows."""


def pieces(subject: Subject, kind: str, summands: Sequence[Summand], *, days: bool) -> Iterator[Piece]:
    """Cut what a statement needs of one kind of scope; with `days` when whole ones can be read as such."""
    for ever in (False, True):
        chosen = tuple(summand for summand in summands if summand.ever is ever)
        if not chosen:
            continue
        since = (DAYS_UNTIL if days else "toStartOfDay(since_at)") if ever else "since_at"
        if ever:
            yield Piece(subject.sums_table, chosen, f"{SUMS_DAY} < toDate32({since})", by_day=True)
        elif days:
            yield Piece(subject.sums_table, chosen, _WHOLE_DAYS, by_day=True)
        for grain in Grain:
            if some := tuple(summand for summand in chosen if summand.measure.grains[kind] is grain):
                yield from _rest(subject, some, grain, since, outside=days and not ever)


def _rest(
    subject: Subject, chosen: tuple[Summand, ...], grain: Grain, since: str, *, outside: bool = False
) -> Iterator[Piece]:
    """Read the span from an instant on; only what is outside its whole days, if `outside`."""
    if grain is Grain.MINUTE:
        yield Piece(subject.sums_table, chosen, _between(since, "until_at", outside=outside))
        return
    first = HOURS_SINCE if since == "since_at" else since
    hours = _between(first, f"least({HOURS_UNTIL}, {RECENT})", outside=outside)
    yield Piece(subject.sums_table, chosen, hours, of_city=False)
    cut = f"(at >= {RECENT} OR at < {first} OR at >= {HOURS_UNTIL})"
    minutes = f"{_between(since, 'until_at', outside=outside)} AND {cut}"
    yield Piece(subject.recent_table, chosen, minutes, of_city=False)


def _between(since: str, until: str, *, outside: bool) -> str:
    """Choose a span; one without any time is a false constant, which costs nothing, whatever lies in a granule."""
    if not outside:
        return f"{since} < {until} AND at >= {since} AND at < {until}"
    first, last = f"least({DAYS_SINCE}, {until})", f"greatest({DAYS_UNTIL}, {since})"
    return f"({_between(since, first, outside=False)} OR {_between(last, until, outside=False)})"
