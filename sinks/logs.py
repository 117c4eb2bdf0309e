"""Numbers of logs: offsets mean nothing without the log they count in, and a broker that starts empty begins a new one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hotline.names import DATABASE, LOGS_TABLE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_LOGS = f"{DATABASE}.{LOGS_TABLE}"


def register_logs(client: Client, topics: Iterable[str]) -> dict[str, int]:
    """Take the next log number for each topic: call it whenever a broker starts empty, once for a durable one.

    Two callers at once get different numbers. A crash in between leaves a number unused, which does no harm.
    """
    current = current_logs(client)
    return {topic: _claim(client, topic, current.get(topic, 0) + 1) for topic in topics}


def current_logs(client: Client) -> dict[str, int]:
    """The number of each topic's current log; a topic that was never registered is absent."""
    found = client.query(f"SELECT topic, max(log) FROM {_LOGS} GROUP BY topic").result_rows  # noqa: S608 a name of ours
    return {str(topic): int(log) for topic, log in found}


def _claim(client: Client, topic: str, log: int) -> int:
    """The first number from `log` on that is ours: of several inserts under one token only the first one stands."""
    claim = secrets.token_hex(16)
    while True:
        client.insert(
            _LOGS,
            [[topic, log, claim]],
            column_names=["topic", "log", "claim"],
            settings={"insert_deduplication_token": f"{topic}/{log}", "async_insert": 0},
        )
        stands = client.query(
            f"SELECT claim FROM {_LOGS} WHERE topic = {{topic:String}} AND log = {{log:UInt32}}",  # noqa: S608
            parameters={"topic": topic, "log": log},
        ).result_rows
        if [row[0] for row in stands] == [claim]:
            return log
        log += 1
