"""Outputs that lack a column of sums: a worker of another catalogue made them, and what was filled is so no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from hotline.filled import LACKING
from hotline.names import FILLED_COLUMNS_TABLE
from hotline.subjects import SUBJECTS
from sinks.inserting import Insert

if TYPE_CHECKING:
    from sinks.writer.batch import Batch
    from sinks.writer.store import Store

_SUMS = frozenset(table for subject in SUBJECTS.values() for table in (subject.sums_table, subject.recent_table))


def with_note(store: Store, batch: Batch) -> Batch:
    """Give the batch with a note of the columns that its sums lack though they are filled or being filled.

    Nobody may fill a column between this and the batch's end, so it is asked while no lease can be taken.
    """
    lacking = {
        (insert.table, column)
        for insert in batch.inserts
        if insert.table in _SUMS
        for column in store.columns(insert.table)
        if column not in insert.columns
    }
    told = sorted(lacking & set(store.claimed())) if lacking else []
    return msgspec.structs.replace(batch, inserts=[*batch.inserts, _note(batch, told)]) if told else batch


def _note(batch: Batch, told: list[tuple[str, str]]) -> Insert:
    rows = pl.DataFrame(told, schema=["sums_table", "sums_column"], orient="row").with_columns(
        told=pl.lit(LACKING), lacked=pl.lit(0, pl.UInt64)
    )
    return Insert.of(FILLED_COLUMNS_TABLE, f"{batch.id}/{FILLED_COLUMNS_TABLE}/0", rows)
