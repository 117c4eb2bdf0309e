"""Where a line stopped until somebody decides, and what was decided: the same place under the same name for all."""

from __future__ import annotations

from typing import NamedTuple

from hotline.names import ACCEPTANCES_TABLE, DATABASE, GAPS_TABLE

GAP, DEAD_LETTERS = "gap", "dead_letters"
"""Records that are gone unread and are to be given up; dead letters in a row that are to be as they are."""

ACCEPTED_SQL = (
    f"SELECT offset FROM {DATABASE}.{ACCEPTANCES_TABLE} WHERE kind = {{kind:String}} "  # noqa: S608 names of ours
    "AND topic = {topic:String} AND partition = {partition:UInt16} AND log = {log:UInt32}"
)
GIVEN_UP_SQL = f"SELECT sum(next_offset - first_offset) FROM {DATABASE}.{GAPS_TABLE} FINAL"  # noqa: S608 names of ours
"""How many records were ever given up."""
_PARTS = 4


class Stop(NamedTuple):
    """A place in a log: the record before which its line stopped."""

    topic: str
    partition: int
    log: int
    offset: int

    @property
    def name(self) -> str:
        """What commands call it."""
        return f"{self.topic}/{self.partition}/{self.log}/{self.offset}"


def stop_of(name: str) -> Stop:
    """The place of that name. Raises ValueError for what is none."""
    topic, *numbers = name.split("/")
    if len(numbers) != _PARTS - 1 or not all(part.isascii() and part.isdigit() for part in numbers):
        raise ValueError(f"{name!r} is no place of a log: write topic/partition/log/offset, as hotline status does")
    partition, log, offset = map(int, numbers)
    return Stop(topic, partition, log, offset)
