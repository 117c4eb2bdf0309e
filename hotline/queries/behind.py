"""The list behind a number: the rows that it counts, and the events of one of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_type_hints

from hotline.catalogue import ALL, Kpi, Measure, Quantile, Stock, scope_kinds
from hotline.names import DATABASE
from hotline.queries.identity import Identity
from hotline.queries.question import QuestionError
from hotline.queries.statement import Statement, during, rows_scope, rows_table, until, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from hotline.queries.question import Question
    from hotline.rows import Row

_ROW_HEAD = ("source", "entity", "born_at")


@dataclass(frozen=True)
class Column:
    """A column of a listing; times are selected as epoch seconds, which no zone can blur."""

    name: str
    sql: str
    is_time: bool = False

    @property
    def selected(self) -> str:
        """What to select."""
        return f"toUnixTimestamp({self.sql})" if self.is_time else self.sql


@dataclass(frozen=True)
class Listing:
    """A statement whose rows are records of these columns."""

    statement: Statement
    columns: tuple[Column, ...]

    def records(self, rows: Iterable[Sequence[Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
        """Give the rows by column name, times aware and in `zone`."""
        return [
            {column.name: _shown(column, value, zone) for column, value in zip(self.columns, row, strict=True)}
            for row in rows
        ]

    def part(self, *, rows: int, skip: int = 0) -> Listing:
        """Give so many rows of it, after those that are skipped."""
        asked = {**self.statement.parameters, "rows": rows, "skip": skip}
        sql = f"{self.statement.sql} LIMIT {{rows:UInt64}} OFFSET {{skip:UInt64}}"
        return Listing(Statement(sql, asked), self.columns)


def condition(kpi: Kpi) -> dict[str, str]:
    """Say in SQL's words what each part of a KPI counts, and at which instant."""
    if isinstance(kpi.numerator, Stock):
        return {"came": _words(kpi, kpi.numerator.came), "left": _words(kpi, kpi.numerator.left)}
    if isinstance(kpi.numerator, Quantile):
        part = kpi.numerator
        place = f"value {part.part}/{part.whole} of the way up {part.value.name}"
        return {"value": f"{place} FROM {kpi.subject.rows_table} WHERE {part.sql_where}, AT {part.at.name}"}
    words = {"numerator": _words(kpi, kpi.numerator)}
    return words | ({"denominator": _words(kpi, kpi.denominator)} if kpi.denominator else {})


def behind(question: Question, *, page: int = 1, rows: int = 20, sort: str = "", descending: bool = False) -> Listing:
    """List the rows behind the one KPI of a question, `rows` a page from 1.

    `numerator` and `denominator` are what each row adds to them. The rows of a stock are those inside at the end.
    They are ordered by the column `sort`, what has none at the end, then by instant, source and entity. Raises
    QuestionError for a column that is not listed.
    """
    listing = _listing(question, _chosen(question), sort, descending=descending)
    return listing.part(rows=rows, skip=(page - 1) * rows)


def behind_row(question: Question, row: Identity) -> Listing:
    """List what one entity adds, 0 if nothing; more than one row when its id was born twice and no birth is named."""
    (kpi,) = question.kpis
    return _listing(question, _one(kpi, row))


def identity_of(record: Mapping[str, Any]) -> Identity:
    """Give the identity of a record of these listings."""
    return Identity(record["source"], record["entity"], int(record["born_at"].timestamp()))


def behind_count(question: Question) -> Statement:
    """Count the rows that all pages together list."""
    (kpi,) = question.kpis
    chosen = _chosen(question)
    return Statement(f"SELECT count() FROM {rows_table(kpi.subject)} WHERE {chosen.sql}", chosen.parameters)  # noqa: S608


def _columns_behind(kpi: Kpi) -> tuple[str, ...]:
    """Name the fields of the row that decide about this KPI."""
    parts: Sequence[Measure | Quantile] = [kpi.numerator] if isinstance(kpi.numerator, Quantile) else kpi.measures
    read: set[str] = set()
    for part in parts:
        if isinstance(part, Quantile):
            read |= {part.at.name, part.value.name}.union(*(test.reads for test in part.where))
        else:
            read |= part.reads
    return tuple(name for name in kpi.row.__struct_fields__ if name in read)


def events_of(kpi: Kpi, row: Identity) -> Listing:
    """List every event of an entity that is kept, revisions and conflicts included, in the order of the fold."""
    from hotline.columns import TIME

    subject = kpi.subject
    columns = tuple(Column(name, f"`{name}`", dtype == TIME) for name, dtype in subject.columns.items())
    rank = f"indexOf([{', '.join(repr(name) for name in subject.types)}], type)"
    table = f"{DATABASE}.{subject.events_table}"
    return _select(table, columns, _one(kpi, row), f"born_at, occurred_at, {rank}, revision, digest")


@dataclass(frozen=True)
class _Parts:
    """What a row adds to numerator and denominator, when it is listed, and by which instant; parameters aside."""

    numerator: str
    denominator: str
    listed: str
    at: str
    parameters: Mapping[str, str | int]


def _parts(kpi: Kpi, question: Question) -> _Parts:
    if isinstance(kpi.numerator, Stock):
        return _stock_parts(kpi.numerator, question)
    span = {"from": question.period.start_s, "to": question.period.end_s}
    if isinstance(kpi.numerator, Quantile):
        part = kpi.numerator
        counted = _counted(part, question)
        return _Parts(part.value.name, "1", counted, part.at.name, span)
    number, of = kpi.numerator, kpi.denominator
    counted = _counted(number, question)
    if of is None:
        return _Parts(_adds(number, counted), "NULL", counted, number.at.name, span)
    also = _counted(of, question)
    at = f"if({counted}, {number.at.name}, {of.at.name})"
    return _Parts(_adds(number, counted), _adds(of, also), f"({counted} OR {also})", at, span)


def _stock_parts(stock: Stock, question: Question) -> _Parts:
    end = {"to": question.period.end_s}
    came, left = (
        f"ifNull({until(part.at.name, question.period.end_s).sql} AND {part.sql_where}, false)"
        for part in (stock.came, stock.left)
    )
    inside = f"(toInt64({came}) - toInt64({left}))"
    return _Parts(inside, "NULL", f"{inside} != 0", f"if({came}, {stock.came.at.name}, {stock.left.at.name})", end)


def _counted(part: Measure | Quantile, question: Question) -> str:
    return f"ifNull({during(part.at.name, question.period).sql} AND {part.sql_where}, false)"


def _adds(measure: Measure, counted: str) -> str:
    value = "1" if measure.value is None else f"ifNull({measure.value.name}, 0)"
    return f"if({counted}, toInt64({value}), 0)"


def _chosen(question: Question) -> Statement:
    """Choose the rows that a question's one KPI counts."""
    (kpi,) = question.kpis
    parts = _parts(kpi, question)
    return where(Statement(parts.listed, parts.parameters), rows_scope(question))


def _one(kpi: Kpi, row: Identity) -> Statement:
    return row.chosen(f"{DATABASE}.{kpi.subject.rows_table}")


def listed(question: Question) -> tuple[Column, ...]:
    """Name the columns that the rows behind the one KPI of a question are listed with."""
    (kpi,) = question.kpis
    return (*_head(_parts(kpi, question)), *(_column(kpi, name) for name in _fields(kpi)))


def _listing(question: Question, chosen: Statement, sort: str = "", *, descending: bool = False) -> Listing:
    (kpi,) = question.kpis
    parts, columns = _parts(kpi, question), listed(question)
    asked = Statement(chosen.sql, {**parts.parameters, **chosen.parameters})
    first = f"{_sorted_by(sort, columns)} {'DESC' if descending else 'ASC'} NULLS LAST, " if sort else ""
    return _select(rows_table(kpi.subject), columns, asked, f"{first}{parts.at}, source, entity, born_at")


def _sorted_by(name: str, columns: tuple[Column, ...]) -> str:
    for column in columns:
        if column.name == name:
            return column.sql
    raise QuestionError(f"{name!r} is no column of these rows: {', '.join(column.name for column in columns)}")


def _select(table: str, columns: tuple[Column, ...], condition: Statement, order: str) -> Listing:
    selected = ", ".join(column.selected for column in columns)
    sql = f"SELECT {selected} FROM {table} WHERE {condition.sql} ORDER BY {order}"  # noqa: S608  names of ours
    return Listing(Statement(sql, condition.parameters), columns)


def _head(parts: _Parts) -> tuple[Column, ...]:
    return (
        Column("source", "source"),
        Column("entity", "entity"),
        Column("born_at", "born_at", is_time=True),
        Column("at", parts.at, is_time=True),
        Column("numerator", parts.numerator),
        Column("denominator", parts.denominator),
    )


def _fields(kpi: Kpi) -> list[str]:
    names = [*(kind for kind in scope_kinds(kpi.subject) if kind != ALL), *_columns_behind(kpi)]
    return list(dict.fromkeys(name for name in names if name not in _ROW_HEAD))


def _column(kpi: Kpi, name: str) -> Column:
    return Column(name, f"`{name}`", is_time=name in _instants(kpi.row))


@functools.cache
def _instants(row: type[Row]) -> frozenset[str]:
    hints = get_type_hints(row).items()
    return frozenset(name for name, hint in hints if datetime in {hint, *getattr(hint, "__args__", ())})


def _words(kpi: Kpi, measure: Measure) -> str:
    what = "count()" if measure.value is None else f"sum({measure.value.name})"
    return f"{what} FROM {kpi.subject.rows_table} WHERE {measure.sql_where}, AT {measure.at.name}"


def _shown(column: Column, value: Any, zone: ZoneInfo) -> Any:
    return datetime.fromtimestamp(int(value), zone) if column.is_time and value is not None else value
