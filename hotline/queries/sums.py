"""Statements over the stored sums, the exact rows, and the days that the store covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.names import COVERED_DAYS_TABLE, DATABASE
from hotline.queries.statement import (
    Statement,
    during,
    grouped,
    rows_scope,
    rows_table,
    scope_column,
    sums_scope,
    until,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotline.catalogue import Measure, Quantile
    from hotline.queries.question import Question
    from hotline.subjects import Subject


def sums(subject: Subject, measures: Sequence[Measure], question: Question) -> Statement:
    """Sum measures over the period, from the stored sums."""
    condition = where(sums_scope(question), during("at", question.period))
    return _of_sums(subject, measures, question, condition)


def sums_before(subject: Subject, measures: Sequence[Measure], question: Question) -> Statement:
    """Sum measures over all time before the period; `question` is asked without buckets."""
    condition = where(sums_scope(question), until("at", question.period.start_s))
    return _of_sums(subject, measures, question, condition)


def sums_of_rows(subject: Subject, measures: Sequence[Measure], question: Question) -> Statement:
    """Sum measures that count at one instant over the period, from the rows themselves."""
    at = measures[0].at.name
    condition = where(during(at, question.period), rows_scope(question))
    return _of_rows(subject, at, question, condition, [f"sum({measure.sql})" for measure in measures])


def sums_of_rows_before(subject: Subject, measures: Sequence[Measure], question: Question) -> Statement:
    """Sum measures that count at one instant over all rows before the period; `question` is asked without buckets."""
    at = measures[0].at.name
    condition = where(until(at, question.period.start_s), rows_scope(question))
    return _of_rows(subject, at, question, condition, [f"sum({measure.sql})" for measure in measures])


def quantile(quantile: Quantile, subject: Subject, question: Question) -> Statement:
    """Find the smallest value with at least part/whole of all at or below it, and how many there are.

    It is the element ceil(part · n / whole) of the sorted values: whole numbers only, so that no rounding decides.
    """
    own = Statement(quantile.sql_where, {"part": quantile.part, "whole": quantile.whole})
    condition = where(own, during(quantile.at.name, question.period), rows_scope(question))
    place = "intDiv({part:UInt64} * count() + {whole:UInt64} - 1, {whole:UInt64})"
    values = [f"arrayElement(arraySort(groupArray({quantile.value.name})), {place})", "count()"]
    return _of_rows(subject, quantile.at.name, question, condition, values)


def covered_days(subject: Subject, question: Question) -> Statement:
    """List the local days that the store covers, up to the period's last."""
    return Statement(
        f"SELECT DISTINCT toString(day) FROM {DATABASE}.{COVERED_DAYS_TABLE} "  # noqa: S608  names of ours
        "WHERE subject = {subject:String} AND day <= toDate({last:String})",
        {"subject": subject.name, "last": question.period.last_day.isoformat()},
    )


def _of_sums(subject: Subject, measures: Sequence[Measure], question: Question, condition: Statement) -> Statement:
    values = [f"sum({measure.column})" for measure in measures]
    table = f"{DATABASE}.{subject.recent_table if question.recent else subject.sums_table}"
    return grouped(question, condition, table=table, at="at", who="scope", values=values)


def _of_rows(subject: Subject, at: str, question: Question, condition: Statement, values: Sequence[str]) -> Statement:
    return grouped(question, condition, table=rows_table(subject), at=at, who=scope_column(question), values=values)
