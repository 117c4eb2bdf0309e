"""Sums against rows: what the catalogue says of the standing rows, minus what is stored, cell by cell, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hotline.catalogue import ALL, KPIS, Grain, Measure, measures
from hotline.names import DATABASE
from sinks.reconcile.report import DIFFERENCES_MAX, Scope, SumDifference
from sinks.reconcile.spans import Span, instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject


class Compared(msgspec.Struct, kw_only=True):
    """Cells compared, sums that differ, and the first of them."""

    cells: int = 0
    differ: int = 0
    first: list[SumDifference] = []


def compare_sums(client: Client, subject: Subject, span: Span) -> Compared:
    """Compare all sums of a subject in a span of whole local hours."""
    found = Compared(first=[])
    for instant_name, kept in by_instant(subject).items():
        cells, differ, first = _compare(client, subject, instant_name, kept, span)
        found.cells += cells
        found.differ += differ
        found.first += first
    found.first = sorted(found.first, key=lambda one: one.at)[:DIFFERENCES_MAX]
    return found


def by_instant(subject: Subject) -> dict[str, list[Measure]]:
    """Group a subject's measures by the instant they count at; those share their grains."""
    found: dict[str, list[Measure]] = {}
    for measure in measures(subject):
        found.setdefault(measure.at.name, []).append(measure)
    return found


def _compare(
    client: Client, subject: Subject, name: str, kept: Sequence[Measure], span: Span
) -> tuple[int, int, list[SumDifference]]:
    asked = {"lo": span[0], "hi": span[1], "first": DIFFERENCES_MAX}
    counted = client.query(_counting(subject, name, kept), parameters=asked).result_rows[0]
    cells, differ = int(counted[0]), int(counted[1])
    if not differ:
        return cells, 0, []
    listed = client.query(_listing(subject, name, kept), parameters=asked).result_rows
    return cells, differ, [one for row in listed for one in _differences(subject, kept, row)]


def _counting(subject: Subject, name: str, kept: Sequence[Measure]) -> str:
    """Write SQL: how many cells, and how many sums in them differ."""
    unequal = " + ".join(f"(s{place} != r{place})" for place in range(len(kept)))
    return f"SELECT count(), sum({unequal}) FROM ({_cells(subject, name, kept)})"  # noqa: S608 names of ours


def _listing(subject: Subject, name: str, kept: Sequence[Measure]) -> str:
    """Write SQL: the first cells with a difference."""
    unequal = " OR ".join(f"s{place} != r{place}" for place in range(len(kept)))
    order = "start, kind, scope LIMIT {first:UInt32}"
    return f"SELECT * FROM ({_cells(subject, name, kept)}) WHERE {unequal} ORDER BY {order}"  # noqa: S608 names of ours


def _cells(subject: Subject, name: str, kept: Sequence[Measure]) -> str:
    """Write SQL: the cells of one instant with stored (s…) and recomputed (r…) sums, unless all are 0."""
    places = range(len(kept))
    sums = ", ".join(
        [*(f"sum(v{p} * side) AS s{p}" for p in places), *(f"sum(v{p} * (1 - side)) AS r{p}" for p in places)]
    )
    any_sum = " OR ".join(f"s{p} != 0 OR r{p} != 0" for p in places)
    both = f"{_recomputed(subject, name, kept)} UNION ALL {_stored(subject, kept)}"
    return (
        f"SELECT kind, scope, start, {sums} FROM ({both}) "  # noqa: S608 names of ours
        f"GROUP BY kind, scope, start HAVING {any_sum}"
    )


def _recomputed(subject: Subject, name: str, kept: Sequence[Measure]) -> str:
    """Write SQL: what the standing rows add to the cells of every scope kind; side 0."""
    values = ", ".join(f"{measure.sql} AS m{place}" for place, measure in enumerate(kept))
    cells = ", ".join(_cell(kind, grain) for kind, grain in kept[0].grains.items())
    added = ", ".join(f"sum(m{place}) AS v{place}" for place in range(len(kept)))
    at = f"assumeNotNull({name})"
    return (
        "SELECT cell.1 AS kind, cell.2 AS scope, cell.3 AS start, 0 AS side, "  # noqa: S608 names of ours
        f"{added} FROM (SELECT {values}, toInt64(toUnixTimestamp({at})) AS at_s, {_hour(at)} AS hour_s, "
        f"at_s - at_s % {int(Grain.MINUTE)} AS minute_s, [{cells}] AS cells "
        f"FROM {DATABASE}.{subject.rows_table} FINAL "
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


def _stored(subject: Subject, kept: Sequence[Measure]) -> str:
    """Write SQL: the stored sums; side 1."""
    added = ", ".join(f"sum({measure.column}) AS v{place}" for place, measure in enumerate(kept))
    return (
        "SELECT toString(scope_kind) AS kind, toString(scope_name) AS scope, "  # noqa: S608 names of ours
        f"toInt64(toUnixTimestamp(at)) AS start, 1 AS side, {added} "
        f"FROM (SELECT *, scope AS scope_name FROM {DATABASE}.{subject.sums_table} "
        "WHERE at >= toDateTime({lo:UInt32}) AND at < toDateTime({hi:UInt32})) GROUP BY kind, scope, start"
    )


def _differences(subject: Subject, kept: Sequence[Measure], row: Sequence[Any]) -> Iterator[SumDifference]:
    kind, scope, start, *sums = row
    stored, recomputed = sums[: len(kept)], sums[len(kept) :]
    for measure, has, should in zip(kept, stored, recomputed, strict=True):
        if has != should:
            yield SumDifference(
                subject=subject.name,
                measure=measure.name,
                kpis=kpis_of(measure),
                scope=None if kind == ALL else Scope(kind=kind, value=scope),
                at=instant(int(start)),
                stored=int(has),
                recomputed=int(should),
            )


def kpis_of(measure: Measure) -> list[str]:
    """Name the KPIs that are read from a measure."""
    return [kpi.name for kpi in KPIS.values() if any(one.column == measure.column for one in kpi.measures)]
