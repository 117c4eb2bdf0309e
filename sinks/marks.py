"""Marks: how far each partition of the measured topics is stored. Written last in every batch, read at every start.

Other rooms read them with plain SQL::

    SELECT topic, partition, log, position, accepted_log, accepted_offset, accepted_last, accepted_final,
           accepted_deployment
    FROM hotline.marks FINAL

`topic` is the measured topic, `log` its log's number and `position` the offset that is read next; the `accepted_…`
columns are the fields of `hotline.accept.Accepted`: the last stored source of the events topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.accept import Accepted
from hotline.names import DATABASE, MARKS_TABLE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Partition = tuple[str, int]
"""Measured topic and partition."""

POSITION_BITS = 40
"""A mark's version is its log's number above this many bits of its position."""

MARKS_SQL = (
    "SELECT topic, partition, log, position, accepted_log, accepted_offset, accepted_last, accepted_final, "  # noqa: S608
    f"accepted_deployment FROM {DATABASE}.{MARKS_TABLE} FINAL"
)


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


def marks(client: Client) -> dict[Partition, Mark]:
    """Return the mark of every partition with anything stored."""
    found: dict[Partition, Mark] = {}
    for topic, partition, log, position, *accepted in client.query(MARKS_SQL).result_rows:
        a_log, offset, last, final, deployment = accepted
        state = Accepted(log=a_log, offset=offset, last=last, final=bool(final), deployment=deployment)
        found[str(topic), int(partition)] = Mark(log=int(log), position=int(position), accepted=state)
    return found
