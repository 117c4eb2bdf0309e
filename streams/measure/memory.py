"""What measure remembers of one subject and partition: a cache of whole birth days over the store.

For every touched birth day it is known which entities can be trusted from memory alone:
- a *whole* day: an entity neither here nor `resting` is new;
- otherwise only entities in `known` were looked up (or first seen) and are here, or are known to be absent.

Outputs not yet stored are kept as they were (`recent`). Once stored, what is at rest is dropped and known by its
number alone, and a later event brings it back from the store; all else moves to `hot`. Whole days leave, least recently
touched first, when the memory passes its bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.events.keys import U64
from hotline.fold import ENTITY
from hotline.subjects import Subject
from streams.measure.ids import DAY_MS, birth_days, with_member_keys, with_row_keys
from streams.measure.store import Store

WHOLE_DAY_KEYS = 1_000
"""More look-ups than this on one day, and the day is loaded whole: 17 ms a day against 72 ms for 20,000 keys."""
BYTES_MAX = 512 * 2**20
"""Bound of the cache of one subject and partition, what is not yet stored aside."""
GROWTH = 1.5
"""Hot members are searched for what came to rest when there are this many times those of the last search."""
GROWTH_MIN = 50_000
"""Hot members below which nothing is searched."""
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


@dataclass(frozen=True)
class _Recent:
    sequence: int
    members: pl.DataFrame
    rows: pl.DataFrame


class Memory:
    """Sets and emitted rows of one subject and partition. Not safe for use from two threads at once."""

    def __init__(self, subject: Subject, partition: int, store: Store, *, bytes_max: int = BYTES_MAX) -> None:
        self._subject, self._partition, self._store = subject, partition, store
        self._bytes_max = bytes_max
        self._days: dict[int, _Day] = {}
        self._stored_days = store.days(subject, partition)
        self._hot = _empty(subject)
        self._hot_rows = pl.DataFrame()
        self._recent: deque[_Recent] = deque()
        self._sequence = 0
        self._search_at = GROWTH_MIN
        self._newest_ms = 0

    @property
    def bytes(self) -> int:
        """Estimated bytes of what is stored and kept at hand."""
        return int(self._hot.estimated_size() + self._hot_rows.estimated_size())

    @property
    def sequence(self) -> int:
        """Number of outputs remembered so far; `stored` takes it."""
        return self._sequence

    def members(self, entities: pl.DataFrame) -> pl.DataFrame:
        """All members of the sets of these entities (unique; `eid`, `day`, `born_at`, `source`, `entity`).

        Loads from the store what is not in memory. May hold members of other entities besides.
        """
        groups = {int(key[0]): group for key, group in entities.partition_by("day", as_dict=True).items()}
        for number, group in groups.items():
            self._touch(number, group["eid"].to_numpy())
        self._look_up_keys(groups)
        frames = [self._hot, *(recent.members for recent in self._recent)]
        return pl.concat([_among_ids(frame, entities["eid"]) for frame in frames])

    def rows(self, eids: pl.Series) -> pl.DataFrame:
        """The rows last emitted of these entities, and perhaps of others."""
        frames = [frame for frame in (self._hot_rows, *(recent.rows for recent in self._recent)) if len(frame)]
        if not frames:
            return pl.DataFrame()
        found = pl.concat([_among_ids(frame, eids).select(frames[0].columns) for frame in frames])
        return found.unique(ENTITY, keep="last", maintain_order=True)

    def remember(self, fresh: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Take in an output that is not yet stored: new members (with `eid`) and the rows that changed."""
        self._sequence += 1
        if len(fresh):
            self._newest_ms = max(self._newest_ms, int(fresh["occurred_at"].to_physical().max()))  # type: ignore[arg-type]
            self._recent.append(_Recent(self._sequence, fresh.select(self._hot.columns), rows))

    def stored(self, sequence: int) -> None:
        """All outputs up to `sequence` are in the store: what is at rest may go."""
        while self._recent and self._recent[0].sequence <= sequence:
            self._settle(self._recent.popleft())
        if len(self._hot) > self._search_at:
            self._search_hot()
            self._search_at = max(GROWTH_MIN, int(len(self._hot) * GROWTH))
        if self.bytes > self._bytes_max:
            self._drop_days()

    # -- looking up ------------------------------------------------------------------------------------------------

    def _touch(self, number: int, ids: U64) -> None:
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = _Day(whole=number not in self._stored_days)
        day.touched = self._sequence
        if len(ids) > WHOLE_DAY_KEYS and np.count_nonzero(_needed(day, ids)) > WHOLE_DAY_KEYS:
            self._load_day(number, day)

    def _load_day(self, number: int, day: _Day) -> None:
        here = np.concatenate([day.known, *(self._ids_of_day(frame, number) for frame in self._frames())])
        loaded = self._prepared(*self._store.by_day(self._subject, self._partition, number))
        known = pl.Series(here, dtype=pl.UInt64).unique()
        self._add(*(frame.filter(~pl.col("eid").is_in(known.implode())) if len(frame) else frame for frame in loaded))
        day.whole, day.known, day.resting = True, _NO_IDS, _NO_IDS

    def _frames(self) -> Iterator[pl.DataFrame]:
        yield self._hot
        for recent in self._recent:
            yield recent.members

    @staticmethod
    def _ids_of_day(members: pl.DataFrame, number: int) -> U64:
        return members.filter(birth_days(members) == number)["eid"].to_numpy()

    def _look_up_keys(self, groups: dict[int, pl.DataFrame]) -> None:
        wanted = []
        for number, group in groups.items():
            day, ids = self._days[number], group["eid"].to_numpy()
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
        return with_member_keys(self._subject, members) if len(members) else members, (
            with_row_keys(rows) if len(rows) else rows
        )

    # -- keeping and dropping --------------------------------------------------------------------------------------

    def _add(self, members: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Keep at hand what is stored."""
        if len(members):
            self._hot = self._hot.vstack(members.select(self._hot.columns))
        if len(rows):
            known = not self._hot_rows.is_empty()
            self._hot_rows = self._hot_rows.vstack(rows.select(self._hot_rows.columns)) if known else rows

    def _settle(self, done: _Recent) -> None:
        """Move a stored output to what is hot, but for entities at rest that nothing else here speaks of."""
        elsewhere = pl.concat([self._hot["eid"], *(recent.members["eid"] for recent in self._recent)])
        rests = done.rows.select(at_rest(self._subject, self._newest_ms)).to_series()
        going = done.rows.filter(rests & ~done.rows["eid"].is_in(elsewhere.implode()))
        self._rest(going)
        self._add(_without(done.members, going["eid"]), _without(done.rows, going["eid"]))

    def _search_hot(self) -> None:
        """Drop what came to rest among the hot."""
        rows = self._hot_rows.unique(ENTITY, keep="last", maintain_order=True)
        going = rows.filter(at_rest(self._subject, self._newest_ms))
        if self._recent:
            going = _without(going, pl.concat([recent.members["eid"] for recent in self._recent]))
        self._rest(going)
        self._hot_rows = _without(rows, going["eid"]).rechunk()
        self._hot = _without(self._hot, going["eid"]).rechunk()

    def _rest(self, going: pl.DataFrame) -> None:
        """Know these entities by their numbers alone from now on."""
        named = going.select("eid", birth_days(going))
        for key, group in named.partition_by("day", as_dict=True).items():
            day, ids = self._days[int(key[0])], group["eid"].to_numpy()
            if day.whole:
                day.resting = np.union1d(day.resting, ids)
            else:
                day.known = np.setdiff1d(day.known, ids)

    def _drop_days(self) -> None:
        """Let the least recently touched days go until the bound is met; days of outputs not yet stored stay."""
        held = {day for recent in self._recent for day in birth_days(recent.members).unique()}
        for number in sorted(self._days.keys() - held, key=lambda day: self._days[day].touched):
            if self.bytes <= self._bytes_max:
                return
            self._hot = self._hot.filter(birth_days(self._hot) != number)
            if len(self._hot_rows):
                self._hot_rows = self._hot_rows.filter(birth_days(self._hot_rows) != number)
            self._stored_days.add(number)
            del self._days[number]


def at_rest(subject: Subject, newest_ms: int) -> pl.Expr:
    """Whether a row is likely to change no more, when the newest event known is that old. Only speed depends on it."""
    if subject.rows_table == "calls":
        return pl.any_horizontal(pl.col("ended_at", "abandoned_at", "lost_at").is_not_null())
    online = pl.col("answered_online_at").is_not_null() & ~pl.col("dispatched")
    quiet = pl.col("closed_at").to_physical() < newest_ms - SURVEY_DAYS * DAY_MS
    closed = pl.col("closed_at").is_not_null() & (pl.col("rated") | quiet)
    return (online | closed).fill_null(value=False)


def _among_ids(frame: pl.DataFrame, eids: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("eid").is_in(eids.implode()))


def _without(frame: pl.DataFrame, eids: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col("eid").is_in(eids.implode())) if len(eids) else frame


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
    kept = {name: kind for name, kind in subject.columns.items() if name not in {"id", "received_at", "schema"}}
    keys = dict.fromkeys(("entity_key", "event_key", "digest", "eid"), pl.UInt64())
    return pl.DataFrame(schema={**kept, **keys})
