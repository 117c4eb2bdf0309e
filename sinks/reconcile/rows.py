"""Rows against events: the fold of the stored events, and every field of the rows that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from hotline.fold import fold, with_keys
from sinks.reconcile import reading
from sinks.reconcile.report import DIFFERENCES_MAX, RowDifference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject
    from hotline.working_time import WorkingTime
    from sinks.reconcile.pieces import Piece

ENTITY = ("born_at", "source", "entity")
WHOLE_ROW = "row"
"""Stands for a field where a row is missing, or has nothing to be made of."""


class Compared(msgspec.Struct, kw_only=True):
    """Rows and events compared, rows that differ, and the first of them."""

    rows: int
    events: int
    differ: int
    first: list[RowDifference]


def compare_rows(client: Client, subject: Subject, piece: Piece, working: WorkingTime) -> Compared:
    """Compare the rows of everything born in the piece."""
    members = reading.events(client, subject, piece)
    stored = reading.rows(client, subject, piece)
    folded = fold(subject, with_keys(subject, members), working).select(stored.columns)
    unequal = _unequal(stored, folded)
    return Compared(
        rows=max(len(stored), len(folded)),
        events=len(members),
        differ=len(unequal),
        first=list(_differences(subject, unequal, stored.columns))[:DIFFERENCES_MAX],
    )


def _unequal(stored: pl.DataFrame, folded: pl.DataFrame) -> pl.DataFrame:
    """Rows that are not the same on both sides: the stored columns, the folded ones with `_new` behind their names."""
    fields = [name for name in stored.columns if name not in ENTITY]
    marked = folded.with_columns(here=True)
    both = stored.with_columns(here=True).join(marked, on=ENTITY, how="full", suffix="_new", coalesce=True)
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in ["here", *fields]]
    twice = pl.struct(ENTITY).is_duplicated()  # in two partitions: both rows add to the sums
    return both.filter(pl.any_horizontal(twice, *differs)).sort(ENTITY)


def _differences(subject: Subject, unequal: pl.DataFrame, columns: list[str]) -> Iterator[RowDifference]:
    for row in unequal.head(DIFFERENCES_MAX).iter_rows(named=True):
        for field, stored, recomputed in _fields(row, columns):
            yield RowDifference(
                subject=subject.name,
                source=row["source"],
                entity=row["entity"],
                born_at=row["born_at"],
                field=field,
                stored=stored,
                recomputed=recomputed,
            )


def _fields(row: dict[str, Any], columns: list[str]) -> Iterator[tuple[str, Any, Any]]:
    if not row["here"] or not row["here_new"]:
        yield WHOLE_ROW, _presence(row["here"], "stored"), _presence(row["here_new"], "made by its events")
        return
    fields = [name for name in columns if name not in ENTITY and row[name] != row[f"{name}_new"]]
    if not fields:
        yield WHOLE_ROW, "stored in two partitions", "one row"
    for name in fields:
        yield name, row[name], row[f"{name}_new"]


def _presence(there: bool | None, how: str) -> str:  # noqa: FBT001 a cell of a frame
    return how if there else f"not {how}"
