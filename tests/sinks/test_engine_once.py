"""Exactly once: tokens, one block an insert, kills."""

# ruff: noqa: S608, S106 (tables, tokens and passwords are the tests' own)

from __future__ import annotations

import http.client
import itertools
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sinks.engines import Running, arrow, count, parts, running, wait_until

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


SELECTING = (
    "INSERT INTO {table} (a, b) SELECT a, b FROM input('a UInt64, b String') "
    "WHERE (SELECT max(n) FROM (SELECT 3 AS n)) <= {{epoch:UInt64}} FORMAT ArrowStream\n"
)


PLAIN = "INSERT INTO {table} (a, b) FORMAT ArrowStream\n"


@pytest.mark.parametrize("statement", [SELECTING, PLAIN])
def test_the_same_token_again_adds_nothing_in_any_partition(
    engine: Running, writer: Client, table: str, statement: str
) -> None:
    body = statement.format(table=table).encode() + arrow(5000)
    for _ in range(3):
        assert engine.ask(body, insert_deduplication_token="batch-1", param_epoch="3")[0] == 200
        assert count(writer, table) == 5000
    again: dict[str, Any] = {
        "query": statement.format(table=table),
        "insert_deduplication_token": "batch-1",
        "param_epoch": "3",
    }
    assert engine.ask(arrow(5000), **again)[0] == 200
    assert count(writer, table) == 5000
    assert parts(writer, table) == 12
    assert engine.ask(body, insert_deduplication_token="batch-2", param_epoch="3")[0] == 200
    assert count(writer, table) == 10_000


def test_a_writer_of_an_older_epoch_inserts_nothing(engine: Running, writer: Client, table: str) -> None:
    body = SELECTING.format(table=table).encode() + arrow(100)
    assert engine.ask(body, param_epoch="2")[0] == 200
    assert count(writer, table) == 0


@pytest.mark.parametrize("statement", [SELECTING, PLAIN])
@pytest.mark.parametrize("batch", [None, 5000])
def test_half_a_million_rows_are_one_block(
    engine: Running, writer: Client, table: str, statement: str, batch: int | None
) -> None:
    body = statement.format(table=table).encode() + arrow(500_000, batch=batch)
    for _ in range(2):
        assert engine.ask(body, insert_deduplication_token="big", param_epoch="3")[0] == 200
        assert count(writer, table) == 500_000
        assert parts(writer, table) == 12  # one a partition: more blocks would be more parts


def test_a_clients_own_settings_cannot_split_an_insert(engine: Running, writer: Client, table: str) -> None:
    split: dict[str, Any] = {
        "max_insert_threads": "2",
        "min_insert_block_size_rows": "1000",
        "max_insert_block_size": "1000",
    }
    body = SELECTING.format(table=table).encode() + arrow(100_000, batch=1000)
    for _ in range(2):
        engine.ask(body, insert_deduplication_token="x", param_epoch="3", min_insert_block_size_bytes="0", **split)
        assert (count(writer, table), parts(writer, table)) == (100_000, 12)


def test_a_kill_loses_nothing_acknowledged_and_a_repetition_makes_the_rest_whole(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    firsts = (0, 1_000_000)
    with running(tmp_path) as engine:
        engine.client().command(
            "CREATE TABLE kept (n UInt64, a UInt64, b String) ENGINE = MergeTree PARTITION BY a % 12 ORDER BY (n, a) "
            "SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1"
        )
        threads = [threading.Thread(target=insert_until_dead, args=(engine, acknowledged, n)) for n in firsts]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) >= 20)
        os.kill(engine.process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    (tmp_path / "data" / "incoming" / "left").write_bytes(b"by the crash")
    with running(tmp_path) as engine:
        assert engine.incoming() == []
        before = rows_of(engine)
        assert {n: before.get(n) for n in acknowledged} == dict.fromkeys(acknowledged, 500)
        mine = [[n for n in acknowledged if first <= n < first + 1_000_000] for first in firsts]
        sent = [*acknowledged, *(max(done, default=first - 1) + 1 for done, first in zip(mine, firsts, strict=True))]
        assert set(before) <= set(sent)
        for n in sent:
            assert insert_numbered(engine, n) == 200
        assert rows_of(engine) == dict.fromkeys(sent, 500)


def rows_of(engine: Running) -> dict[int, int]:
    return dict(engine.client().query("SELECT n, count() FROM kept GROUP BY n").result_rows)  # type: ignore[arg-type]


def insert_numbered(engine: Running, n: int) -> int:
    sql = f"INSERT INTO kept (n, a, b) SELECT {n}, a, b FROM input('a UInt64, b String') FORMAT ArrowStream\n"
    return engine.ask(sql.encode() + arrow(500), insert_deduplication_token=str(n))[0]


def insert_until_dead(engine: Running, acknowledged: list[int], first: int) -> None:
    for n in itertools.count(first):
        try:
            if insert_numbered(engine, n) != 200:
                return
        except (OSError, http.client.HTTPException):
            return
        acknowledged.append(n)
