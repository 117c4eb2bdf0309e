"""Which local days the store covers: only there is nothing a 0; elsewhere it is no value."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from hotline.filled import FILLED_SQL, columns, is_filled
from hotline.queries.statement import Statement
from hotline.queries.sums import covered_days

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotline.catalogue import Kpi
    from hotline.filled import Columns
    from hotline.periods import Period
    from hotline.queries.question import Question
    from hotline.queries.statement import Ask
    from hotline.subjects import Subject


@dataclass(frozen=True)
class Covered:
    """The covered days of one subject, ascending."""

    days: tuple[date, ...]

    def within(self, span: Period) -> bool:
        """Whether any local day of a span is covered."""
        place = bisect_left(self.days, span.first_day)
        return place < len(self.days) and self.days[place] <= span.last_day

    def until(self, span: Period) -> bool:
        """Whether any day before the end of a span is covered, which a stock needs."""
        return bool(self.days) and self.days[0] <= span.last_day


def read_filled(ask: Ask) -> Columns:
    """Read which columns of sums are filled."""
    return columns(ask(Statement(FILLED_SQL)))


def unfilled(kpis: Iterable[Kpi], ask: Ask) -> list[str]:
    """Name those of some KPIs whose sums are not filled: they have no value until `hotline migrate` has run."""
    filled = read_filled(ask)
    return [kpi.name for kpi in kpis if not is_filled(kpi, filled)]


def read_covered(subject: Subject, question: Question, ask: Ask) -> Covered:
    """Read the covered days that a question may need."""
    rows = ask(covered_days(subject, question))
    return Covered(tuple(sorted(date.fromisoformat(str(row[0])) for row in rows)))
