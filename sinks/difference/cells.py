"""SQL of both sides of the cells of one instant: what the standing rows give, and what a table of sums holds.

A cell is (scope kind, scope, start of the local minute or hour). Measures that count at one instant share their grains,
so they are asked about together: `r0`, `r1` … is what the rows give for each, `s0`, `s1` … what is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.catalogue import ALL, Grain
from hotline.names import DATABASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotline.catalogue import Measure
    from sinks.difference.kept import Kept

_NO_CELLS = "CAST([], 'Array(Tuple(String, String, Int64))')"


def cells(kept: Kept, measures: Sequence[Measure]) -> str:
    """Write SQL: all cells of a span (parameters `lo`, `hi`) with both sides, unless all are 0."""
    places = range(len(measures))
    sums = ", ".join(
        [*(f"sum(v{p} * side) AS s{p}" for p in places), *(f"sum(v{p} * (1 - side)) AS r{p}" for p in places)]
    )
    any_sum = " OR ".join(f"s{p} != 0 OR r{p} != 0" for p in places)
    both = f"{_recomputed(kept, measures)} UNION ALL {_stored(kept, measures)}"
    return (
        f"SELECT kind, scope, start, {sums} FROM ({both}) "  # noqa: S608 names of ours
        f"GROUP BY kind, scope, start HAVING {any_sum}"
    )


def _recomputed(kept: Kept, measures: Sequence[Measure]) -> str:
    """Write SQL: what the standing rows add to the cells of every scope kind; side 0."""
    name = measures[0].at.name
    values = ", ".join(f"{measure.sql} AS m{place}" for place, measure in enumerate(measures))
    found = ", ".join(_cell(kind, grain) for kind, grain in kept.grains(measures[0]).items())
    added = ", ".join(f"sum(m{place}) AS v{place}" for place in range(len(measures)))
    at = f"assumeNotNull({name})"
    return (
        "SELECT cell.1 AS kind, cell.2 AS scope, cell.3 AS start, 0 AS side, "  # noqa: S608 names of ours
        f"{added} FROM (SELECT {values}, toInt64(toUnixTimestamp({at})) AS at_s, {_hour(at)} AS hour_s, "
        f"at_s - at_s % {int(Grain.MINUTE)} AS minute_s, {f'[{found}]' if found else _NO_CELLS} AS cells "
        f"FROM {DATABASE}.{kept.subject.rows_table} FINAL "
        f"WHERE {name} >= toDateTime({{lo:UInt32}}) AND {name} < toDateTime({{hi:UInt32}})) "
        "ARRAY JOIN cells AS cell GROUP BY kind, scope, start"
    )


def _hour(at: str) -> str:
    """Write SQL: the start of the local hour; one that clocks cut by moving part of an hour begins when they moved."""
    into = f"(at_s + timeZoneOffset({at})) % {int(Grain.HOUR)}"
    is_cut = "(timeZoneOffset({at} - {before}) - timeZoneOffset({at})) % {hour} != 0"
    quarter = int(Grain.HOUR) // 4
    later = f"({into} - quarter * {quarter})"
    whole = "NOT (" + is_cut.format(at=at, before=later, hour=int(Grain.HOUR)) + ")"
    return f"at_s - {into} + {quarter} * (arrayFirstIndex(quarter -> {whole}, [0, 1, 2, 3]) - 1)"


def _cell(kind: str, grain: Grain) -> str:
    scope = "''" if kind == ALL else f"toString({kind})"
    return f"('{kind}', {scope}, {'minute_s' if grain is Grain.MINUTE else 'hour_s'})"


def _stored(kept: Kept, measures: Sequence[Measure]) -> str:
    """Write SQL: the stored sums; side 1."""
    added = ", ".join(f"sum({measure.column}) AS v{place}" for place, measure in enumerate(measures))
    return (
        "SELECT toString(scope_kind) AS kind, toString(scope_name) AS scope, "  # noqa: S608 names of ours
        f"toInt64(toUnixTimestamp(at)) AS start, 1 AS side, {added} "
        f"FROM (SELECT *, scope AS scope_name FROM {DATABASE}.{kept.table} "
        "WHERE at >= toDateTime({lo:UInt32}) AND at < toDateTime({hi:UInt32})) GROUP BY kind, scope, start"
    )
