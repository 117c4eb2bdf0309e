"""What is asked, and whether it can be answered from what is stored."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hotline.buckets import By, buckets
from hotline.catalogue import ALL, CUTOFFS, KPIS, SCOPE_NAMES, Grain, Kpi, Quantile, Stock, scope_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hotline.periods import Period


class QuestionError(ValueError):
    """A question that cannot be answered; its message says what to write instead."""


class Scope(msgspec.Struct, frozen=True, order=True):
    """A part of the city, of the lines, of the departments …; a missing name is the value ""."""

    kind: str
    value: str


class Among(NamedTuple):
    """Several parts of one kind, taken together."""

    kind: str
    values: tuple[str, ...]


def parse_scope(text: str) -> Scope:
    """Read `kind=value`. Raises QuestionError."""
    kind, equals, value = text.partition("=")
    if not equals:
        raise QuestionError(f"{text!r} is no scope: write kind=value, such as district={text}")
    return Scope(_kind(kind.strip()), value.strip())


def pick(names: Iterable[str]) -> list[Kpi]:
    """Find the KPIs of these names, each once. Raises QuestionError that lists the nearest names."""
    return [_pick(name) for name in dict.fromkeys(names)]


@dataclass(frozen=True, kw_only=True)
class Question:
    """KPIs over a period: whole or by buckets, of everything, of one scope or several, or split by a kind of scope."""

    kpis: tuple[Kpi, ...]
    period: Period
    by: By | None = None
    scope: Scope | None = None
    split: str | None = None
    recent: bool = False
    """Ask the minutes of the last eight days of what is kept for ever by the hour only."""
    among: Among | None = None
    """Several scopes together, in place of one."""
    of_rows: bool = False
    """Ask the rows, which know every second and all their scopes: `among`, and a split of a scope, need that."""

    def __post_init__(self) -> None:
        if self.of_rows:
            self._check_rows()
            return
        if self.among:
            raise QuestionError("sums are kept of one scope at a time: ask the rows (of_rows) for several together")
        if self.scope and self.split:
            raise QuestionError(
                f"sums are kept by one kind of scope at a time: ask for {self.scope.kind} or {self.split}, not both"
            )
        _kind(self.kind)
        for kpi in self.kpis:
            _check_kept(kpi, self.kind)
            _check_grain(kpi, self)

    @property
    def kind(self) -> str:
        """The one kind of scope it is about; of rows, the kind that they are split by."""
        return self.split or (self.chosen.kind if self.chosen else ALL)

    @property
    def chosen(self) -> Among | None:
        """The scopes that it is limited to."""
        return Among(self.scope.kind, (self.scope.value,)) if self.scope else self.among

    def _check_rows(self) -> None:
        if self.scope and self.among:
            raise QuestionError("name one scope or several, not both")
        if self.among and not self.among.values:
            raise QuestionError(f"several of the kind {self.among.kind} are asked for: name one at least")
        for kind in filter(None, (self.split, self.chosen and self.chosen.kind)):
            for kpi in self.kpis:
                _check_kept(kpi, _kind(kind))

    def spans(self) -> list[Period]:
        """Give the spans that each get a result of their own. Raises QuestionError when they are too many."""
        try:
            return buckets(self.period, self.by) if self.by else [self.period]
        except ValueError as error:
            raise QuestionError(str(error)) from error


def from_sums(question: Question) -> Question:
    """Give a question that sums can answer. Raises QuestionError for one of rows."""
    if question.of_rows:
        raise QuestionError("this is asked of the rows: answer it with answer_from_rows")
    return question


def has_recent_minutes(kpi: Kpi, kind: str) -> bool:
    """Whether all that a KPI of flows adds up is kept by the hour for a kind of scope, and by the minute of late."""
    flows = not isinstance(kpi.numerator, Quantile | Stock)
    return flows and all(measure.grains.get(kind) is Grain.HOUR for measure in kpi.measures)


def _pick(name: str) -> Kpi:
    if name in CUTOFFS:
        raise QuestionError(f"{name} needs its cut-off: write --until with a day, such as --until 2023-06-30")
    if name not in KPIS:
        raise QuestionError(f"unknown KPI {name!r}; {_nearest(name, KPIS)}: hotline kpi --list shows all")
    return KPIS[name]


def _kind(name: str) -> str:
    if name not in SCOPE_NAMES:
        raise QuestionError(f"unknown kind of scope {name!r}; {_nearest(name, SCOPE_NAMES)}")
    return name


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, 3, 0.5)
    return f"nearest: {', '.join(near)}" if near else f"such as {', '.join(names[1:4])}"


def _check_kept(kpi: Kpi, kind: str) -> None:
    kept = [name for name in scope_kinds(kpi.subject) if kpi.grain(name)]
    if kind not in kept:
        named = ", ".join(name for name in kept if name != ALL)
        raise QuestionError(f"{kpi.name} is not kept by {kind}; it is kept by {named}")


def _check_grain(kpi: Kpi, question: Question) -> None:
    """Hours are whole: what asks for less, or begins or ends inside one, has no exact answer."""
    if question.recent:
        if not has_recent_minutes(kpi, question.kind):
            raise QuestionError(f"{kpi.name} has no recent minutes of their own by {question.kind}")
        return
    if isinstance(kpi.numerator, Quantile) or kpi.grain(question.kind) is Grain.MINUTE:
        return
    kept = f"the finest that {kpi.name} is kept for by {question.kind} is the hour"
    if question.by is By.MINUTE:
        raise QuestionError(f"{kept}: write --by hour, or coarser")
    for edge in (question.period.start, question.period.end):
        if edge.minute or edge.second:
            raise QuestionError(f"{kept}, and {edge:%H:%M} cuts one: write {_whole_hours(question.period)}")


def _whole_hours(period: Period) -> str:
    """Write the period as a range that cuts no hour, the hours at its ends included."""
    return "..".join(f"{edge:%Y-%m-%dT%H:%M}" for edge in (_hour(period.start), _hour_up(period.end)))


def _hour(edge: datetime) -> datetime:
    return edge.replace(minute=0, second=0)


def _hour_up(edge: datetime) -> datetime:
    return edge if not edge.minute else _hour(edge) + timedelta(hours=1)
