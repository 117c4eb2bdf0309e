"""Which sums of a span differ, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from hotline.catalogue import measures
from hotline.columns import TIME
from hotline.ipc import frame_of
from sinks.difference.cells import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.subjects import Subject
    from sinks.difference.kept import Kept
    from sinks.difference.spans import Span

_SCHEMA = {
    "measure": pl.String(),
    "scope_kind": pl.String(),
    "scope": pl.String(),
    "at_s": pl.Int64(),
    "stored": pl.Int64(),
    "recomputed": pl.Int64(),
}
_CELL = ["scope_kind", "scope", "at"]
_PLAIN_TEXTS = {"output_format_arrow_low_cardinality_as_dictionary": 0}


class Difference(NamedTuple):
    """What differs between the rows and one table of sums in a span."""

    cells: int
    """Cells compared: an instant of the catalogue, a scope and a minute or hour."""
    differ: int
    """Sums that differ."""
    edges: Span | None
    """The first and the last start of a cell that differs, in epoch seconds; None when none does."""
    sums: pl.DataFrame
    """The sums that differ, by time: `measure` (its column), `scope_kind`, `scope`, `at_s` (epoch seconds of the
    cell's start), `stored`, `recomputed`. The first of each instant where only these were asked for."""


def difference(
    client: Client,
    kept: Kept,
    span: Span,
    *,
    of: Collection[Measure] | None = None,
    first: int | None = None,
    between: Callable[[], None] = lambda: None,
) -> Difference:
    """Compare a table's sums in a span of whole local hours with SQL over the rows that stand.

    `of`: these measures only, as for a column that is to be filled; default: all of the catalogue. `first`: give so
    many differing sums of each instant; all are counted. Nothing may be stored meanwhile: hold the sink. `between` is
    called after each instant, which takes a part of the time, so that a lease can be kept. Raises what that raises.
    """
    found = []
    for group in by_instant(kept.subject, of).values():
        found.append(_of_instant(client, kept, group, span, first))
        between()
    frames = [one.sums for one in found if len(one.sums)]
    return Difference(
        cells=sum(one.cells for one in found),
        differ=sum(one.differ for one in found),
        edges=_outer([one.edges for one in found if one.edges]),
        sums=pl.concat(frames).sort("at_s", maintain_order=True) if frames else pl.DataFrame(schema=_SCHEMA),
    )


def as_sums(sums: pl.DataFrame) -> pl.DataFrame:
    """Turn differing sums into rows for their table: what must be added, a column a measure, nothing where nothing."""
    if sums.is_empty():
        return pl.DataFrame(schema={"scope_kind": pl.String(), "scope": pl.String(), "at": TIME})
    at = pl.from_epoch(pl.col("at_s"), "s").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").alias("at")
    missing = sums.with_columns(at, missing=pl.col("recomputed") - pl.col("stored"))
    wide = missing.pivot("measure", index=_CELL, values="missing", aggregate_function="sum", sort_columns=True)
    return wide.with_columns(pl.exclude(_CELL).fill_null(0)).sort(_CELL)


def by_instant(subject: Subject, of: Collection[Measure] | None = None) -> dict[str, list[Measure]]:
    """Group measures by the instant they count at; those share their grains."""
    found: dict[str, list[Measure]] = {}
    for measure in measures(subject):
        if of is None or measure in of:
            found.setdefault(measure.at.name, []).append(measure)
    return found


def _outer(edges: Sequence[Span]) -> Span | None:
    return (min(first for first, _ in edges), max(last for _, last in edges)) if edges else None


def _of_instant(client: Client, kept: Kept, group: Sequence[Measure], span: Span, first: int | None) -> Difference:
    asked = {"lo": span[0], "hi": span[1]}
    compared, differ, *edges = map(int, client.query(_counting(kept, group), parameters=asked).result_rows[0])
    if not differ:
        return Difference(compared, 0, None, pl.DataFrame(schema=_SCHEMA))
    table = client.query_arrow(_listing(kept, group, first), parameters=asked, settings=_PLAIN_TEXTS)
    names = [measure.column for measure in group]
    named = pl.col("place").cast(pl.Int64).replace_strict(list(range(len(names))), names).alias("measure")
    sums = frame_of(table).with_columns(named).select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items())
    return Difference(compared, differ, (edges[0], edges[1]), sums)


def _counting(kept: Kept, group: Sequence[Measure]) -> str:
    """Write SQL: how many cells, how many sums in them differ, and the first and the last start of such a cell."""
    unequal = " + ".join(f"(s{place} != r{place})" for place in range(len(group)))
    edges = "minIf(start, unequal > 0), maxIf(start, unequal > 0)"
    return f"SELECT count(), sum({unequal} AS unequal), {edges} FROM ({cells(kept, group)})"  # noqa: S608 names of ours


def _listing(kept: Kept, group: Sequence[Measure], first: int | None) -> str:
    """Write SQL: the differing sums, one a row, by time."""
    each = ", ".join(f"(toUInt16({place}), s{place}, r{place})" for place in range(len(group)))
    limit = "" if first is None else f" LIMIT {first:d}"
    return (
        "SELECT one.1 AS place, kind AS scope_kind, scope, start AS at_s, one.2 AS stored, one.3 AS recomputed "  # noqa: S608 names of ours
        f"FROM ({cells(kept, group)}) ARRAY JOIN [{each}] AS one WHERE stored != recomputed "
        f"ORDER BY at_s, scope_kind, scope, place{limit}"
    )
