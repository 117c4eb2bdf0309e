"""What measure remembers of one subject and partition: a cache of whole birth days over the store.

For every touched birth day it is known which entities can be trusted from memory alone:
- a *whole* day: an entity neither here nor `resting` is new;
- otherwise only entities in `known` were looked up (or first seen) and are here, or are known to be absent.

Entities that will change again are *hot*: their members and last rows are at hand. The others, at rest, are known by
their numbers alone: once their output is stored the store has them, until then the output itself (`recent`) is read
again should one be asked for. Whole days leave, least recently touched first, when the memory passes its bound.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.contributions import columns_read
from hotline.events.keys import U64
from hotline.fold import ENTITY
from hotline.subjects import Subject
from streams.measure.ids import DAY_MS, birth_days, with_member_keys, with_row_keys
from streams.measure.store import Store

WHOLE_DAY_KEYS = 1_000
"""More keys than this at once on one day, and the day is loaded whole: 17 ms a day against 72 ms for 20,000 keys."""
LOOK_UPS_MAX = 8
"""More look-ups than this on one day, and the day is loaded whole: live traffic after a restart asks for a few new keys
of today in every block, at 20 ms or more each time."""
BYTES_MAX = 512 * 2**20
"""Bound of the cache of one subject and partition, what is not yet stored aside."""
GROWTH = 1.5
"""Hot members are searched for what came to rest when there are this many times those of the last search."""
GROWTH_MIN = 50_000
"""Hot members below which nothing is searched."""
PIECES_MAX = 16
"""Pieces of what is hot before they are made one: many slow every look, one costs a copy."""
SURVEY_DAYS = 7
"""A closed ticket nobody rated is kept at hand this long, because surveys follow."""

Mask = npt.NDArray[np.bool_]
Tables = tuple[pl.DataFrame, pl.DataFrame]
"""Members of sets, with their keys, and rows."""
_NO_IDS: U64 = np.empty(0, np.uint64)


@dataclass
class _Day:
    whole: bool
    known: U64 = field(default_factory=lambda: _NO_IDS)
    resting: U64 = field(default_factory=lambda: _NO_IDS)
    touched: int = 0
    look_ups: int = 0


@dataclass
class _Recent:
    """An output not yet stored."""

    sequence: int
    touched: U64
    """Its entities."""
    days: set[int]
    """Their birth days."""
    resting: pl.DataFrame
    """`eid` and `day` of those at rest, whose members and rows are nowhere but in the output."""
    tables: Callable[[], Tables]


class Memory:
    """Sets and emitted rows of one subject and partition. Not safe for use from two threads at once."""

    def __init__(self, subject: Subject, partition: int, store: Store, *, bytes_max: int = BYTES_MAX) -> None:
        self._subject, self._partition, self._store = subject, partition, store
        self._bytes_max = bytes_max
        self._days: dict[int, _Day] = {}
        self._stored_days = store.days(subject, partition)
        self._hot = _no_members(subject)
        self._hot_rows = pl.DataFrame()
        self._recent: deque[_Recent] = deque()
        self._sequence = 0
        self._search_at = GROWTH_MIN
        self._newest_ms = 0

    @property
    def bytes(self) -> int:
        """Estimated bytes of what is at hand."""
        return int(self._hot.estimated_size() + self._hot_rows.estimated_size())

    @property
    def sequence(self) -> int:
        """Number of outputs remembered so far; `stored` takes it."""
        return self._sequence

    def members(self, events: pl.DataFrame) -> pl.DataFrame:
        """All members of the sets of these events' entities; loads from the store what is not in memory."""
        entities = events[events["eid"].arg_unique()].select("eid", "born_at", "source", "entity")
        ids, days = entities["eid"].to_numpy(), birth_days(entities).to_numpy()
        needed = np.zeros(len(ids), bool)
        for number in np.unique(days):
            mine = np.flatnonzero(days == number)
            needed[mine] = self._touch(int(number), ids[mine])
        if needed.any():
            self._look_up(entities.filter(pl.Series(needed)))
        self._bring_back(entities["eid"])
        return _among_ids(self._hot, entities["eid"])

    def rows(self, eids: pl.Series) -> pl.DataFrame:
        """The rows last emitted of these entities: what `contributions` reads of them."""
        if self._hot_rows.is_empty():
            return self._hot_rows
        return _standing(_among_ids(self._hot_rows, eids))

    def remember(self, fresh: pl.DataFrame, rows: pl.DataFrame, tables: Callable[[], Tables]) -> None:
        """Take in an output that is not yet stored: new members (with `eid`) and the rows that changed.

        `tables` reads both again from the output. Entities at rest that nothing else here speaks of stay there.
        """
        self._sequence += 1
        if fresh.is_empty():
            return
        self._newest_ms = max(self._newest_ms, int(fresh["occurred_at"].to_physical().max()))  # type: ignore[arg-type]
        rests = rows.select(at_rest(self._subject, self._newest_ms)).to_series()
        named = rows.select("eid", birth_days(rows))
        resting = _without(named.filter(rests), self._at_hand())
        days = {self._day(number) for number in named["day"].unique()}
        self._recent.append(_Recent(self._sequence, named["eid"].to_numpy(), days, resting, tables))
        kept = fresh.select(self._hot.columns), rows.select(_kept_of_rows(self._subject))
        self._add(*(_without(frame, resting["eid"]) for frame in kept))

    def stored(self, sequence: int) -> None:
        """All outputs up to `sequence` are in the store: what is at rest may go."""
        while self._recent and self._recent[0].sequence <= sequence:
            self._rest(self._recent.popleft().resting)
        if len(self._hot) > self._search_at:
            self._search_hot()
            self._search_at = max(GROWTH_MIN, int(len(self._hot) * GROWTH))
        if self.bytes > self._bytes_max:
            self._drop_days()

    # -- looking up ------------------------------------------------------------------------------------------------

    def _day(self, number: int) -> int:
        """The day's own number, once something is known of the day."""
        self._days.setdefault(number, _Day(whole=number not in self._stored_days))
        return number

    def _touch(self, number: int, ids: U64) -> Mask:
        """Which of these entities born on that day are still to be looked up by key. May load the day."""
        day = self._days[self._day(number)]
        day.touched = self._sequence
        needed = _needed(day, ids)
        day.look_ups += bool(needed.any())
        if np.count_nonzero(needed) > WHOLE_DAY_KEYS or (day.look_ups > LOOK_UPS_MAX and not day.whole):
            self._load_day(number, day)
            return np.zeros(len(ids), bool)
        if not day.whole:
            day.known = np.union1d(day.known, ids)
        elif needed.any():
            day.resting = np.setdiff1d(day.resting, ids[needed])
        return needed

    def _load_day(self, number: int, day: _Day) -> None:
        here = pl.concat([pl.Series("eid", day.known, pl.UInt64), self._at_hand()])
        members, rows = self._prepared(*self._store.by_day(self._subject, self._partition, number))
        self._add(_without(members, here), _without(rows, here))
        day.whole, day.known, day.resting = True, _NO_IDS, _NO_IDS

    def _look_up(self, entities: pl.DataFrame) -> None:
        keys = entities.select("born_at", "source", "entity")
        self._add(*self._prepared(*self._store.by_key(self._subject, self._partition, keys)))

    def _prepared(self, members: pl.DataFrame, rows: pl.DataFrame) -> Tables:
        """Stored events and rows with their keys."""
        return with_member_keys(self._subject, members) if len(members) else members, (
            with_row_keys(rows) if len(rows) else rows
        )

    def _bring_back(self, eids: pl.Series) -> None:
        """Make those hot that rest in an output not yet stored."""
        for recent in self._recent:
            asked = _among_ids(recent.resting, eids)["eid"]
            if len(asked):
                members, rows = recent.tables()
                self._add(_among_ids(members, asked), _among_ids(rows, asked))
                recent.resting = _without(recent.resting, asked)

    # -- keeping and dropping --------------------------------------------------------------------------------------

    def _at_hand(self) -> pl.Series:
        """The entities whose members are in memory, or in outputs not yet stored; some more than once."""
        return pl.concat([self._hot["eid"], *(recent.resting["eid"] for recent in self._recent)])

    def _add(self, members: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Keep at hand."""
        if len(members):
            self._hot = _joined(self._hot, members.select(self._hot.columns))
        if len(rows):
            kept = rows.select(_kept_of_rows(self._subject))
            self._hot_rows = _joined(self._hot_rows, kept) if len(self._hot_rows) else _compact(kept)

    def _search_hot(self) -> None:
        """Drop what came to rest among the hot, unless an output not yet stored speaks of it."""
        rows = _standing(self._hot_rows)
        resting = rows.filter(at_rest(self._subject, self._newest_ms))
        going = resting.select("eid", birth_days(resting))
        for recent in self._recent:
            going = _without(going, pl.Series("eid", recent.touched))
        self._rest(going)
        self._hot_rows = _compact(_without(rows, going["eid"]))
        self._hot = _compact(_without(self._hot, going["eid"]))

    def _rest(self, going: pl.DataFrame) -> None:
        """Know these entities (`eid`, `day`) by their numbers alone from now on."""
        for key, group in going.partition_by("day", as_dict=True).items():
            day, ids = self._days[int(key[0])], group["eid"].to_numpy()
            if day.whole:
                day.resting = np.union1d(day.resting, ids)
            else:
                day.known = np.setdiff1d(day.known, ids)

    def _drop_days(self) -> None:
        """Let the least recently touched days go until the bound is met; days of outputs not yet stored stay."""
        held = set().union(*(recent.days for recent in self._recent))
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
        ends = ("ended_at", "abandoned_at", "lost_at")
        return pl.any_horizontal(pl.col(name).is_not_null() for name in ends)
    online = pl.col("answered_online_at").is_not_null() & ~pl.col("dispatched")
    quiet = pl.col("closed_at").to_physical() < newest_ms - SURVEY_DAYS * DAY_MS
    closed = pl.col("closed_at").is_not_null() & (pl.col("rated") | quiet)
    return (online | closed).fill_null(value=False)


@functools.cache
def _kept_of_rows(subject: Subject) -> list[str]:
    """Columns of a row that memory and the sums have a use for."""
    used = {*columns_read(subject), *at_rest(subject, 0).meta.root_names(), "eid", "version"}
    return sorted(used)


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


def _standing(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each entity the row with the highest version."""
    return rows.sort("version").unique(ENTITY, keep="last", maintain_order=True)


def _joined(frame: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Both under one another, in few pieces."""
    joined = frame.vstack(_compact(more))
    return joined.rechunk() if joined.n_chunks() > PIECES_MAX else joined


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    """A copy in one piece. Text that was picked out of a block would hold on to all the block's text."""
    return pl.DataFrame(pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()))


def _no_members(subject: Subject) -> pl.DataFrame:
    kept = {name: kind for name, kind in subject.columns.items() if name not in {"id", "received_at", "schema"}}
    keys = dict.fromkeys(("entity_key", "event_key", "digest", "eid"), pl.UInt64())
    return pl.DataFrame(schema={**kept, **keys})
