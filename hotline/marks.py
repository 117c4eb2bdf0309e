"""Marks and logs: how far each partition of the measured topics is stored, and in which log its offsets count.

The sink writes a mark last in every batch; sink and measure read them at every start. Whoever has a client runs the
statements here and hands over the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hotline.accept import Accepted
from hotline.names import DATABASE, FILLED_COLUMNS_TABLE, LOGS_TABLE, MARKS_TABLE, REPAIRS_TABLE

Partition = tuple[str, int]
"""Measured topic and partition."""

_ACCEPTED = tuple(field.name for field in msgspec.structs.fields(Accepted))
POSITION_BITS = 40
"""A mark's version is its log's number above this many bits of its position."""

_COLUMNS = "topic, partition, log, position, digest, " + ", ".join(f"accepted_{name}" for name in _ACCEPTED)
MARKS_SQL = f"SELECT {_COLUMNS} FROM {DATABASE}.{MARKS_TABLE} FINAL"  # noqa: S608 names of ours
LOGS_SQL = f"SELECT topic, max(log) FROM {DATABASE}.{LOGS_TABLE} GROUP BY topic"  # noqa: S608 names of ours
REPAIRS_SQL = (
    f"SELECT (SELECT count() FROM {DATABASE}.{REPAIRS_TABLE}) + "  # noqa: S608 names of ours
    f"(SELECT countIf(told != 'begun') FROM {DATABASE}.{FILLED_COLUMNS_TABLE})"
)
"""How often the sums were repaired, or a column filled or found lacking: whoever keeps sums in memory has those of
before until it reads them again."""

Rows = Iterable[Sequence[Any]]


class UnknownLogError(RuntimeError):
    """A topic has no log number: nobody registered the broker's logs."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition is stored. The start, before anything, is log 0."""

    log: int = 0
    position: int = 0
    """Offset of the record that is read next, within that log."""
    digest: int = 0
    """Of the record before `position`, 0 where it is not known: another one there is another log."""
    accepted: Accepted = Accepted()

    @property
    def version(self) -> int:
        """Grows with every mark of a partition."""
        return (self.log << POSITION_BITS) + self.position


def marks(rows: Rows) -> dict[Partition, Mark]:
    """The mark of every partition with anything stored, from the rows of `MARKS_SQL`."""
    found: dict[Partition, Mark] = {}
    for topic, partition, log, position, digest, *accepted in rows:
        state = msgspec.convert(dict(zip(_ACCEPTED, accepted, strict=True)), Accepted, strict=False)
        mark = Mark(log=int(log), position=int(position), digest=int(digest), accepted=state)
        found[str(topic), int(partition)] = mark
    return found


def digest_of(value: bytes) -> int:
    """What tells one record's value from another's: 63 bits of its BLAKE2b, never 0."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest()) >> 1 or 1


def logs(rows: Rows) -> dict[str, int]:
    """The number of each topic's current log, from the rows of `LOGS_SQL`; one that was never registered is absent."""
    return {str(topic): int(log) for topic, log in rows}


def log_number(numbers: dict[str, int], topic: str) -> int:
    """The topic's current log. Raises UnknownLogError."""
    if topic not in numbers:
        raise UnknownLogError(f"topic {topic} has no log number; start the stack with hotline up, which registers it")
    return numbers[topic]
