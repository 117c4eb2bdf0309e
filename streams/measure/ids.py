"""One number for an entity, for finding it quickly in memory.

Two entities that share a number (one chance in 10^11 a day) are merely looked at together: the fold and the sums
tell them apart by birth, source and id.
"""

from __future__ import annotations

import polars as pl

from hotline.events import keys
from hotline.events.keys import U64

DAY_MS = 86_400_000


def entity_ids(frame: pl.DataFrame) -> U64:
    """The number of each event's or row's entity, from `born_at` and `entity_key`."""
    return keys.combine(keys.hash_column(frame["born_at"]), frame["entity_key"].to_numpy())


def birth_days(frame: pl.DataFrame) -> pl.Series:
    """The day (of UTC, counted from 1970) each entity was born."""
    return (frame["born_at"].to_physical() // DAY_MS).alias("day")
