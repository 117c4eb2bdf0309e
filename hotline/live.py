"""The records of `hotline.kpis`: the current value of every KPI, scope and window, and what it was taken from.

A record is MessagePack around an Arrow IPC stream with a row for each value (`COLUMNS`). A full one has every value:
all of the scope kind `all`, and of other scopes those with something to show; what it leaves out is nothing (a count of
0, a ratio of no cases). A record that is not full has the values that changed since the one before it, the empty ones
too.

A count of nothing is 0 from the day on of which the subject has an event; before the first call of a day its calls are
no value, as everywhere (`hotline.queries.coverage`). That is said of the city alone: where its count is no value, that
of no scope is.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import polars as pl

from hotline import ipc

LIVE_VERSION = 1

COLUMNS: dict[str, pl.DataType] = {
    "kpi": pl.String(),
    "window": pl.String(),
    "scope_kind": pl.String(),
    "scope": pl.String(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
    "value": pl.Float64(),
}
"""Columns of the values. `window` is one of `hotline.windows`; a count and a stock have no denominator; `value` is the
published one, in the KPI's unit, null where there was nothing to divide by, or a count of a span without events."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition of a measured topic is in the values: all outputs before `offset` of that log."""

    topic: str
    partition: int
    log: int
    offset: int


def written(positions: Iterable[Position]) -> str:
    """Positions as a text: topic/partition/log/offset of each."""
    return " ".join(f"{at.topic}/{at.partition}/{at.log}/{at.offset}" for at in positions)


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One record."""

    version: int = LIVE_VERSION
    sequence: int
    """Grows by one from record to record of one process; starts anew with it."""
    as_of_ms: int
    """The instant of all values, epoch milliseconds, by the clock of the hotline or, in a replay, of its events."""
    full: bool
    newest_at: dict[str, int] = {}
    """Subject → epoch seconds of the newest event that is in the values; absent before the first."""
    positions: list[Position] = []
    values: bytes = b""
    """Arrow IPC stream; empty when nothing changed, in a full record: since the last full one with values."""
    tables: dict[str, bytes] = {}
    """Table → Arrow IPC stream of rows to store: in the first full record of a minute, its values."""
    values_offset: int | None = None
    """Of an empty full record: offset of the record with its values."""

    def encode(self) -> bytes:
        """The record's value."""
        return _ENCODER.encode(self)

    def frame(self) -> pl.DataFrame:
        """Its values, with `COLUMNS`."""
        if not self.values:
            return pl.DataFrame(schema=COLUMNS)
        return ipc.decode(self.values).select(list(COLUMNS))

    def age_s(self) -> float | None:
        """Seconds from the newest event to the instant of the values; None before the first event."""
        return self.as_of_ms / 1000 - max(self.newest_at.values()) if self.newest_at else None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Live)


def decode(value: bytes) -> Live:
    """The record in a value. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(value)
