"""One number for an entity, for finding it quickly in memory.

Two entities that share a number (one chance in 10^11 a day) are merely looked at together: the fold and the sums
tell them apart by birth, source and id.
"""

from __future__ import annotations

import polars as pl

from hotline.events import keys
from hotline.events.keys import U64
from hotline.fold import with_keys
from hotline.subjects import Subject

DAY_MS = 86_400_000


def entity_ids(frame: pl.DataFrame) -> U64:
    """The number of each event's or row's entity, from `born_at` and `entity_key`."""
    return keys.combine(keys.hash_column(frame["born_at"]), frame["entity_key"].to_numpy())


def birth_days(frame: pl.DataFrame) -> pl.Series:
    """The day (of UTC, counted from 1970) each entity was born."""
    return (frame["born_at"].to_physical() // DAY_MS).alias("day")


def with_member_keys(subject: Subject, events: pl.DataFrame) -> pl.DataFrame:
    """Events with the keys of the fold and `eid`."""
    keyed = with_keys(subject, events)
    return keyed.with_columns(pl.Series("eid", entity_ids(keyed)))


def with_row_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `entity_key` and `eid`."""
    if "entity_key" not in rows.columns:
        rows = rows.with_columns(pl.Series("entity_key", keys.entity_keys(rows)))
    return rows.with_columns(pl.Series("eid", entity_ids(rows)))
