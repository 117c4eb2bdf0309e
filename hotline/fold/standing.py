"""From the set of an entity's events to those that stand, in the order in which they are read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hotline.events import keys
from hotline.events.keys import U64
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


class Standing(NamedTuple):
    """Events that stand, and how to read them: an item of each array an event, in reading order."""

    events: pl.DataFrame
    """As they came."""
    order: npt.NDArray[np.int64]
    """Their places in `events`: sorted by entity, time, rank of the type, event."""
    group: U64
    """A number an entity, ascending."""
    rank: npt.NDArray[np.uint8]
    """The type's place in the subject's list."""


def standing(subject: Subject, members: pl.DataFrame) -> Standing:
    """Of each event the largest revision, then digest, in reading order."""
    stand = _last_revisions(members)
    group, rank = _groups(stand), stand["type"].cast(pl.Enum(subject.types)).to_physical().to_numpy()
    order = _order(stand, group, rank)
    return Standing(stand, order, group[order], rank[order])


def _groups(members: pl.DataFrame) -> U64:
    """Numbers of the entities, dense and exact."""
    born, entity = members["born_at"].to_physical().to_numpy(), members["entity_key"].to_numpy()
    encoded = pa.array(keys.combine(born.view(np.uint64), entity)).dictionary_encode()
    group: U64 = encoded.indices.to_numpy().astype(np.uint64)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)
    if (born == born[first[group]]).all() and (entity == entity[first[group]]).all():
        return group
    pairs = np.stack([born.view(np.uint64), entity], axis=1)  # two entities share a key: tell them apart
    return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.uint64)


def _order(members: pl.DataFrame, group: U64, rank: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Places of the members in reading order: one sort of one number, unless two events tie.

    Accepted times lie after 1970 and fill 32 bits of seconds; a rank fills 5 bits, the group what is left.
    """
    second = members["occurred_at"].dt.epoch("s").to_numpy()
    key = (group << np.uint64(38)) | (second.astype(np.uint64) << np.uint64(5)) | rank
    order = np.argsort(key)
    ordered = key[order]
    if (ordered[1:] == ordered[:-1]).any():
        return np.lexsort((members["event_key"].to_numpy(), key))
    return order


def _last_revisions(members: pl.DataFrame) -> pl.DataFrame:
    """Members without those that a larger (revision, digest) of the same event replaces."""
    born = members["born_at"].to_physical().to_numpy().view(np.uint64)
    entity = keys.combine(born, members["entity_key"].to_numpy())
    name = pl.Series(keys.combine(entity, members["event_key"].to_numpy()))
    if name.n_unique() == len(name):
        return members
    return members.sort(*MEMBER).unique([*ENTITY, "event_key"], keep="last", maintain_order=True)
