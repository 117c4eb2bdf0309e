"""A statement and its parameters, and the parts that statements share.

The text of a statement is made of names that this product declares; whatever comes from outside is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hotline.buckets import By
from hotline.catalogue import ALL
from hotline.names import DATABASE

if TYPE_CHECKING:
    from hotline.periods import Period
    from hotline.queries.question import Question
    from hotline.subjects import Subject


@dataclass(frozen=True)
class Statement:
    """SQL with `{name:Type}` in place of each value, and the values."""

    sql: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, str]:
        """Its parameters as ClickHouse takes them in an address: each a field of tab-separated text."""
        return {f"param_{name}": str(value).translate(_ESCAPES) for name, value in self.parameters.items()}


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
Ask = Callable[[Statement], Sequence[Sequence[Any]]]
"""Runs a statement and returns its rows; whole numbers may come as text."""

_BUCKET_OF = {
    By.MINUTE: "toStartOfMinute({at})",
    # An hour that clocks cut by moving half an hour is two: toStartOfHour makes one of them.
    By.HOUR: "toUnixTimestamp({at}) - (toUnixTimestamp({at}) + timeZoneOffset({at})) % 3600",
    By.DAY: "toDate({at})",
    By.WEEK: "toMonday({at})",
    By.MONTH: "toStartOfMonth({at})",
    By.QUARTER: "toStartOfQuarter({at})",
    By.YEAR: "toStartOfYear({at})",
}
"""They count in the zone of the column."""


def rows_table(subject: Subject) -> str:
    """Name the table of rows, the last version of each."""
    return f"{DATABASE}.{subject.rows_table} FINAL"


def during(at: str, period: Period) -> Statement:
    """Say that an instant is in a period."""
    return Statement(
        f"{at} >= fromUnixTimestamp({{from:Int64}}) AND {at} < fromUnixTimestamp({{to:Int64}})",
        {"from": period.start_s, "to": period.end_s},
    )


def until(at: str, end_s: int) -> Statement:
    """Say that an instant is before another, in epoch seconds."""
    return Statement(f"{at} < fromUnixTimestamp({{to:Int64}})", {"to": end_s})


def where(*conditions: Statement) -> Statement:
    """Join conditions."""
    joined = " AND ".join(condition.sql for condition in conditions if condition.sql)
    return Statement(joined, {name: value for part in conditions for name, value in part.parameters.items()})


def sums_scope(question: Question) -> Statement:
    """Choose the sums of the question's scope kind, and of its scope where it names one."""
    kind = Statement("scope_kind = {kind:String}", {"kind": question.kind})
    one = Statement("scope = {scope:String}", {"scope": question.scope.value if question.scope else ""})
    return kind if question.split else where(kind, one)


def rows_scope(question: Question) -> Statement:
    """Choose the rows of the question's scopes, by their own column."""
    if question.chosen is None or question.chosen.kind == ALL:
        return Statement("")
    named = {f"scope{place}": value for place, value in enumerate(question.chosen.values)}
    return Statement(f"{question.chosen.kind} IN ({', '.join(f'{{{name}:String}}' for name in named)})", named)


def grouped(
    question: Question, condition: Statement, *, table: str, at: str, who: str, values: Sequence[str]
) -> Statement:
    """Select values by bucket and scope: the epoch second of each bucket's first entry, the scope, then the values.

    `at` and `who` are the columns of the instant and the scope. Without buckets and split that is always one row.
    """
    groups = [_BUCKET_OF[question.by].format(at=at)] if question.by else []
    groups += [who] if question.split else []
    first = f"toUnixTimestamp(min({at}))" if groups else "0"
    return Statement(
        f"SELECT {first}, {who if question.split else repr('')}, {', '.join(values)} FROM {table} "  # noqa: S608  names of ours
        f"WHERE {condition.sql}" + (f" GROUP BY {', '.join(groups)}" if groups else ""),
        condition.parameters,
    )


def scope_column(question: Question) -> str:
    """Name the row's column that a split is by."""
    return question.kind if question.kind != ALL else repr("")
