"""What measure remembers of one subject and partition: a cache of whole birth days over the store.

For every touched birth day it is known which entities can be trusted from memory alone:
- a *whole* day: an entity neither here nor `resting` is new;
- otherwise only entities in `known` were looked up (or first seen) and are here, or are known to be absent.

Entities that will change again are *hot*: their members and last rows are at hand. The others, at rest, are known by
their numbers alone: once their output is stored the store has them, until then the output itself (`recent`) is read
again should one be asked for. Numbers count as memory, too: whole days leave, least recently touched first, when it
passes its bound.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import numpy as np
import polars as pl

from hotline.events.keys import U64
from hotline.subjects import Subject
from streams.measure.ids import birth_days, with_member_keys, with_row_keys
from streams.measure.look_ups import row_schema
from streams.measure.remembered import (
    NO_IDS,
    Day,
    Mask,
    Recent,
    Tables,
    among_ids,
    at_rest,
    born_on,
    compact,
    kept_of_rows,
    no_members,
    standing,
    unknown,
    without,
)
from streams.measure.store import Store

WHOLE_DAY_KEYS = 1_000
"""More keys than this at once on one day, and the day is loaded whole: 17 ms a day against 72 ms for 20,000 keys."""
LOOK_UPS_MAX = 8
"""More look-ups than this on one day, and the day is loaded whole: live traffic after a restart asks for a few new keys
of today in every block, at 20 ms or more each time."""
BYTES_MAX = 512 * 2**20
"""Bound of the cache of one subject and partition, hot or at rest; what is not yet stored aside."""
GROWTH = 2
"""Hot members are searched for what came to rest when there are this many times those of the last search."""
GROWTH_MIN = 100_000
"""Hot members below which nothing is searched."""
PIECES_MAX = 16
"""Pieces of what is hot before they are made one: many slow every look, one costs a copy."""


class Memory:
    """Sets and emitted rows of one subject and partition. Not safe for use from two threads at once."""

    def __init__(self, subject: Subject, partition: int, store: Store, *, bytes_max: int = BYTES_MAX) -> None:
        self._subject, self._partition, self._store = subject, partition, store
        self._bytes_max = bytes_max
        self._days: dict[int, Day] = {}
        self._stored_days = store.days(subject, partition)
        self._hot = no_members(subject)
        self._hot_rows = pl.DataFrame()
        self._recent: deque[Recent] = deque()
        self._sequence = 0
        self._search_at = GROWTH_MIN
        self._newest_ms = 0

    @property
    def bytes(self) -> int:
        """Estimated bytes of all that is remembered, what is at rest too; from any thread."""
        hot = self._hot.estimated_size() + self._hot_rows.estimated_size()
        return int(hot) + sum(day.bytes for day in list(self._days.values()))

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
        return among_ids(self._hot, entities["eid"])

    @property
    def days(self) -> list[int]:
        """Birth days on which anything was born, ascending."""
        return sorted(self._stored_days | self._days.keys())

    def born(self, day: int) -> Tables:
        """Members and rows of all that was born on a day, as they stand; nothing of it stays here.

        Members may be there twice; rows are as `rows` gives them.
        """
        stored = self._prepared(*self._store.by_day(self._subject, self._partition, day))
        unstored = (recent.tables() for recent in self._recent if day in recent.days)
        parts = [stored, (self._hot, self._hot_rows), *unstored]
        nobody, no_rows = self.none()
        members = [born_on(frame, day).select(nobody.columns) for frame, _ in parts if len(frame)]
        rows = [born_on(frame, day).select(no_rows.columns) for _, frame in parts if len(frame)]
        return pl.concat([nobody, *members]), standing(pl.concat([no_rows, *rows]))

    def none(self) -> Tables:
        """Members and rows of nothing, as `born` gives them."""
        rows = with_row_keys(pl.DataFrame(schema=row_schema(self._subject)))
        return self._hot.clear(), rows.select(kept_of_rows(self._subject))

    def rows(self, eids: pl.Series) -> pl.DataFrame:
        """The rows last emitted of these entities: what `contributions` reads of them."""
        if self._hot_rows.is_empty():
            return self._hot_rows
        return standing(among_ids(self._hot_rows, eids))

    def remember(self, fresh: pl.DataFrame, rows: pl.DataFrame, tables: Callable[[], Tables]) -> None:
        """Take in an output that is not yet stored: new members (with `eid`) and the rows that changed.

        `tables` reads both again from the output. Entities at rest that nothing else here speaks of stay there. Rows
        without new members were folded again.
        """
        self._sequence += 1
        if rows.is_empty():
            return
        if fresh.is_empty():
            self._remember_refolded(rows, tables)
            return
        self._newest_ms = max(self._newest_ms, int(fresh["occurred_at"].to_physical().max()))  # type: ignore[arg-type]
        rests = rows.select(at_rest(self._subject, self._newest_ms)).to_series()
        named = rows.select("eid", birth_days(rows))
        resting = without(named.filter(rests), self._at_hand())
        days = {self._day(number) for number in named["day"].unique()}
        touched = named["eid"].to_numpy()
        self._recent.append(Recent(self._sequence, touched, days, resting, tables, named.clear()))
        kept = fresh.select(self._hot.columns), rows.select(kept_of_rows(self._subject))
        self._add(*(without(frame, resting["eid"]) for frame in kept))

    def _remember_refolded(self, rows: pl.DataFrame, tables: Callable[[], Tables]) -> None:
        """Rows of what is hot stand here at once; others when they are asked for, as long as the store lacks them."""
        named = rows.select("eid", birth_days(rows))
        hot = among_ids(rows, self._hot["eid"])
        self._add(self._hot.clear(), hot)
        cold = without(named, hot["eid"])
        days, touched = set(named["day"].unique()), named["eid"].to_numpy()
        self._recent.append(Recent(self._sequence, touched, days, named.clear(), tables, cold))

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
        self._days.setdefault(number, Day(whole=number not in self._stored_days))
        return number

    def _touch(self, number: int, ids: U64) -> Mask:
        """Which of these entities born on that day are still to be looked up by key. May load the day."""
        day = self._days[self._day(number)]
        day.touched = self._sequence
        needed = unknown(day, ids)
        day.look_ups += bool(needed.any())
        if np.count_nonzero(needed) > WHOLE_DAY_KEYS or (day.look_ups > LOOK_UPS_MAX and not day.whole):
            self._load_day(number, day)
            return np.zeros(len(ids), bool)
        if not day.whole:
            day.known = np.union1d(day.known, ids)
        elif needed.any():
            day.resting = np.setdiff1d(day.resting, ids[needed])
        return needed

    def _load_day(self, number: int, day: Day) -> None:
        # After a start what is at hand of a day that is not whole may be the last members only, out of outputs.
        here = self._at_hand() if day.whole else pl.Series("eid", day.known, pl.UInt64)
        members, rows = self._prepared(*self._store.by_day(self._subject, self._partition, number))
        self._take_in(without(members, here), without(rows, here))
        day.whole, day.known, day.resting = True, NO_IDS, NO_IDS

    def _look_up(self, entities: pl.DataFrame) -> None:
        keys = entities.select("born_at", "source", "entity")
        self._take_in(*self._prepared(*self._store.by_key(self._subject, self._partition, keys)))

    def _prepared(self, members: pl.DataFrame, rows: pl.DataFrame) -> Tables:
        """Stored events and rows with their keys."""
        return with_member_keys(self._subject, members) if len(members) else members, (
            with_row_keys(rows) if len(rows) else rows
        )

    def _bring_back(self, eids: pl.Series) -> None:
        """Make those hot that rest in an output not yet stored."""
        for recent in self._recent:
            asked = among_ids(recent.resting, eids)["eid"]
            if len(asked):
                members, rows = recent.tables()
                self._take_in(among_ids(members, asked), among_ids(rows, asked))
                recent.resting = without(recent.resting, asked)

    # -- keeping and dropping --------------------------------------------------------------------------------------

    def _at_hand(self) -> pl.Series:
        """The entities whose members are in memory, or in outputs not yet stored; some more than once."""
        return pl.concat([self._hot["eid"], *(recent.resting["eid"] for recent in self._recent)])

    def _take_in(self, members: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Keep at hand, with the rows that were folded again since and are not yet stored."""
        self._add(members, rows)
        for recent in self._recent if len(rows) else ():
            again = among_ids(recent.refolded, rows["eid"])["eid"]
            if len(again):
                self._add(self._hot.clear(), among_ids(recent.tables()[1], again))
                recent.refolded = without(recent.refolded, again)

    def _add(self, members: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Keep at hand."""
        if len(members):
            self._hot = _joined(self._hot, members.select(self._hot.columns))
        if len(rows):
            kept = rows.select(kept_of_rows(self._subject))
            self._hot_rows = _joined(self._hot_rows, kept) if len(self._hot_rows) else compact(kept)

    def _search_hot(self) -> None:
        """Drop what came to rest among the hot, unless an output not yet stored speaks of it."""
        rows = standing(self._hot_rows)
        resting = rows.filter(at_rest(self._subject, self._newest_ms))
        going = resting.select("eid", birth_days(resting))
        for recent in self._recent:
            going = without(going, pl.Series("eid", recent.touched))
        self._rest(going)
        self._hot_rows = compact(without(rows, going["eid"]))
        self._hot = compact(without(self._hot, going["eid"]))

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
        left = sorted(self._days.keys() - held, key=lambda day: self._days[day].touched)
        while left and (excess := self.bytes - self._bytes_max) > 0:
            going = self._first_of(left, excess)
            del left[: len(going)]
            self._drop(going)

    def _first_of(self, days: list[int], excess: int) -> list[int]:
        """The first of these days that seem to make up so many bytes, or all; thousands may go at once."""
        sizes = Counter({number: float(day.bytes) for number, day in self._days.items()})
        for frame in (self._hot, self._hot_rows):
            if len(frame):
                days_of, counts = np.unique(birth_days(frame).to_numpy(), return_counts=True)
                each = frame.estimated_size() / len(frame)
                sizes.update(dict(zip(days_of.tolist(), (counts * each).tolist(), strict=True)))
        freed = np.cumsum([sizes[number] for number in days])
        return days[: int(np.searchsorted(freed, excess)) + 1]

    def _drop(self, days: list[int]) -> None:
        self._hot = self._hot.filter(~birth_days(self._hot).is_in(days))
        if len(self._hot_rows):
            self._hot_rows = self._hot_rows.filter(~birth_days(self._hot_rows).is_in(days))
        self._stored_days.update(days)
        for number in days:
            del self._days[number]


def _joined(frame: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Both under one another, in few pieces."""
    joined = frame.vstack(compact(more))
    return joined.rechunk() if joined.n_chunks() > PIECES_MAX else joined
