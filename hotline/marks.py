"""Marks and logs: how far each partition of the measured topics is stored, and in which log its offsets count.

The sink writes a mark last in every batch; sink and measure read them at every start. Whoever has a client runs the
statements here and hands over the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hotline.accept import Accepted
from hotline.names import DATABASE, LOGS_TABLE, MARKS_TABLE, REPAIRS_TABLE

Partition = tuple[str, int]
"""Measured topic and partition."""

POSITION_BITS = 40
"""A mark's version is its log's number above this many bits of its position."""

_COLUMNS = "topic, partition, log, position, accepted_log, accepted_offset, accepted_last, accepted_final"
MARKS_SQL = f"SELECT {_COLUMNS}, accepted_deployment FROM {DATABASE}.{MARKS_TABLE} FINAL"  # noqa: S608 names of ours
LOGS_SQL = f"SELECT topic, max(log) FROM {DATABASE}.{LOGS_TABLE} GROUP BY topic"  # noqa: S608 names of ours
REPAIRS_SQL = f"SELECT count() FROM {DATABASE}.{REPAIRS_TABLE}"  # noqa: S608 names of ours
"""How often the sums were repaired. Whoever keeps sums in memory has those of before until it reads them again."""

Rows = Iterable[Sequence[Any]]


class UnknownLogError(RuntimeError):
    """A topic has no log number: nobody registered the broker's logs."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition is stored. The start, before anything, is log 0."""

    log: int = 0
    position: int = 0
    """Offset of the record that is read next, within that log."""
    accepted: Accepted = Accepted()

    @property
    def version(self) -> int:
        """Grows with every mark of a partition."""
        return (self.log << POSITION_BITS) + self.position


def marks(rows: Rows) -> dict[Partition, Mark]:
    """The mark of every partition with anything stored, from the rows of `MARKS_SQL`."""
    found: dict[Partition, Mark] = {}
    for topic, partition, log, position, *accepted in rows:
        a_log, offset, last, final, deployment = accepted
        state = Accepted(log=a_log, offset=offset, last=last, final=bool(final), deployment=deployment)
        found[str(topic), int(partition)] = Mark(log=int(log), position=int(position), accepted=state)
    return found


def logs(rows: Rows) -> dict[str, int]:
    """The number of each topic's current log, from the rows of `LOGS_SQL`; one that was never registered is absent."""
    return {str(topic): int(log) for topic, log in rows}


def log_number(numbers: dict[str, int], topic: str) -> int:
    """The topic's current log. Raises UnknownLogError."""
    if topic not in numbers:
        raise UnknownLogError(f"topic {topic} has no log number; start the stack with hotline up, which registers it")
    return numbers[topic]
