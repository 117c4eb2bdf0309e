"""How far the sink has stored, and which logs are current: read from ClickHouse, written by others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotline.accept import Accepted
from hotline.names import DATABASE, LOGS_TABLE, MARKS_TABLE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_MARKED = "topic, partition, log, position, accepted_log, accepted_offset, accepted_last, accepted_final"
_MARKS = f"SELECT {_MARKED}, accepted_deployment FROM {DATABASE}.{MARKS_TABLE} FINAL"  # noqa: S608 names of ours
_LOGS = f"SELECT topic, max(log) FROM {DATABASE}.{LOGS_TABLE} GROUP BY topic"  # noqa: S608 names of ours


class UnknownLogError(RuntimeError):
    """A topic has no log number: nobody registered the broker's logs."""


@dataclass(frozen=True)
class Mark:
    """What is stored of one partition of a measured topic."""

    log: int = 0
    position: int = 0
    accepted: Accepted = field(default_factory=Accepted)


def read_marks(client: Client) -> dict[tuple[str, int], Mark]:
    """Marks by measured topic and partition; absent where nothing is stored."""
    return {
        (topic, int(partition)): Mark(
            int(log),
            int(position),
            Accepted(log=a_log, offset=offset, last=last, final=bool(final), deployment=deployment),
        )
        for topic, partition, log, position, a_log, offset, last, final, deployment in client.query(_MARKS).result_rows
    }


def read_logs(client: Client) -> dict[str, int]:
    """Current log number by topic."""
    return {str(topic): int(log) for topic, log in client.query(_LOGS).result_rows}


def log_number(logs: dict[str, int], topic: str) -> int:
    """The topic's current log. Raises UnknownLogError."""
    if topic not in logs:
        raise UnknownLogError(f"topic {topic} has no log number; start the stack with hotline up, which registers it")
    return logs[topic]
