"""What measure remembers of one subject and partition: a cache of whole birth days over the store.

For every touched birth day it is known which entities can be trusted from memory alone:
- a *whole* day: an entity neither here nor `resting` is new;
- otherwise only entities in `known` were looked up (or first seen) and are here, or are known to be absent.
Entities at rest whose outputs are stored are dropped and kept as `resting` ids; a later event of one brings it back
from the store. Whole days leave, least recently touched first, when the memory passes its bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.events.keys import U64, entity_keys
from hotline.fold import with_keys
from hotline.subjects import Subject
from streams.measure.ids import DAY_MS, birth_days, entity_ids
from streams.measure.store import Store

WHOLE_DAY_KEYS = 1_000
"""More look-ups than this on one day, and the day is loaded whole: 17 ms a day against 72 ms for 20,000 keys."""
BYTES_MAX = 512 * 2**20
"""Bound of the cache of one subject and partition, what is not yet stored aside."""
DROP_EVERY = 8
"""Outputs between two clearings of what is at rest."""
SURVEY_DAYS = 7
"""A closed ticket nobody rated is kept at hand this long, because surveys follow."""

Mask = npt.NDArray[np.bool_]
_NO_IDS: U64 = np.empty(0, np.uint64)


@dataclass
class _Day:
    whole: bool
    known: U64 = field(default_factory=lambda: _NO_IDS)
    resting: U64 = field(default_factory=lambda: _NO_IDS)
    touched: int = 0


class Memory:
    """Sets and emitted rows of one subject and partition. Not safe for use from two threads at once."""

    def __init__(self, subject: Subject, partition: int, store: Store, *, bytes_max: int = BYTES_MAX) -> None:
        self._subject, self._partition, self._store = subject, partition, store
        self._bytes_max = bytes_max
        self._days: dict[int, _Day] = {}
        self._stored_days = store.days(subject, partition)
        self._members = _empty(subject)
        self._rows = pl.DataFrame()
        self._sequence = 0
        self._stored = 0
        self._cleared = 0
        self._newest_ms = 0

    @property
    def bytes(self) -> int:
        """Estimated bytes held."""
        return int(self._members.estimated_size() + self._rows.estimated_size())

    @property
    def sequence(self) -> int:
        """Number of outputs remembered so far; `stored` takes it."""
        return self._sequence

    def members(self, entities: pl.DataFrame) -> pl.DataFrame:
        """All members of the sets of these entities (unique; `eid`, `day`, `born_at`, `source`, `entity`).

        Loads from the store what is not in memory. May hold members of other entities besides.
        """
        for day, group in entities.partition_by("day", as_dict=True, include_key=True).items():
            self._look_up(int(day[0]), group)
        self._look_up_keys(entities)
        return self._members.filter(pl.col("eid").is_in(entities["eid"].implode()))

    def rows(self, eids: pl.Series) -> pl.DataFrame:
        """The rows last emitted of these entities, and perhaps of others."""
        if self._rows.is_empty():
            return self._rows
        found = self._rows.filter(pl.col("eid").is_in(eids.implode()))
        return found.unique(["born_at", "entity_key"], keep="last", maintain_order=True)

    def remember(self, fresh: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Take in an output: new members (with `eid`) and the rows that changed."""
        self._sequence += 1
        self._newest_ms = max(self._newest_ms, int(fresh["occurred_at"].to_physical().max() or 0))
        self._add(fresh, rows)

    def stored(self, sequence: int) -> None:
        """All outputs up to `sequence` are in the store: what is at rest may go."""
        self._stored = max(self._stored, sequence)
        if self._stored - self._cleared >= DROP_EVERY:
            self._cleared = self._stored
            self._drop_resting()
            self._drop_days()

    # -- looking up ------------------------------------------------------------------------------------------------

    def _look_up(self, number: int, group: pl.DataFrame) -> None:
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = _Day(whole=number not in self._stored_days)
        day.touched = self._sequence
        ids = group["eid"].to_numpy()
        if len(ids) > WHOLE_DAY_KEYS and np.count_nonzero(_needed(day, ids)) > WHOLE_DAY_KEYS:
            self._load_day(number, day)

    def _load_day(self, number: int, day: _Day) -> None:
        members, rows = self._prepared(*self._store.by_day(self._subject, self._partition, number))
        here = pl.Series(np.union1d(day.known, self._ids_here(number)), dtype=pl.UInt64)
        self._add(
            members.filter(~pl.col("eid").is_in(here.implode())), rows.filter(~pl.col("eid").is_in(here.implode()))
        )
        day.whole, day.known, day.resting = True, _NO_IDS, _NO_IDS

    def _ids_here(self, number: int) -> U64:
        if self._members.is_empty():
            return _NO_IDS
        mine = self._members.filter(birth_days(self._members) == number)
        return np.unique(mine["eid"].to_numpy())

    def _look_up_keys(self, entities: pl.DataFrame) -> None:
        wanted = []
        for key, group in entities.partition_by("day", as_dict=True, include_key=True).items():
            day = self._days[int(key[0])]
            ids = group["eid"].to_numpy()
            needed = _needed(day, ids)
            if needed.any():
                wanted.append(group.filter(pl.Series(needed)))
                day.resting = np.setdiff1d(day.resting, ids[needed])
            if not day.whole:
                day.known = np.union1d(day.known, ids)
        if wanted:
            keys = pl.concat(wanted).select("born_at", "source", "entity")
            self._add(*self._prepared(*self._store.by_key(self._subject, self._partition, keys)))

    def _prepared(self, members: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Stored events and rows with their keys."""
        if len(members):
            members = with_keys(self._subject, members)
            members = members.with_columns(pl.Series("eid", entity_ids(members)))
        if len(rows):
            rows = with_row_keys(rows)
        return members, rows

    # -- keeping ---------------------------------------------------------------------------------------------------

    def _add(self, members: pl.DataFrame, rows: pl.DataFrame) -> None:
        if len(members):
            self._members = self._members.vstack(members.select(self._members.columns))
        if len(rows):
            kept = rows.with_columns(output=pl.lit(self._sequence, pl.UInt32))
            self._rows = kept if self._rows.is_empty() else self._rows.vstack(kept.select(self._rows.columns))

    def _drop_resting(self) -> None:
        if self._rows.is_empty():
            return
        rows = self._rows.unique(["born_at", "entity_key"], keep="last", maintain_order=True)
        rests = rows.select(at_rest(self._subject, self._newest_ms) & (pl.col("output") <= self._stored)).to_series()
        resting = rows.filter(rests)
        for day, group in resting.select("eid", birth_days(resting)).partition_by("day", as_dict=True).items():
            kept = self._days[int(day[0])]
            ids = group["eid"].to_numpy()
            if kept.whole:
                kept.resting = np.union1d(kept.resting, ids)
            else:
                kept.known = np.setdiff1d(kept.known, ids)
            self._stored_days.add(int(day[0]))
        self._rows = rows.filter(~rests)
        self._members = self._members.filter(~pl.col("eid").is_in(resting["eid"].implode())).rechunk()

    def _drop_days(self) -> None:
        """Let the least recently touched days go until the bound is met; what is not stored stays."""
        for number in sorted(self._days, key=lambda day: self._days[day].touched):
            if self.bytes <= self._bytes_max or self._rows.is_empty():
                return
            mine = birth_days(self._rows) == number
            if not (self._rows.filter(mine)["output"] > self._stored).any():
                self._members = self._members.filter(birth_days(self._members) != number)
                self._rows = self._rows.filter(~mine)
                self._stored_days.add(number)
                del self._days[number]


def with_row_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `entity_key` and `eid`."""
    if "entity_key" not in rows.columns:
        rows = rows.with_columns(pl.Series("entity_key", entity_keys(rows)))
    return rows.with_columns(pl.Series("eid", entity_ids(rows)))


def at_rest(subject: Subject, newest_ms: int) -> pl.Expr:
    """Whether a row is likely to change no more, when the newest event known is that old. Only speed depends on it."""
    if subject.rows_table == "calls":
        return pl.any_horizontal(pl.col("ended_at", "abandoned_at", "lost_at").is_not_null())
    online = pl.col("answered_online_at").is_not_null() & ~pl.col("dispatched")
    quiet = pl.col("closed_at").to_physical() < newest_ms - SURVEY_DAYS * DAY_MS
    closed = pl.col("closed_at").is_not_null() & (pl.col("rated") | quiet)
    return (online | closed).fill_null(value=False)


def _needed(day: _Day, ids: U64) -> Mask:
    """Which ids memory cannot answer for."""
    return _among(ids, day.resting) if day.whole else ~_among(ids, day.known)


def _among(ids: U64, ordered: U64) -> Mask:
    """Which ids stand in a sorted array."""
    if not len(ordered):
        return np.zeros(len(ids), bool)
    place = np.minimum(np.searchsorted(ordered, ids), len(ordered) - 1)
    return np.asarray(ordered[place] == ids)


def _empty(subject: Subject) -> pl.DataFrame:
    keyed = {"entity_key": pl.UInt64(), "event_key": pl.UInt64(), "digest": pl.UInt64(), "eid": pl.UInt64()}
    dropped = {"id", "received_at", "schema"}
    return pl.DataFrame(schema={k: v for k, v in subject.columns.items() if k not in dropped} | keyed)
