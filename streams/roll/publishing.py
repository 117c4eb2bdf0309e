"""Records of current values: what changed, and now and then everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from hotline import ipc
from hotline.catalogue import ALL
from hotline.live import Live, written
from hotline.names import KPIS_TABLE
from hotline.windows import MINUTE_S
from streams.roll.figures import BOARDS, Figures, Mask, table

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.roll.state import State


class Publisher:
    """Makes one record after another; remembers what the readers know."""

    def __init__(self, state: State, without: Collection[str] = ()) -> None:
        """`without`: KPIs that have no value, because sums that they are made of are not filled."""
        self._state, self._without = state, without
        self._said: dict[str, Figures] = {}
        self._changes_said, self._changes_in_full = -1, -1
        self._stored_minute = -1
        self._sequence = 0
        self.values_offset: int | None = None
        """Where the last full record with values stands, once it is sent."""

    def changed(self, as_of_ms: int) -> Live | None:
        """What changed since the last record; None when nothing did."""
        if self._state.changes == self._changes_said:
            return None
        figures = self._figures()
        chosen = {name: of.differs(self._said.get(name)) for name, of in figures.items()}
        for name, of in figures.items():
            chosen[name][self._city] |= of.turned(self._said.get(name))
        if not any(mask.any() for mask in chosen.values()):
            return None
        values = self._table(figures, chosen)
        self._said = figures
        return self._record(as_of_ms, full=False, values=ipc.encode_table(values, small=True))

    def everything(self, as_of_ms: int) -> Live:
        """Every value; without values when none changed since the last time. Once a minute with rows to store."""
        store = as_of_ms // 1000 // MINUTE_S != self._stored_minute
        if self._state.changes == self._changes_in_full and not store and self.values_offset is not None:
            return self._record(as_of_ms, full=True, values=b"")
        figures = self._figures()
        chosen = {name: of.something() for name, of in figures.items()}
        for mask in chosen.values():
            mask[self._city] = True
        values = self._table(figures, chosen)
        self._said, self._changes_in_full = figures, self._changes_said
        tables = {KPIS_TABLE: ipc.encode_table(self._to_store(values, as_of_ms), small=True)} if store else {}
        self._stored_minute = as_of_ms // 1000 // MINUTE_S
        return self._record(as_of_ms, full=True, values=ipc.encode_table(values, small=True), tables=tables)

    def _figures(self) -> dict[str, Figures]:
        self._changes_said = self._state.changes
        scopes, newest_at = len(self._state.scopes), self._state.newest_at
        return {
            name: board.figures(self._state.rolling[name], scopes, newest_at.get(name))
            for name, board in BOARDS.items()
        }

    @property
    def _city(self) -> int:
        """Number of the scope that is all of it: the first one, so it is found at once."""
        return self._state.scopes.names.index((ALL, ""))

    def _table(self, figures: dict[str, Figures], chosen: dict[str, Mask]) -> pa.Table:
        scopes = self._state.scopes
        parts = [
            BOARDS[name].rows(of, chosen[name] & BOARDS[name].kept(scopes, self._without))
            for name, of in figures.items()
        ]
        return table(parts, scopes)

    def _to_store(self, values: pa.Table, as_of_ms: int) -> pa.Table:
        newest = max(self._state.newest_at.values(), default=None)
        same = {
            "as_of": pa.scalar(as_of_ms, pa.timestamp("ms", "UTC")),
            "newest_at": pa.scalar(None if newest is None else newest * 1000, pa.timestamp("ms", "UTC")),
            "positions": pa.scalar(written(self._state.positions)),
        }
        for name, value in same.items():
            values = values.append_column(name, pa.repeat(value, len(values)))
        return values

    def _record(self, as_of_ms: int, *, full: bool, values: bytes, tables: dict[str, bytes] | None = None) -> Live:
        self._sequence += 1
        return Live(
            sequence=self._sequence,
            as_of_ms=as_of_ms,
            full=full,
            newest_at=self._state.newest_at,
            positions=self._state.positions,
            values=values,
            tables=tables or {},
            values_offset=self.values_offset if full and not values else None,
        )
