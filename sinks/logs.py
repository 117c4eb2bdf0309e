"""Numbers of logs: offsets mean nothing without the log they count in, and a broker that starts empty begins a new one.

A log belongs to a cluster: a durable broker keeps its cluster's id, the embedded one takes a new one at each start.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from hotline.marks import LOGS_SQL, logs
from hotline.names import DATABASE, LOGS_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clickhouse_connect.driver.client import Client

_LOGS = f"{DATABASE}.{LOGS_TABLE}"
_LATEST = f"SELECT topic, max(log), argMax(cluster, log) FROM {_LOGS} GROUP BY topic"  # noqa: S608 names of ours


def number_logs(client: Client, topics: Iterable[str], cluster: str) -> dict[str, int]:
    """Return the number of each topic's log on `cluster`; topics whose last log was on another one get the next.

    May be repeated; call it whenever a broker answers, before anybody reads or writes.
    """
    found = client.query(_LATEST).result_rows
    known = {str(topic): int(log) for topic, log, on in found if on == cluster}
    new = register_logs(client, [topic for topic in topics if topic not in known], cluster)
    return {topic: known.get(topic) or new[topic] for topic in topics}


def register_logs(client: Client, topics: Iterable[str], cluster: str = "") -> dict[str, int]:
    """Take the next log number for each topic, as when a broker starts empty or a topic was made again.

    Two callers at once get different numbers. A crash in between leaves a number unused, which does no harm.
    """
    current = current_logs(client)
    return {topic: _claim(client, topic, current.get(topic, 0) + 1, cluster) for topic in topics}


def follow_fork(client: Client, topics: Iterable[str]) -> dict[str, int]:
    """Take the next log number for topics whose log is not the one it was, though it is on the same cluster."""
    on = {str(topic): str(cluster) for topic, _, cluster in client.query(_LATEST).result_rows}
    return {topic: register_logs(client, [topic], on[topic])[topic] for topic in topics}


def current_logs(client: Client) -> dict[str, int]:
    """Return the number of each topic's current log; a topic that was never registered is absent."""
    return logs(client.query(LOGS_SQL).result_rows)


def _claim(client: Client, topic: str, log: int, cluster: str) -> int:
    """Take the first free number from `log` on: of several inserts under one token only the first one stands."""
    claim = secrets.token_hex(16)
    while True:
        # A statement, because the client's own insert imports numpy, which would stay in the supervisor's memory.
        client.command(
            f"INSERT INTO {_LOGS} (topic, log, cluster, claim) "  # noqa: S608
            "VALUES ({topic:String}, {log:UInt32}, {cluster:String}, {claim:String})",
            parameters={"topic": topic, "log": log, "cluster": cluster, "claim": claim},
            settings={"insert_deduplication_token": f"{topic}/{log}", "async_insert": 0},
        )
        stands = client.query(
            f"SELECT claim FROM {_LOGS} WHERE topic = {{topic:String}} AND log = {{log:UInt32}}",  # noqa: S608
            parameters={"topic": topic, "log": log},
        ).result_rows
        if [row[0] for row in stands] == [claim]:
            return log
        log += 1
