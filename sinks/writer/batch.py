"""A batch: what is stored at once, and everything that is needed to store it again with the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from hotline.accept import advance
from hotline.marks import Mark, Partition, digest_of
from hotline.names import ACCOUNTS_TABLE, MARKS_TABLE
from sinks.inserting import Insert
from sinks.writer import books
from sinks.writer.splice import Stream, StreamError, cut, join

if TYPE_CHECKING:
    from hotline.measured import Measured

BATCH_VERSION = 1

Check = Callable[[str, tuple[str, ...]], None]
"""Raises when a table cannot take a stream of such columns."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A partition's mark before and after a batch."""

    topic: str
    partition: int
    before: Mark
    after: Mark


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The inserts of one batch in order, then its marks. `newest_at` is epoch seconds of its newest event."""

    version: int = BATCH_VERSION
    id: str
    inserts: list[Insert]
    marks: Insert
    moves: list[Move]
    newest_at: int | None = None

    def encode(self) -> bytes:
        """Its bytes in the spool."""
        return _ENCODER.encode(self)

    def follows(self, stored: Mapping[Partition, Mark]) -> bool:
        """Whether it is exactly what comes after `stored`; a batch that is stored already does not follow."""
        return all(stored.get((move.topic, move.partition), Mark()) == move.before for move in self.moves)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Batch)


def decode(value: bytes) -> Batch:
    """Read the batch in a spool file's bytes. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(value)


class Gathering:
    """A batch in the making. `check` is asked about every new kind of stream before anything of it is kept."""

    def __init__(self, check: Check) -> None:
        self.bytes = 0
        self.rows = 0
        """Events read, whatever their verdicts."""
        self.records = 0
        self.newest_at: int | None = None
        self._check = check
        self._streams: dict[str, dict[bytes, list[Stream]]] = {}
        self._taken: list[Measured] = []
        self._moves: dict[Partition, Move] = {}
        self._values: dict[Partition, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._moves)

    def read(self, at: Partition, value: bytes) -> None:
        """Note the value of the last record that the marks go past."""
        self._values[at] = value

    def take(self, at: Partition, mark: Mark, record: Measured, *, offset: int) -> Mark:
        """Add an accepted record, whole or not at all; the partition's mark after it.

        Raises StreamError, and what `check` raises; the record then stays out.
        """
        self.add(record.tables)
        self._taken.append(record)
        self.rows += record.verdicts.read
        self.newest_at = max(filter(None, (self.newest_at, record.newest_at)), default=None)
        return self.pass_over(at, mark, Mark(log=mark.log, position=offset + 1, accepted=advance(record)))

    def add(self, tables: Mapping[str, bytes]) -> None:
        """Add rows, all or none. Raises as `take`."""
        streams = {table: cut(value) for table, value in tables.items()}
        for table, stream in streams.items():
            if stream.schema not in self._streams.get(table, {}):
                self._check(table, stream.columns)
        for table, stream in streams.items():
            if stream.rows:
                self._streams.setdefault(table, {}).setdefault(stream.schema, []).append(stream)
        self.bytes += sum(map(len, tables.values()))

    def pass_over(self, at: Partition, before: Mark, after: Mark) -> Mark:
        """Move a partition's mark without adding rows; the mark after it."""
        started = self._moves[at].before if at in self._moves else before
        self._moves[at] = Move(topic=at[0], partition=at[1], before=started, after=after)
        self.records += 1
        return after

    def close(self, stored: Mapping[Partition, Mark]) -> Batch:
        """Make the batch, under a new id. `stored` are the marks that stand before it."""
        name = uuid.uuid4().hex
        moves = [
            Move(
                topic=topic,
                partition=partition,
                before=stored.get((topic, partition), Mark()),
                after=msgspec.structs.replace(move.after, digest=digest_of(self._values[topic, partition])),
            )
            for (topic, partition), move in sorted(self._moves.items())
        ]
        inserts = [
            _insert(name, table, number, streams)
            for table, groups in sorted(self._streams.items())
            for number, streams in enumerate(groups.values())
        ]
        if self._taken:
            inserts.append(_insert(name, ACCOUNTS_TABLE, 0, [cut(books.accounts(self._taken))]))
        marks = _insert(
            name, MARKS_TABLE, 0, [cut(books.marks(name, {(m.topic, m.partition): m.after for m in moves}))]
        )
        return Batch(id=name, inserts=inserts, marks=marks, moves=moves, newest_at=self.newest_at)


def _insert(batch: str, table: str, number: int, streams: list[Stream]) -> Insert:
    """All streams of one schema; a table that gets several schemas in one batch gets an insert for each."""
    return Insert(
        table=table,
        token=f"{batch}/{table}/{number}",
        columns=streams[0].columns,
        rows=sum(stream.rows for stream in streams),
        body=join(streams),
    )


__all__ = ["Batch", "Gathering", "Insert", "Move", "StreamError", "decode"]
