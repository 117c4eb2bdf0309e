"""Stored sums, SQL over rows and one row at a time say the same of every KPI, on a real engine."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from hotline.buckets import By, buckets
from hotline.catalogue import ALL, KPIS, Grain, Kpi, Measure, Quantile, Stock, scope_kinds
from hotline.fold import Ticket
from hotline.periods import Period, parse
from hotline.queries import (
    Among,
    Identity,
    Question,
    QuestionError,
    Scope,
    Statement,
    answer,
    answer_from_rows,
    behind,
    behind_count,
    behind_row,
    identity_of,
    parse_scope,
    pick,
)
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from tests.hotline.stored_rows import ODD_NAME, Stored, stored
from tests.hotline.test_catalogue import EQUIVALENT, _mutated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotline.fold import Row
    from hotline.queries import Result

NOW = datetime(2023, 6, 1, tzinfo=UTC)
FIRST_BIRTHS = {
    "Asia/Shanghai": datetime(2023, 3, 1, tzinfo=UTC),
    "Asia/Kolkata": datetime(2023, 12, 31, 18, 30, tzinfo=UTC),  # a year begins, at half past
    "America/New_York": datetime(2023, 11, 5, 5, 30, tzinfo=UTC),  # in the hour that comes twice
    "Australia/Lord_Howe": datetime(2023, 4, 1, 14, 5, tzinfo=UTC),  # an hour on, clocks go back by half an hour
}
MONTHS = {
    "Asia/Shanghai": "2023-03",
    "Asia/Kolkata": "2024-01",
    "America/New_York": "2023-11",
    "Australia/Lord_Howe": "2023-04",
}
ENTITIES = 500

Known = tuple[int | None, int | None, float | int | None]


@pytest.fixture(scope="module", params=list(FIRST_BIRTHS))
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    zone = request.param
    folder = tmp_path_factory.mktemp("engine")
    with stored(folder, zone, entities=ENTITIES, first_birth=FIRST_BIRTHS[zone]) as found:
        yield found


def month(store: Stored) -> Period:
    return parse(MONTHS[store.zone.key], zone=store.zone, now=NOW)


def first_day(store: Stored) -> Period:
    start = FIRST_BIRTHS[store.zone.key].astimezone(store.zone)
    return parse(f"{start:%Y-%m-%d}", zone=store.zone, now=NOW)


def first_hour(store: Stored) -> Period:
    start_s = int(FIRST_BIRTHS[store.zone.key].astimezone(store.zone).replace(minute=0).timestamp())
    return Period.of(start_s, start_s + 3600, store.zone)


class Naive:
    """Results by looking at one row after the other."""

    def __init__(self, store: Stored) -> None:
        self._covered = store.covered
        self._rows = store.rows
        self._read: dict[str, list[tuple[float, Row, int]]] = {}

    def results(self, kpi: Kpi, spans: Sequence[Period], scope: Scope | None) -> list[Known]:
        """Give numerator, denominator and value of each span."""
        return [self._result(kpi, span, scope) for span in spans]

    def _result(self, kpi: Kpi, span: Period, scope: Scope | None) -> Known:
        if isinstance(kpi.numerator, Quantile):
            return self._quantile(kpi, kpi.numerator, span, scope)
        if isinstance(kpi.numerator, Stock):
            came, left = (self._sum(kpi, m, scope, 0, span.end_s) for m in (kpi.numerator.came, kpi.numerator.left))
            return self._count(kpi, span, came - left)
        numerator = self._sum(kpi, kpi.numerator, scope, span.start_s, span.end_s)
        if kpi.denominator is None:
            return self._count(kpi, span, numerator)
        denominator = self._sum(kpi, kpi.denominator, scope, span.start_s, span.end_s)
        scale = 86_400 if kpi.name.endswith("_days") else 1
        return numerator, denominator, numerator / denominator / scale if denominator else None

    def _count(self, kpi: Kpi, span: Period, number: int) -> Known:
        first = date(1990, 1, 1) if isinstance(kpi.numerator, Stock) else span.start.date()
        last = (span.end.astimezone(UTC) - timedelta(seconds=1)).astimezone(span.zone).date()
        covered = any(first <= day <= last for day in self._covered[kpi.subject.name])
        return (number, None, number) if number or covered else (None, None, None)

    def _sum(self, kpi: Kpi, measure: Measure, scope: Scope | None, start_s: int, end_s: int) -> int:
        if measure.column not in self._read:
            rows = self._rows[kpi.subject.name]
            self._read[measure.column] = [
                (getattr(row, measure.at.name).timestamp(), row, measure.of(row)) for row in rows if measure.of(row)
            ]
        return sum(n for at, row, n in self._read[measure.column] if start_s <= at < end_s and _in(row, scope))

    def _quantile(self, kpi: Kpi, quantile: Quantile, span: Period, scope: Scope | None) -> Known:
        start_s, end_s = span.start_s, span.end_s
        counted = [
            row
            for row in self._rows[kpi.subject.name]
            if (at := getattr(row, quantile.at.name)) is not None
            and start_s <= at.timestamp() < end_s
            and _in(row, scope)
            and all(test.of(row) for test in quantile.where)
        ]
        values = [value for row in counted if (value := getattr(row, quantile.value.name)) is not None]
        enough = [v for v in set(values) if sum(w <= v for w in values) * quantile.whole >= quantile.part * len(values)]
        if not values:
            return None, 0, None
        return None, len(values), min(enough) / 86_400 if kpi.name.endswith("_days") else min(enough)


def _in(row: Row, scope: Scope | None) -> bool:
    return scope is None or getattr(row, scope.kind) == scope.value


def known(results: Sequence[Result]) -> dict[tuple[str, Any, int, int], Known]:
    return {
        (r.kpi, r.scope, int(r.start.timestamp()), int(r.end.timestamp())): (r.numerator, r.denominator, r.value)
        for r in results
    }


def naive(store: Stored, kpis: Sequence[Kpi], spans: Sequence[Period], kind: str) -> dict[Any, Known]:
    found: dict[Any, Known] = {}
    by_hand = Naive(store)
    for kpi in kpis:
        names = sorted({getattr(row, kind) for row in store.rows[kpi.subject.name]}) if kind != ALL else []
        scopes: list[Scope | None] = [Scope(kind, name) for name in names]
        for scope in scopes or [None]:
            results = by_hand.results(kpi, spans, scope)
            if scope is None or any(r[0] or r[1] for r in results):
                found |= {(kpi.name, scope, s.start_s, s.end_s): r for s, r in zip(spans, results, strict=True)}
    return found


def _kpis(kind: str, *, whole_hours: bool = True) -> tuple[Kpi, ...]:
    finest = Grain.HOUR if whole_hours else Grain.MINUTE
    kept = [k for k in KPIS.values() if kind in scope_kinds(k.subject)]
    return tuple(k for k in kept if (k.grain(kind) or 9999) <= finest)


CASES: list[tuple[str, By | None, str]] = [
    ("month", None, ALL),
    *(("month", None, kind) for kind in scope_kinds(TICKETS) if kind != ALL),
    ("month", By.DAY, ALL),
    ("month", By.DAY, "department"),
    ("month", By.WEEK, "district"),
    ("month", By.MONTH, ALL),
    ("month", By.QUARTER, ALL),
    ("month", By.YEAR, "line"),
    ("day", By.HOUR, ALL),
    ("day", By.HOUR, "category"),
    ("minutes", By.MINUTE, ALL),
    ("minutes", By.MINUTE, "line"),
    ("minutes", By.HOUR, "district"),
]


@pytest.mark.parametrize(("span", "by", "kind"), CASES)
def test_sums_and_rows_and_single_rows_agree(store: Stored, span: str, by: By | None, kind: str) -> None:
    first_s = int(FIRST_BIRTHS[store.zone.key].timestamp())
    period = {
        "month": month(store),
        "day": first_day(store),
        "minutes": Period.of(first_s - 60, first_s + 5400, store.zone),
    }[span]
    kpis = _kpis(kind, whole_hours=span != "minutes")
    question = Question(kpis=kpis, period=period, by=by, split=None if kind == ALL else kind)
    spans = buckets(period, by) if by else [period]
    expected = naive(store, kpis, spans, kind)
    assert known(answer(question, store.reader.ask)) == expected
    assert known(answer_from_rows(question, store.reader.ask)) == expected
    assert any(value for _, _, value in expected.values()), "nothing was counted, so nothing was compared"


@pytest.mark.parametrize("name", ["a", "", ODD_NAME, "nobody' OR '1'='1"])
def test_one_scope_is_its_line_of_the_split(store: Stored, name: str) -> None:
    scope, period = Scope("district", name), month(store)
    kpis = _kpis("district")
    by_hand = Naive(store)
    results = answer(Question(kpis=kpis, period=period, scope=scope), store.reader.ask)
    for kpi, result in zip(kpis, results, strict=True):
        assert (result.kpi, result.scope) == (kpi.name, scope)
        assert [(result.numerator, result.denominator, result.value)] == by_hand.results(kpi, [period], scope)
    if name in {"a", ODD_NAME}:
        assert any(result.value for result in results)


def test_a_split_adds_up_to_the_whole(store: Stored) -> None:
    counts = tuple(k for k in KPIS.values() if k.denominator is None and not isinstance(k.numerator, Quantile))
    for kind in scope_kinds(TICKETS)[1:]:
        kept = tuple(k for k in counts if kind in scope_kinds(k.subject))
        whole = answer(Question(kpis=kept, period=month(store)), store.reader.ask)
        parts = answer(Question(kpis=kept, period=month(store), split=kind), store.reader.ask)
        for result in whole:
            assert sum(part.numerator or 0 for part in parts if part.kpi == result.kpi) == result.numerator


def test_nothing_is_0_only_where_the_store_covers_it(store: Stored) -> None:
    kpis = tuple(pick(["calls_offered", "calls_waiting", "answer_rate", "wait_p90_s"]))
    before, after = (parse(text, zone=store.zone, now=NOW) for text in ("2001-01-01", "2050-01-01"))
    assert [
        (r.numerator, r.denominator, r.value) for r in answer(Question(kpis=kpis, period=before), store.reader.ask)
    ] == [
        (None, None, None),
        (None, None, None),
        (0, 0, None),
        (None, 0, None),
    ]
    offered, waiting, *_ = answer(Question(kpis=kpis, period=after), store.reader.ask)
    assert (offered.numerator, offered.value) == (None, None)
    assert waiting.numerator == waiting.value == Naive(store).results(kpis[1], [after], None)[0][0]
    covered = min(store.covered["calls"])
    scope = Scope("district", "nobody")
    period = parse(str(covered), zone=store.zone, now=NOW)
    offered, *_ = answer(Question(kpis=kpis, period=period, scope=scope), store.reader.ask)
    assert (offered.numerator, offered.value) == (0, 0)


@pytest.mark.parametrize("store", ["Asia/Shanghai"], indirect=True)
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_changed_comparison_changes_what_the_engine_counts(store: Stored, subject: Any) -> None:
    kept = {m.column: m for k in KPIS.values() if k.subject is subject for m in k.measures}
    mutants = [
        mutant
        for measure in kept.values()
        for mutant in _mutated(measure)
        if not any((t.left.name, t.op, t.right) in EQUIVALENT for t in mutant.where)
    ]
    rows = store.rows[subject.name]
    # Weights make a sum tell which rows are in it, not only how many.
    weights = "(cityHash64(entity) % 1000003)"
    columns = ", ".join(f"sum({measure.sql} * {weights})" for measure in (*kept.values(), *mutants))
    counted = store.reader.ask(Statement(f"SELECT {columns} FROM hotline.{subject.rows_table} FINAL"))[0]  # noqa: S608
    truth = dict(zip(kept, counted, strict=False))
    names = {m.name: m.column for m in kept.values()}
    survivors = [
        mutant.sql_where
        for mutant, value in zip(mutants, counted[len(kept) :], strict=True)
        if value == truth[names[mutant.name]]
        and any(mutant.of(row) != kept[names[mutant.name]].of(row) for row in rows)
    ]
    assert survivors == []
    assert len(mutants) > 30


@pytest.mark.parametrize("store", ["America/New_York"], indirect=True)
@pytest.mark.parametrize("kpi", KPIS.values(), ids=list(KPIS))
def test_the_list_behind_a_number_adds_up_to_it(store: Stored, kpi: Kpi) -> None:
    # Who is due within the hour is nobody at the end of a month in which nothing is created.
    period = first_hour(store) if kpi.name == "tickets_due_1h" else month(store)
    question = Question(kpis=(kpi,), period=period, scope=Scope("district", "a"))
    (result,) = answer(question, store.reader.ask)
    total = int(store.reader.ask(behind_count(question))[0][0])
    pages = []
    for page in range(1, total // 90 + 2):
        listing = behind(question, page=page, rows=90)
        pages += listing.records(store.reader.ask(listing.statement), store.zone)
    assert len(pages) == total > 0
    if isinstance(kpi.numerator, Quantile):
        assert len(pages) == result.denominator
    else:
        assert sum(int(row["numerator"]) for row in pages) == result.numerator
        assert sum(int(row["denominator"] or 0) for row in pages) == (result.denominator or 0)
    assert {row["district"] for row in pages} == {"a"}
    order = [(row["at"].timestamp(), row["source"], row["entity"]) for row in pages]
    assert order == sorted(order)
    first = pages[0]
    for named in (identity_of(first), Identity(first["source"], first["entity"])):
        listing = behind_row(question, named)
        assert first in listing.records(store.reader.ask(listing.statement), store.zone)


@pytest.mark.parametrize("store", ["Asia/Shanghai"], indirect=True)
def test_rows_of_several_scopes_are_split_by_another_kind_and_cut_at_any_second(store: Stored) -> None:
    """As the rows themselves say; the list behind is of the same rows, in the order of a column."""
    asked = Among("line", ("a", ""))
    period = Period.of(month(store).start_s + 3601, month(store).end_s - 59, store.zone)
    question = _ask(store, of_rows=True, among=asked, split="district", period=period)
    known = Counter(
        row.district
        for row in store.rows["tickets"]
        if isinstance(row, Ticket)
        and row.line in asked.values
        and row.created_at
        and period.start_s <= row.created_at.timestamp() < period.end_s
    )
    found = {each.scope.value: each.numerator for each in answer_from_rows(question, store.reader.ask) if each.scope}
    assert found == known
    assert len(known) > 2
    for falls in (False, True):
        listing = behind(question, rows=10_000, sort="district", descending=falls)
        rows = listing.records(store.reader.ask(listing.statement), store.zone)
        assert len(rows) == sum(known.values()) == int(store.reader.ask(behind_count(question))[0][0])
        assert [row["district"] for row in rows] == sorted(
            (row["district"] for row in rows), key=str.encode, reverse=falls
        )
        for _, equal in groupby(rows, key=lambda row: row["district"]):
            order = [(row["at"].timestamp(), row["source"], row["entity"]) for row in equal]
            assert order == sorted(order)


def _ask(store: Stored, **asked: Any) -> Question:
    asked = {"kpis": tuple(pick(["tickets_created"])), "period": month(store), **asked}
    return Question(**asked)


@pytest.mark.parametrize(
    ("misuse", "says"),
    [
        (lambda _: pick(["tickets_openn"]), "tickets_open"),
        (lambda _: pick(["Answer_Rate"]), "answer_rate"),
        (lambda _: parse_scope("Gusu"), "district=Gusu"),
        (lambda _: parse_scope("distrct=Gusu"), "nearest: district"),
        (lambda s: _ask(s, split="departments"), "nearest: department"),
        (lambda s: _ask(s, kpis=tuple(pick(["calls_offered"])), split="department"), "kept by line, district"),
        (lambda s: _ask(s, kpis=tuple(pick(["wait_p50_s"])), split="department"), "kept by line, district"),
        (lambda s: _ask(s, split="line", scope=Scope("district", "a")), "not both"),
        (lambda s: _ask(s, among=Among("line", ("a",))), "of_rows"),
        (lambda s: _ask(s, of_rows=True, among=Among("line", ("a",)), scope=Scope("line", "b")), "not both"),
        (lambda s: _ask(s, of_rows=True, among=Among("line", ())), "name one at least"),
        (lambda s: _ask(s, kpis=tuple(pick(["calls_offered"])), of_rows=True, split="department"), "kept by line"),
        (lambda s: answer(_ask(s, of_rows=True), s.reader.ask), "answer_from_rows"),
        (lambda s: behind(_ask(s), sort="caller"), "'caller' is no column of these rows: source, entity"),
        (lambda s: behind(_ask(s), sort="at DESC --"), "is no column"),
        (lambda s: _ask(s, by=By.MINUTE, split="channel"), "write --by hour"),
        (
            lambda s: _ask(s, split="channel", period=_cut(s)),
            r"write \d{4}-\d\d-\d\dT\d\d:00\.\.\d{4}-\d\d-\d\dT\d\d:00",
        ),
        (
            lambda s: _ask(s, by=By.MINUTE, period=parse("2000-01-01..2010-01-01", zone=s.zone, now=NOW)).spans(),
            "coarser",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_can(
    store: Stored, misuse: Callable[[Stored], object], says: str
) -> None:
    with pytest.raises(QuestionError, match=says):
        misuse(store)


def _cut(store: Stored) -> Period:
    start_s = month(store).start_s
    return Period.of(start_s + 600, start_s + 7200, store.zone)


def test_no_value_of_a_user_stands_in_a_statement(store: Stored) -> None:
    seen: list[Statement] = []

    def ask(statement: Statement) -> list[list[Any]]:
        seen.append(statement)
        return []

    question = Question(kpis=_kpis("line"), period=month(store), scope=Scope("line", ODD_NAME))
    answer(question, ask)
    answer_from_rows(question, ask)
    assert seen
    assert all(ODD_NAME not in statement.sql for statement in seen)


def test_a_repeated_part_of_the_sums_is_asked_once(store: Stored) -> None:
    asked: list[str] = []

    def ask(statement: Statement) -> Any:
        asked.append(statement.sql)
        return store.reader.ask(statement)

    kpis = tuple(k for k in KPIS.values() if k.subject is CALLS and not isinstance(k.numerator, Quantile))
    answer(Question(kpis=kpis, period=month(store), by=By.DAY), ask)
    assert len(asked) == 4, "what is filled, the sums, the sums before for stocks, the covered days"


def test_every_field_of_a_question_survives_a_copy(store: Stored) -> None:
    question = _ask(store, by=By.DAY, split="line")
    assert dataclasses.replace(question) == question
