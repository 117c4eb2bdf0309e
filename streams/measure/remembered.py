"""What memory is made of: what it keeps of members and rows, of birth days, and of outputs that are not yet stored."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.contributions import columns_read
from hotline.events.keys import U64
from hotline.fold import ENTITY
from hotline.subjects import Subject
from streams.measure.ids import DAY_MS, birth_days

SURVEY_DAYS = 7
"""A closed ticket that nobody rated, or somebody badly, is kept at hand this long: a rating follows, or a reopening."""

Mask = npt.NDArray[np.bool_]
Tables = tuple[pl.DataFrame, pl.DataFrame]
"""Members of sets, with their keys, and rows."""
NO_IDS: U64 = np.empty(0, np.uint64)
DAY_BYTES = 512
"""What a day costs besides its ids, about: two headers of arrays, the object and its place in a table."""


@dataclass
class Day:
    """What is known of a birth day; `touched` is the number of the last output that asked."""

    whole: bool
    known: U64 = field(default_factory=lambda: NO_IDS)
    resting: U64 = field(default_factory=lambda: NO_IDS)
    touched: int = 0
    look_ups: int = 0

    @property
    def bytes(self) -> int:
        """Estimated bytes of what is known."""
        return DAY_BYTES + self.known.nbytes + self.resting.nbytes


@dataclass
class Recent:
    """An output not yet stored."""

    sequence: int
    touched: U64
    """Its entities."""
    days: set[int]
    """Their birth days."""
    resting: pl.DataFrame
    """`eid` and `day` of those at rest, whose members and rows are nowhere but in the output."""
    tables: Callable[[], Tables]
    refolded: pl.DataFrame
    """`eid` and `day` of those whose row was folded again: members are in the store, the row is only in the output."""


def at_rest(subject: Subject, newest_ms: int) -> pl.Expr:
    """Whether a row is likely to change no more, when the newest event known is that old. Only speed depends on it."""
    if subject.rows_table == "calls":
        ends = ("ended_at", "abandoned_at", "lost_at")
        return pl.any_horizontal(pl.col(name).is_not_null() for name in ends)
    online = pl.col("answered_online_at").is_not_null() & ~pl.col("dispatched")
    quiet = pl.col("closed_at").to_physical() < newest_ms - SURVEY_DAYS * DAY_MS
    content = pl.col("rated") & pl.col("satisfied").fill_null(value=True)
    closed = pl.col("closed_at").is_not_null() & (content | quiet)
    return (online | closed).fill_null(value=False)


@functools.cache
def kept_of_rows(subject: Subject) -> list[str]:
    """Columns of a row that memory and the sums have a use for."""
    used = {*columns_read(subject), *at_rest(subject, 0).meta.root_names(), "eid", "version"}
    return sorted(used)


def born_on(frame: pl.DataFrame, day: int) -> pl.DataFrame:
    """What was born on a day."""
    return frame.filter(birth_days(frame) == day)


def among_ids(frame: pl.DataFrame, eids: pl.Series) -> pl.DataFrame:
    """What is of these entities."""
    return frame.filter(pl.col("eid").is_in(eids.implode()))


def without(frame: pl.DataFrame, eids: pl.Series) -> pl.DataFrame:
    """What is of others than these entities."""
    return frame.filter(~pl.col("eid").is_in(eids.implode())) if len(eids) else frame


def unknown(day: Day, ids: U64) -> Mask:
    """Which ids memory cannot answer for."""
    return _among(ids, day.resting) if day.whole else ~_among(ids, day.known)


def _among(ids: U64, ordered: U64) -> Mask:
    """Which ids stand in a sorted array."""
    if not len(ordered):
        return np.zeros(len(ids), bool)
    place = np.minimum(np.searchsorted(ordered, ids), len(ordered) - 1)
    return np.asarray(ordered[place] == ids)


def standing(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each entity the row with the highest version."""
    keys = rows.select(*ENTITY, "version").with_row_index("at")
    return rows[keys.sort("version").unique(ENTITY, keep="last", maintain_order=True)["at"]]


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """A copy in one piece. Text that was picked out of a block would hold on to all the block's text."""
    return pl.DataFrame(pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()))


def no_members(subject: Subject) -> pl.DataFrame:
    """No members, with the columns that are kept of any."""
    kept = {name: kind for name, kind in subject.columns.items() if name not in {"id", "received_at", "schema"}}
    keys = dict.fromkeys(("entity_key", "event_key", "digest", "eid"), pl.UInt64())
    return pl.DataFrame(schema={**kept, **keys})
