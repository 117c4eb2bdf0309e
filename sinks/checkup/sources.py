"""Accepted sources: of every log of every partition each record once, from its first event to its last.

Every stored output has an account that names the piece of a record it came from. Each piece must begin where the one
before it ended. In one pass, without sorting: the places where pieces begin and those where they end are the same, but
for the first and the last; so the sums of their hashes differ by just these two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.marks import MARKS_SQL, Mark, marks
from hotline.names import ACCOUNTS_TABLE, DATABASE, EVENTS_TOPICS, MEASURED_TOPICS
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ACCOUNTS = f"{DATABASE}.{ACCOUNTS_TABLE}"
_BEGINS = "(offset, toInt64(first))"
_READ_TO = "offset + greatest(toInt64(given_up), 1) - 1"
"""Offset of the record at which a piece ends: of records that were given up, the last one."""
_ENDS = f"if(final, ({_READ_TO} + 1, toInt64(0)), ({_READ_TO}, toInt64(last)))"
_SURVEY = (
    f"SELECT topic, partition, log, count(), min({_BEGINS}) = (0, 0) AS whole, "  # noqa: S608 names of ours
    f"sum(cityHash64({_BEGINS})) - sum(cityHash64({_ENDS})) = cityHash64(min({_BEGINS})) - cityHash64(max({_ENDS})) "
    "AS linked, countIf(last - first != counted + seen + revised + dead) "
    f"FROM {_ACCOUNTS} GROUP BY topic, partition, log ORDER BY topic, partition, log"
)
_LINKS = (
    f"SELECT countIf(begins > before), countIf(begins < before) FROM (SELECT {_BEGINS} AS begins, "  # noqa: S608 names of ours
    f"lagInFrame({_ENDS}, 1, (toInt64(0), toInt64(0))) OVER (ORDER BY {_BEGINS}, {_ENDS} "
    f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM {_ACCOUNTS} "
    "WHERE topic = {topic:String} AND partition = {partition:UInt16} AND log = {log:UInt32})"
)
_LAST = (
    f"SELECT topic, partition, max((log, {_READ_TO}, last, final)) "  # noqa: S608 names of ours
    f"FROM {_ACCOUNTS} GROUP BY topic, partition"
)


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted sources of one log of a partition."""

    topic: str
    partition: int
    log: int
    outputs: int
    gaps: int = 0
    """Places where something is missing, the beginning of the log included."""
    doubles: int = 0
    """Pieces that begin before the one before them ended."""
    uneven: int = 0
    """Pieces whose verdicts are not as many as their events."""

    @property
    def sound(self) -> bool:
        """Everything once, and a verdict for every event."""
        return not (self.gaps or self.doubles or self.uneven)


class Off(msgspec.Struct, frozen=True, kw_only=True):
    """A partition whose mark does not say what its last account says."""

    topic: str
    partition: int
    mark: str
    account: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A table of events, the new events that accounts speak of, and those that are there."""

    table: str
    accounted: int
    stored: int


def chains(client: Client) -> list[Chain]:
    """Look at every log of every partition."""
    found = []
    for topic, partition, log, outputs, whole, linked, uneven in client.query(_SURVEY).result_rows:
        gaps, doubles = (0, 0) if whole and linked else _links(client, topic, partition, log)
        found.append(
            Chain(
                topic=str(topic),
                partition=int(partition),
                log=int(log),
                outputs=int(outputs),
                gaps=gaps,
                doubles=doubles,
                uneven=int(uneven),
            )
        )
    return found


def _links(client: Client, topic: str, partition: int, log: int) -> tuple[int, int]:
    """Count the gaps and the doubles of one log, piece after piece."""
    asked = {"topic": topic, "partition": partition, "log": log}
    ((gaps, doubles),) = client.query(_LINKS, parameters=asked).result_rows
    return int(gaps), int(doubles)


def marks_off(client: Client) -> list[Off]:
    """Compare every mark with the last account of its partition. The sink must stand still meanwhile."""
    stored = marks(client.query(MARKS_SQL).result_rows)
    last = {(str(topic), int(partition)): tuple(end) for topic, partition, end in client.query(_LAST).result_rows}
    found = []
    for name, topic in EVENTS_TOPICS.items():
        measured = MEASURED_TOPICS[name]
        partitions = {number for at, number in last if at == topic} | {n for at, n in stored if at == measured}
        for partition in sorted(partitions):
            mark, account = _accepted(stored.get((measured, partition), Mark())), last.get((topic, partition), _NOTHING)
            if mark != tuple(map(int, account)):
                found.append(Off(topic=topic, partition=partition, mark=_told(mark), account=_told(account)))
    return found


def events_lost(client: Client) -> list[Lost]:
    """Compare the new events of all accounts with the tables of events. The sink must stand still meanwhile."""
    found = []
    for name, subject in SUBJECTS.items():
        sql = (
            f"SELECT (SELECT sum(counted + revised) FROM {_ACCOUNTS} WHERE topic = {{topic:String}}), "  # noqa: S608 names of ours
            f"(SELECT count() FROM {DATABASE}.{subject.events_table})"
        )
        accounted, stored = map(int, client.query(sql, parameters={"topic": EVENTS_TOPICS[name]}).result_rows[0])
        if accounted != stored:
            found.append(Lost(table=subject.events_table, accounted=accounted, stored=stored))
    return found


_NOTHING = (0, -1, 0, 1)


def _accepted(mark: Mark) -> tuple[int, int, int, int]:
    accepted = mark.accepted
    return accepted.log, accepted.offset, accepted.last, int(accepted.final)


def _told(place: tuple[int, ...]) -> str:
    log, offset, last, final = map(int, place)
    return f"log {log} offset {offset} event {last}{'' if final else ', not at its end'}"
