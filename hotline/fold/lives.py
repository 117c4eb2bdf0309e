"""The lives of many entities at once: which event of each entity is the first or last of a kind, or says something."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.fold.standing import Standing
from hotline.subjects import Subject

Places = npt.NDArray[np.int64]
"""For each entity the place of one event, or -1 for none."""


class Lives:
    """Standing events, asked entity by entity; every answer has an item an entity.

    A place is one in reading order. Only what is asked for is gathered from the events.
    """

    def __init__(self, subject: Subject, standing: Standing) -> None:
        self._events, self._order, group, rank = standing
        by_rank = np.argsort(rank, kind="stable")
        ends = np.searchsorted(rank[by_rank], np.arange(len(subject.types) + 1))
        self._of_kind = {kind: by_rank[ends[at] : ends[at + 1]] for at, kind in enumerate(subject.types)}
        begins = np.ones(len(group), bool)
        begins[1:] = group[1:] != group[:-1]
        self._starts = np.flatnonzero(begins)
        self._number = np.cumsum(begins) - 1

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def sizes(self) -> pl.Series:
        """How many events each entity has."""
        return pl.Series(np.diff(self._starts, append=len(self._order)).astype(np.uint32))

    def first(self, kind: str) -> Places:
        """The first event of that type."""
        return self._firsts(self._of_kind[kind])

    def last(self, kind: str) -> Places:
        """The last event of that type."""
        return self._lasts(self._of_kind[kind])

    def count(self, kind: str) -> pl.Series:
        """How many events of that type."""
        counts = np.bincount(self._number[self._of_kind[kind]], minlength=len(self))
        return pl.Series(counts.astype(np.int64))

    def first_saying(self, column: str, kind: str) -> Places:
        """The first event of that type that states `column`."""
        mine = self._of_kind[kind]
        return self._firsts(mine[self._states(column)[mine]])

    def last_saying(self, column: str) -> Places:
        """The last event of any type that states `column`."""
        return self._lasts(np.flatnonzero(self._states(column)))

    def earliest(self, column: str, kind: str) -> pl.Series | None:
        """The earliest time that events of that type state in `column`; None where no event is of that type."""
        mine = self._of_kind[kind]
        if not len(mine):
            return None
        stated = self._events[column].gather(self._order[mine])
        numbers = pl.Series("number", self._number[mine])
        known = pl.DataFrame([numbers, stated]).group_by("number").agg(pl.col(column).min())
        every = pl.DataFrame({"number": np.arange(len(self))})
        return every.join(known, on="number", how="left", maintain_order="left")[column]

    def any(self) -> Places:
        """Some event of each entity: for what all its events agree on."""
        return self._starts

    def take(self, column: str, places: Places) -> pl.Series:
        """`column` at these places, null where there is none."""
        values = self._events[column]
        if not len(values) or (places < 0).all():
            return pl.Series(column, [None], values.dtype).new_from_index(0, len(places))
        known = pl.Series(np.where(places < 0, -1, self._order[places])).cast(pl.UInt32, strict=False)
        return values.gather(known)  # -1 became null, and a null place is a null value

    def at(self, places: Places) -> pl.Series:
        """The times of these events."""
        return self.take("occurred_at", places)

    def _states(self, column: str) -> npt.NDArray[np.bool_]:
        return self._events[column].is_not_null().to_numpy()[self._order]

    def _firsts(self, places: Places) -> Places:
        found = np.full(len(self), -1, np.int64)
        found[self._number[places[::-1]]] = places[::-1]
        return found

    def _lasts(self, places: Places) -> Places:
        found = np.full(len(self), -1, np.int64)
        found[self._number[places]] = places
        return found
