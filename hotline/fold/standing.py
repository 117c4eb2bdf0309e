"""From the set of an entity's events to those that stand, in the order in which they are read."""

from __future__ import annotations

import numpy as np
import polars as pl

from hotline.events import keys
from hotline.subjects import Subject

ENTITY = ("born_at", "entity_key")
"""What names an entity inside one subject: its birth and the key of (source, entity)."""

MEMBER = (*ENTITY, "event_key", "revision", "digest")
"""What names a member of a set."""


def with_keys(subject: Subject, events: pl.DataFrame) -> pl.DataFrame:
    """Events with `entity_key`, `event_key`, and `digest` where the frame has none yet."""
    columns = [
        pl.Series("entity_key", keys.entity_keys(events)),
        pl.Series("event_key", keys.event_keys(events)),
    ]
    if "digest" not in events.columns:
        columns.append(pl.Series("digest", keys.digests(events, subject.stated)))
    return events.with_columns(columns)


def standing(subject: Subject, members: pl.DataFrame) -> pl.DataFrame:
    """Of each event the largest revision, then digest; sorted by entity, time, rank of the type, event. Adds `rank`."""
    order = [*ENTITY, "occurred_at", "rank", "event_key"]
    return (
        _last_revisions(members)
        .with_columns(rank=pl.col("type").cast(pl.Enum(subject.types)).to_physical())
        .sort(order)
    )


def _last_revisions(members: pl.DataFrame) -> pl.DataFrame:
    """Members without those that a larger (revision, digest) of the same event replaces."""
    name = keys.combine(
        keys.combine(keys.hash_column(members["born_at"]), members["entity_key"].to_numpy()),
        members["event_key"].to_numpy(),
    )
    if len(np.unique(name)) == len(name):
        return members
    return members.sort(*MEMBER).unique([*ENTITY, "event_key"], keep="last")
