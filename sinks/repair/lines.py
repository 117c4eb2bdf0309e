"""Before, difference and after, added up by measure, scope kind and grain over all pieces of a period."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from hotline.catalogue import measures
from hotline.names import DATABASE
from sinks.reconcile.sums import kpis_of
from sinks.repair.report import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from sinks.difference import Difference, Kept, Span


class Key(NamedTuple):
    """A measure (its column) of a scope kind in a table."""

    kept: Kept
    column: str
    kind: str


class Lines:
    """Grows piece by piece."""

    def __init__(self) -> None:
        self._sums: Counter[Key] = Counter()
        self._missing: Counter[Key] = Counter()
        self._before: Counter[Key] = Counter()
        self._after: Counter[Key] = Counter()

    def add(self, kept: Kept, found: Difference, before: Mapping[Key, int], after: Mapping[Key, int]) -> None:
        """Add a piece: what differed, and its totals before and after."""
        missing = (pl.col("recomputed") - pl.col("stored")).sum().alias("missing")
        grouped = found.sums.group_by("measure", "scope_kind").agg(pl.len().alias("sums"), missing)
        for column, kind, sums, units in grouped.iter_rows():
            key = Key(kept, column, kind)
            self._sums[key] += sums
            self._missing[key] += units
            self._before[key] += before.get(key, 0)
            self._after[key] += after.get(key, 0)

    def lines(self) -> list[Line]:
        """Give what was added up, in the order of the catalogue."""
        return [self._line(key) for key in sorted(self._sums, key=_order)]

    def _line(self, key: Key) -> Line:
        measure = _measures(key.kept)[key.column]
        return Line(
            subject=key.kept.subject.name,
            measure=measure.name,
            kpis=kpis_of(measure),
            scope_kind=key.kind,
            grain=key.kept.grain_of(measure, key.kind),
            sums=self._sums[key],
            before=self._before[key],
            difference=self._missing[key],
            after=self._after[key],
        )


def totals(client: Client, kept: Kept, span: Span) -> dict[Key, int]:
    """Add up a table over a span, by measure and scope kind."""
    columns = list(_measures(kept))
    sums = ", ".join(f"sum({column})" for column in columns)
    sql = (
        f"SELECT toString(scope_kind) AS kind, {sums} FROM {DATABASE}.{kept.table} "  # noqa: S608 names of ours
        "WHERE at >= toDateTime({lo:UInt32}) AND at < toDateTime({hi:UInt32}) GROUP BY kind"
    )
    rows = client.query(sql, parameters={"lo": span[0], "hi": span[1]}).result_rows
    return {Key(kept, name, kind): int(n) for kind, *found in rows for name, n in zip(columns, found, strict=True)}


def with_difference(before: Mapping[Key, int], kept: Kept, found: Difference) -> dict[Key, int]:
    """Say what totals would be once a difference is added."""
    after = Counter(dict(before))
    for column, kind, stored, recomputed in found.sums.select(
        "measure", "scope_kind", "stored", "recomputed"
    ).iter_rows():
        after[Key(kept, column, kind)] += recomputed - stored
    return dict(after)


def _measures(kept: Kept) -> dict[str, Measure]:
    return {measure.column: measure for measure in measures(kept.subject)}


def _order(key: Key) -> tuple[str, int, bool, str]:
    return key.kept.subject.name, list(_measures(key.kept)).index(key.column), key.kept.recent, key.kind
