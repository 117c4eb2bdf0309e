"""Sums against rows, as the report names them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hotline.catalogue import ALL, KPIS, measures
from sinks.difference import Kept, Span, difference, instant
from sinks.reconcile.report import DIFFERENCES_MAX, Scope, SumDifference

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure


class Compared(msgspec.Struct, kw_only=True):
    """Cells compared, sums that differ, and the first of them."""

    cells: int = 0
    differ: int = 0
    edges: list[datetime] = []
    """Start of the first and of the last cell that differs; empty when none does."""
    first: list[SumDifference] = []


def compare_sums(client: Client, kept: Kept, span: Span) -> Compared:
    """Compare all sums of a table in a span of whole local hours."""
    found = difference(client, kept, span, first=DIFFERENCES_MAX)
    first = list(_named(kept, found.sums.head(DIFFERENCES_MAX)))
    edges = [instant(at_s) for at_s in found.edges or ()]
    return Compared(cells=found.cells, differ=found.differ, edges=edges, first=first)


def _named(kept: Kept, sums: pl.DataFrame) -> Iterator[SumDifference]:
    by_column = {measure.column: measure for measure in measures(kept.subject)}
    for column, kind, scope, at_s, stored, recomputed in sums.iter_rows():
        yield SumDifference(
            subject=kept.subject.name,
            measure=by_column[column].name,
            kpis=kpis_of(by_column[column]),
            scope=None if kind == ALL else Scope(kind=kind, value=scope),
            at=instant(at_s),
            grain=kept.grain_of(by_column[column], kind),
            stored=stored,
            recomputed=recomputed,
        )


def kpis_of(measure: Measure) -> list[str]:
    """Name the KPIs that are read from a measure."""
    return [kpi.name for kpi in KPIS.values() if any(one.column == measure.column for one in kpi.measures)]
