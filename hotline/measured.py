"""The output of measure: everything one block (or slice of a block) changes, in one record.

MessagePack around Arrow IPC streams, one a table, whose bytes the sink stores as they came.
"""

from __future__ import annotations

import secrets

import msgspec

from hotline.windows import NO_MINUTES

MEASURED_VERSION = 1
UNKNOWN, FIRST = 0, 1
"""In place of an output's id: that of an output whose writer gave it none, and what the first of all follows."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where an output came from: a slice of one record of one log. `final` says the record is done with it."""

    log: int
    topic: str
    partition: int
    offset: int
    first: int
    """Place of the slice's first event in its block."""
    last: int
    """Place after the slice's last event."""
    final: bool
    block_id: str
    given_up: int = 0
    """Records from `offset` on that were gone unread: the source stands for all of them, and holds no event."""
    output_id: int = UNKNOWN
    """What tells the output from every other one, of the same source too."""
    upon: int = UNKNOWN
    """Id of the output it follows: the one accepted last by who wrote it, whose sets and rows it changes."""


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the slice's events ended how. Read = counted + seen + revised + dead, always."""

    counted: int = 0
    """A new event."""
    seen: int = 0
    """A repeat of a known one."""
    revised: int = 0
    """Another statement of a known event: a revision, or a conflict."""
    dead: int = 0
    reasons: dict[str, int] = {}

    @property
    def read(self) -> int:
        """Events the slice held."""
        return self.counted + self.seen + self.revised + self.dead


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What made the output. A lower deployment number than the last one seen is refused."""

    deployment: int
    fold: int
    rule: int = 0
    calendar: int = 0
    catalogue: str = ""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One output. `tables` maps a table's name to an Arrow IPC stream of rows to insert."""

    version: int = MEASURED_VERSION
    source: Source
    verdicts: Verdicts
    versions: Versions
    newest_at: int | None = None
    """Epoch seconds of the newest event of the slice."""
    minutes_from: int = NO_MINUTES
    """Epoch seconds, a whole local hour: from here on what the sums have by the hour stands by minute as well."""
    rows: int = 0
    """Rows that changed."""
    sums: int = 0
    """Cells of the sums that changed, at the grains that are kept for ever."""
    tables: dict[str, bytes]

    def encode(self) -> bytes:
        """The record's value."""
        return _ENCODER.encode(self)


def new_output_id() -> int:
    """An id that no other output has: 62 random bits above those of UNKNOWN and FIRST."""
    return secrets.randbits(62) + FIRST + 1


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Measured)


def decode(value: bytes) -> Measured:
    """The output in a record's value. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(value)
