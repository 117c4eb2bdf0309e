"""From questions to results: what was summed, set against its KPI, its buckets and the days that are covered."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from hotline.buckets import BUCKETS_MAX
from hotline.catalogue import Kpi, Measure, Quantile, Stock
from hotline.filled import Columns, is_filled
from hotline.queries import sums
from hotline.queries.coverage import Covered, read_covered, read_filled
from hotline.queries.question import Question, QuestionError, Scope, from_sums
from hotline.queries.totals import Cells, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hotline.periods import Period
    from hotline.queries.statement import Ask, Statement
    from hotline.subjects import Subject

    Parts = Iterable[tuple[Statement, Sequence[Measure]]]
    Source = Callable[[Subject, Sequence[Measure], Question, bool], Parts]
    Pair = tuple[int | None, int | None]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One number: of a KPI, over a span, of one scope or of all that was asked; `unit` is what its value counts."""

    kpi: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    scope: Scope | None
    numerator: int | None
    denominator: int | None
    value: float | int | None
    unit: str


def answer(question: Question, ask: Ask) -> list[Result]:
    """Answer from the stored sums: KPI by KPI as named, scope by scope, span by span.

    A KPI whose sums are not filled (see `hotline.filled`) has no value. Quantiles are no sums and are read from the
    rows. A split lists the scopes where there is anything to count.
    Raises QuestionError when the answer would be too long or is of rows, and whatever `ask` raises.
    """
    return list(_answer(from_sums(question), ask, _from_sums, read_filled(ask)))


def answer_from_rows(question: Question, ask: Ask) -> list[Result]:
    """Answer the same by counting the rows themselves, as the list behind a number does."""
    return list(_answer(question, ask, _from_rows))


def _from_sums(subject: Subject, measures: Sequence[Measure], question: Question, before: bool) -> Parts:  # noqa: FBT001
    yield (sums.sums_before if before else sums.sums)(subject, measures, question), measures


def _from_rows(subject: Subject, measures: Sequence[Measure], question: Question, before: bool) -> Parts:  # noqa: FBT001
    by_instant: dict[str, list[Measure]] = defaultdict(list)
    for measure in measures:
        by_instant[measure.at.name].append(measure)
    for together in by_instant.values():
        yield (sums.sums_of_rows_before if before else sums.sums_of_rows)(subject, together, question), together


def _answer(question: Question, ask: Ask, source: Source, filled: Columns | None = None) -> Iterator[Result]:
    """`filled`: the columns of sums that may be read; None where none are."""
    spans = question.spans()
    read = _Reading(question, ask, source, spans)
    for kpi in question.kpis:
        if filled is not None and not is_filled(kpi, filled, recent=question.recent):
            nothing: dict[str, list[Pair]] = {} if question.split else {"": [(None, None)] * len(spans)}
            yield from results_of(question, kpi, spans, nothing)
            continue
        pairs = read.quantiles(kpi) if isinstance(kpi.numerator, Quantile) else read.pairs(kpi)
        if _is_sum(kpi):  # where nobody looked, nobody can say 0
            pairs = {
                scope: [
                    (number if number or read.covered(kpi, span) else None, of)
                    for span, (number, of) in zip(spans, series, strict=True)
                ]
                for scope, series in pairs.items()
                if not question.split or _any(series)
            }
        yield from results_of(question, kpi, spans, pairs)


def results_of(
    question: Question, kpi: Kpi, spans: Sequence[Period], pairs: Mapping[str, Sequence[Pair]]
) -> Iterator[Result]:
    """Give a KPI's results, scope by scope, span by span; of a split those scopes that have anything to count.

    Raises QuestionError when they are too many.
    """
    shown = {scope: series for scope, series in sorted(pairs.items()) if not question.split or _any(series)}
    if len(shown) * len(spans) > BUCKETS_MAX:
        raise QuestionError(f"{kpi.name} has more than {BUCKETS_MAX:,} results: take coarser buckets, or one scope")
    for scope, series in shown.items():
        for span, (numerator, denominator) in zip(spans, series, strict=True):
            yield _result(kpi, span, _scope(question, scope), numerator, denominator)


class _Reading:
    """The sums of one question, each table asked once for all KPIs."""

    def __init__(self, question: Question, ask: Ask, source: Source, spans: Sequence[Period]) -> None:
        self._question = question
        self._ask = ask
        self._source = source
        self._starts = [span.start_s for span in spans]
        self._during: dict[str, dict[str, Cells]] = {}
        self._before: dict[str, dict[str, Cells]] = {}
        self._covered: dict[str, Covered] = {}

    def pairs(self, kpi: Kpi) -> dict[str, list[Pair]]:
        """Scope → numerator and denominator of each span."""
        subject = kpi.subject
        if subject.name not in self._during:
            self._during[subject.name] = self._read(subject, self._starts, before=False)
        during = self._during[subject.name]
        if isinstance(kpi.numerator, Stock):
            return self._inside(kpi.numerator, subject, during)
        series = [during[measure.column] for measure in kpi.measures]
        scopes = {scope for found in series for scope in found}
        nothing = [0] * len(self._starts)
        parts = {scope: [found.get(scope, nothing) for found in series] for scope in scopes}
        return {
            scope: [(pair[0], pair[1] if len(pair) > 1 else None) for pair in zip(*part, strict=True)]
            for scope, part in parts.items()
        }

    def quantiles(self, kpi: Kpi) -> dict[str, list[Pair]]:
        """Scope → the quantile, in the numerator's place, and how many values it was found among."""
        if not isinstance(kpi.numerator, Quantile):
            raise TypeError(f"{kpi.name} is no quantile: read it with pairs")
        rows = self._ask(sums.quantile(kpi.numerator, kpi.subject, self._question))
        value, number = cells(rows, self._starts, 2, split=self._question.split is not None)
        return {scope: list(zip(value[scope], number[scope], strict=True)) for scope in value}

    def covered(self, kpi: Kpi, span: Period) -> bool:
        """Whether the store covers a span, which makes a 0 a number."""
        name = kpi.subject.name
        if name not in self._covered:
            self._covered[name] = read_covered(kpi.subject, self._question, self._ask)
        return self._covered[name].until(span) if isinstance(kpi.numerator, Stock) else self._covered[name].within(span)

    def _inside(self, stock: Stock, subject: Subject, during: dict[str, Cells]) -> dict[str, list[Pair]]:
        if subject.name not in self._before:
            self._before[subject.name] = self._read(subject, [self._question.period.start_s], before=True)
        before = _changes(stock, self._before[subject.name], 1)
        steps = _changes(stock, during, len(self._starts))
        nothing = [0] * len(self._starts)
        return {
            scope: [
                (inside, None)
                for inside in list(accumulate(steps.get(scope, nothing), initial=before.get(scope, [0])[0]))[1:]
            ]
            for scope in before.keys() | steps.keys()
        }

    def _read(self, subject: Subject, starts: Sequence[int], *, before: bool) -> dict[str, Cells]:
        wanted = self._measures(subject, stocks_only=before)
        question = dataclasses.replace(self._question, by=None) if before else self._question
        found: dict[str, Cells] = defaultdict(dict)
        for statement, measures in self._source(subject, wanted, question, before):
            read = cells(self._ask(statement), starts, len(measures), split=question.split is not None)
            found.update(zip((measure.column for measure in measures), read, strict=True))
        return found

    def _measures(self, subject: Subject, *, stocks_only: bool) -> list[Measure]:
        kpis = [k for k in self._question.kpis if k.subject is subject]
        chosen = [k for k in kpis if isinstance(k.numerator, Stock) or not stocks_only]
        return list({measure.column: measure for k in chosen for measure in k.measures}.values())


def _changes(stock: Stock, found: dict[str, Cells], spans: int) -> Cells:
    """Subtract what left from what came, by scope and span."""
    came, left, nothing = found[stock.came.column], found[stock.left.column], [0] * spans
    return {
        scope: [i - o for i, o in zip(came.get(scope, nothing), left.get(scope, nothing), strict=True)]
        for scope in came.keys() | left.keys()
    }


def _any(series: Sequence[Pair]) -> bool:
    return any(numerator or denominator for numerator, denominator in series)


def _scope(question: Question, value: str) -> Scope | None:
    return Scope(question.split, value) if question.split else question.scope


def _is_sum(kpi: Kpi) -> bool:
    """Whether the value is the numerator itself."""
    return kpi.denominator is None and not isinstance(kpi.numerator, Quantile)


def _result(kpi: Kpi, span: Period, scope: Scope | None, numerator: int | None, denominator: int | None) -> Result:
    return Result(
        kpi=kpi.name,
        start=span.start,
        end=span.end,
        scope=scope,
        numerator=None if isinstance(kpi.numerator, Quantile) else numerator,
        denominator=denominator,
        value=kpi.value(numerator, denominator),
        unit=kpi.unit.label,
    )
