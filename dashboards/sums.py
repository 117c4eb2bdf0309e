"""Statements of panels, out of the stored sums: what a KPI declares, over a span, of the scopes that are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards.pieces import Key, Summand, pieces
from dashboards.words import UNNAMED
from hotline.catalogue import ALL, Grain, Kpi, Measure, Quantile, Stock, Unit
from hotline.filled import FILLED_SQL
from hotline.names import COVERED_DAYS_TABLE, DATABASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pieces import Piece
    from dashboards.spans import Span
    from hotline.subjects import Subject

SCOPES_MAX = 100_000
SCOPE = Key("scope", "scope", "scope")
SCOPE_NAME = f"if(scope = '', '{UNNAMED}', scope)"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """KPIs of one subject over a span, of all scopes of a kind or of those that the variable `chosen` names."""

    kpis: tuple[Kpi, ...]
    span: Span
    kind: str = ALL
    chosen: str = ""

    def __post_init__(self) -> None:
        if len({kpi.subject.name for kpi in self.kpis}) != 1:
            raise ValueError(f"KPIs of one subject make a statement: {[kpi.name for kpi in self.kpis]}")
        for kpi in self.kpis:
            if isinstance(kpi.numerator, Quantile) or kpi.grain(self.kind) is None:
                raise ValueError(f"no sums of {kpi.name} are kept by {self.kind}")

    @property
    def subject(self) -> Subject:
        """The subject of all its KPIs."""
        return self.kpis[0].subject

    def heads(self, *, days_back: int = 0) -> str:
        """Bind what statements read: the span's instants, moved back by local days, and which columns are filled."""
        columns = f"SELECT groupArray((toString(sums_table), sums_column)) FROM ({FILLED_SQL})"  # noqa: S608  names of ours
        return f"{self.span.heads(days_back=days_back)}, ({columns}) AS filled"

    def covered_heads(self) -> str:
        """Bind besides whether the store covers a day of the span, and of all time, where a count asks for it."""
        asked = dict.fromkeys(_covered(kpi) for kpi in self.kpis if _is_number(kpi))
        counted = {name: f"({days(self.subject, 'count()')} AND {_COVERED[name]}) > 0" for name in asked}
        return "".join([self.heads(), *(f", {what} AS {name}" for name, what in counted.items())])

    def scopes(self, *, as_city: bool) -> str:
        """The condition that chooses its sums; of the city instead of all scopes, which are the same, if `as_city`."""
        if self.kind == ALL:
            return f"scope_kind = '{ALL}' AND scope = ''"
        if not self.chosen:
            return f"scope_kind = '{self.kind}'"
        everything = f"$__conditionalAll(1 = 0, ${self.chosen})"
        kind = f"if({everything}, '{ALL}', '{self.kind}')" if as_city else f"'{self.kind}'"
        names = f"(${{{self.chosen}:singlequote}})"  # a function of `scope` would hide it from the primary key
        named = f"$__conditionalAll((scope IN {names} OR scope = '' AND '{UNNAMED}' IN {names}), ${self.chosen})"
        return f"scope_kind = {kind} AND {named}"


def total(asked: Asked) -> str:
    """Select the value of each KPI in one row."""
    values = ", ".join(f"{value(kpi, asked.kind, _covered(kpi))} AS {kpi.name}" for kpi in asked.kpis)
    return f"{asked.covered_heads()} SELECT {values} FROM ({summed(asked)})"  # noqa: S608  names of ours


def split(asked: Asked, *, order: str, rows_max: int = 1000) -> str:
    """Select `name` and the value of each KPI, a row for each scope that has anything to count.

    `order` is what follows ORDER BY. The scope "" is called `UNNAMED`.
    """
    values = ", ".join(f"{value(kpi, asked.kind, _covered(kpi))} AS {kpi.name}" for kpi in asked.kpis)
    return (
        f"{asked.covered_heads()} SELECT {SCOPE_NAME} AS name, {values} "  # noqa: S608  names of ours
        f"FROM ({summed(asked, [SCOPE])}) WHERE arrayExists(sum -> sum != 0, sums) ORDER BY {order} LIMIT {rows_max}"
    )


def parts(asked: Asked) -> str:
    """Select the numerator, the denominator and the value of the one KPI, as `total` does the value alone."""
    (kpi,) = asked.kpis
    shown = value(kpi, asked.kind, _covered(kpi))
    ratio = kpi.denominator is not None
    numerator = where_filled(kpi, asked.kind, kpi.measures[0].name) if ratio else shown
    denominator = where_filled(kpi, asked.kind, kpi.measures[1].name) if ratio else "NULL"
    return (
        f"{asked.covered_heads()} SELECT {numerator} AS numerator, {denominator} AS denominator, {shown} AS value "  # noqa: S608  names of ours
        f"FROM ({summed(asked)})"
    )


def top(asked: Asked, *, rows_max: int) -> str:
    """Select `name`, the value of the one count and its `share` of all scopes, of those with the most."""
    (kpi,) = asked.kpis
    share = f"{kpi.name} / nullIf(sum({kpi.name}) OVER (), 0) AS share"
    every = split(asked, order="name", rows_max=SCOPES_MAX)
    return (
        f"SELECT name, {kpi.name}, {share} FROM ({every}) "  # noqa: S608  names of ours
        f"ORDER BY {kpi.name} DESC, name LIMIT {rows_max}"
    )


def changed(kpis: tuple[Kpi, ...], now: str, before: str, by: str = "") -> str:
    """Select the values of one statement and, as `…_change`, how they differ from those of another.

    `by` is the column that joins their rows. Shares differ by percentage points, all else by a part of what was before.
    """
    values = ", ".join(f"now.{kpi.name} AS {kpi.name}, {_change(kpi)} AS {kpi.name}_change" for kpi in kpis)
    if by:
        joined = f"LEFT JOIN ({before}) AS before ON now.{by} = before.{by}"
        return f"SELECT now.{by} AS {by}, {values} FROM ({now}) AS now {joined}"  # noqa: S608  names of ours
    return f"SELECT {values} FROM ({now}) AS now CROSS JOIN ({before}) AS before"  # noqa: S608  names of ours


def _change(kpi: Kpi) -> str:
    now, before = f"now.{kpi.name}", f"before.{kpi.name}"
    return f"({now} - {before}) * 100" if kpi.unit is Unit.SHARE else f"{now} / nullIf({before}, 0) - 1"


def value(kpi: Kpi, kind: str, covered: str) -> str:
    """The value of a KPI from its sums; a count is 0 only where the store covers what was asked, else nothing."""
    if not _is_number(kpi):
        above, below = kpi.measures
        scale = f" / {kpi.unit.scale}" if kpi.unit.scale != 1 else ""
        return where_filled(kpi, kind, f"{above.name} / nullIf({below.name}, 0){scale}")
    number = amount(kpi)
    return where_filled(kpi, kind, f"if({number} != 0 OR {covered}, {number}, NULL)")


def where_filled(kpi: Kpi, kind: str, shown: str) -> str:
    """A value, or nothing while a column that it is read from lacks something of the past (see `hotline.filled`)."""
    by_hour = any(measure.grains[kind] is Grain.HOUR for measure in kpi.measures)
    tables = [kpi.subject.sums_table, *([kpi.subject.recent_table] if by_hour else [])]
    read = sorted({(table, measure.column) for table in tables for measure in kpi.measures})
    named = ", ".join(f"('{table}', '{column}')" for table, column in read)
    return f"if(hasAll(filled, [{named}]), {shown}, NULL)"


def amount(kpi: Kpi) -> str:
    """The sum of a count, or of how many are inside."""
    if isinstance(kpi.numerator, Stock):
        came, left = (Summand(part, ever=True).name for part in kpi.measures)
        return f"({came} - {left})"
    return kpi.measures[0].name


def days(subject: Subject, of: str = "day") -> str:
    """Select the covered days of a subject."""
    return f"SELECT {of} FROM {DATABASE}.{COVERED_DAYS_TABLE} WHERE subject = '{subject.name}'"  # noqa: S608


IN_SPAN = "day >= toDate(since_at) AND day <= toDate(until_at - 1)"


_COVERED = {"covered": IN_SPAN, "ever_covered": "day <= toDate(until_at - 1)"}


def _covered(kpi: Kpi) -> str:
    return "ever_covered" if isinstance(kpi.numerator, Stock) else "covered"


def _is_number(kpi: Kpi) -> bool:
    """Whether it is a count or a stock, which may be 0."""
    return kpi.denominator is None or not isinstance(kpi.numerator, Measure)


def summands(asked: Asked) -> list[Summand]:
    """All sums of a statement, each once: those of the span first, and of these such as are kept by the minute."""
    found = [Summand(part, isinstance(kpi.numerator, Stock)) for kpi in asked.kpis for part in kpi.measures]
    once = {summand.name: summand for summand in found}.values()
    return sorted(once, key=lambda summand: (summand.ever, summand.measure.grains[asked.kind]))


def summed(asked: Asked, keys: Sequence[Key] = ()) -> str:
    """Select keys, the sums, and `sums` with all of them; one row when there are no keys.

    All sums are one array until the end: to plan a statement takes most of its time, and grows with its columns times
    its pieces.
    """
    names = summands(asked)
    days = asked.span.days and not any(key.fine for key in keys)
    cut = pieces(asked.subject, asked.kind, names, days=days)
    parts = " UNION ALL ".join(_select(piece, names, asked, keys) for piece in cut)
    named = "".join(f"{key.name}, " for key in keys)
    values = [f"sums[{place}] AS {one.name}" for place, one in enumerate(names, 1)]
    return (
        f"SELECT {named}{', '.join(values)}, sums "  # noqa: S608  names of ours
        f"FROM (SELECT {named}sumForEach(v) AS sums FROM ({parts}){_grouped(keys)})"
    )


_IS = {False: "is_during", True: "is_of_all_time"}


def _select(piece: Piece, names: Sequence[Summand], asked: Asked, keys: Sequence[Key]) -> str:
    """Rows that belong to the span as well as to all time are read once, and each sum takes its own of them."""
    both = len(piece.when) > 1
    sums = [_sum(one, both=both) if one in piece.summands else "0" for one in names]
    scopes = asked.scopes(as_city=piece.of_city and SCOPE not in keys)
    of_keys = "".join(f"{key.of_day if piece.by_day else key.of_row} AS {key.name}, " for key in keys)
    when = " OR ".join(f"(({which}) AS {_IS[ever]})" if both else which for ever, which in piece.when.items())
    return (
        f"SELECT {of_keys}[{', '.join(sums)}] AS v FROM {DATABASE}.{piece.table} "  # noqa: S608  names of ours
        f"WHERE {scopes} AND ({when}){_grouped(keys)}"
    )


def _sum(one: Summand, *, both: bool) -> str:
    return f"sumIf({one.measure.column}, {_IS[one.ever]})" if both else f"sum({one.measure.column})"


def _grouped(keys: Sequence[Key]) -> str:
    return f" GROUP BY {', '.join(key.name for key in keys)}" if keys else ""
