"""Bounds on time, memory, size and number of what runs."""

# ruff: noqa: S608 (tables, tokens and passwords are the tests' own)

from __future__ import annotations

import base64
import gzip
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sinks.engines import Running, count, running, wait_until

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_is_none_is_the_clients_error(engine: Running, kind: str) -> None:
    headers = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": engine.password("reader"), "Content-Type": kind}
    for body in (b"no form", b"--x\r\nno header\r\n"):
        assert engine.ask(body, headers=headers)[0] == 400


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_half_a_body_is_not_inserted(engine: Running, writer: Client, table: str, framing: str) -> None:
    login = base64.b64encode(f"writer:{engine.password('writer')}".encode()).decode()
    half = f"INSERT INTO {table} FORMAT TSV\n1\tx\n2\ty\n"
    if "chunked" in framing:
        half = f"{len(half):x}\r\n{half}\r\n"
    head = f"POST / HTTP/1.1\r\nHost: engine\r\nAuthorization: Basic {login}\r\n{framing}\r\n\r\n"
    with socket.create_connection((engine.address["host"], engine.address["port"])) as line:
        line.sendall((head + half).encode())
        wait_until(lambda: engine.incoming() != [])
    wait_until(lambda: engine.incoming() == [])
    assert count(writer, table) == 0


def test_the_memory_of_the_whole_engine_is_bound(tmp_path: Path) -> None:
    with running(tmp_path, "--memory-mib", "512") as engine:
        status, headers, _ = engine.ask(b"SELECT length(groupArray(number)) FROM numbers(300000000)")
        assert (status, headers["x-clickhouse-exception-code"]) == (500, "241")
        assert engine.ask(b"SELECT 1")[2] == b"1\n"


def test_slow_readers_do_not_hold_up_the_writer(tmp_path: Path) -> None:
    with running(tmp_path, "--pool", "1") as engine, ThreadPoolExecutor(2) as pool:
        sleeping = b"SELECT sleepEachRow(1) FROM numbers(3000)"
        slow = [pool.submit(engine.ask, sleeping, account="reader", max_block_size="1") for _ in range(2)]
        engine.sleepers()
        assert engine.ask(b"SELECT 1")[2] == b"1\n"
        assert not any(one.done() for one in slow)
        engine.process.kill()


def test_requests_beyond_the_pool_wait_for_their_turn(tmp_path: Path) -> None:
    with running(tmp_path, "--pool", "2") as engine, ThreadPoolExecutor(24) as clients:
        wanted = [f"SELECT {n}, count() FROM numbers(200000) WHERE sleepEachRow(0) = 0" for n in range(48)]
        answers = list(clients.map(lambda sql: engine.ask(sql.encode())[2], wanted))
    assert answers == [f"{n}\t200000\n".encode() for n in range(48)]


def test_a_readers_statement_is_bound_in_time_and_memory(engine: Running) -> None:
    slow = b"SELECT sleepEachRow(0.2) FROM numbers(1000)"
    status, headers, _ = engine.ask(slow, account="reader", max_block_size="1")
    assert (status, headers["x-clickhouse-exception-code"]) == (408, "159")
    status, headers, _ = engine.ask(b"SELECT length(groupArray(number)) FROM numbers(50000000)", account="reader")
    assert (status, headers["x-clickhouse-exception-code"]) == (500, "241")


def test_a_reader_can_lower_a_limit_and_not_raise_one(engine: Running) -> None:
    sql = b"SELECT getSetting('max_execution_time')"
    assert float(engine.ask(sql, account="reader", max_execution_time="0.5")[2]) == 0.5
    for raised in ("100", "0", "-1", "inf", "nan"):
        assert float(engine.ask(sql, account="reader", max_execution_time=raised)[2]) == 1.0
    assert float(engine.ask(sql + b" SETTINGS max_execution_time = 0.25", account="reader")[2]) == 0.25
    assert float(engine.ask(sql + b" SETTINGS max_execution_time = 100", account="reader")[2]) == 1.0
    threads = b"SELECT getSetting('max_threads') FORMAT TSV SETTINGS max_threads = 100"
    assert int(engine.ask(threads, account="reader")[2]) == 2
    assert engine.ask(sql, account="reader", max_parser_depth="100000")[0] == 403


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_over_the_limit_is_refused_and_leaves_nothing(
    engine: Running, writer: Client, table: str, *, packed: bool
) -> None:
    body = f"INSERT INTO {table} FORMAT TSV\n".encode() + b"1\tx\n" * (9 << 20)
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": engine.password("writer")}
    if packed:
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        assert len(body) < 1 << 20
    status, said, _ = engine.ask(body, headers=headers)
    assert (status, said["x-clickhouse-exception-code"]) == (413, "307")
    assert engine.incoming() == []
    assert count(writer, table) == 0


def test_a_statement_over_the_limit_is_refused(engine: Running) -> None:
    assert engine.ask(b"SELECT '" + b"x" * (2 << 20) + b"'")[0] == 413
    assert engine.ask(b"SELECT length('" + b"x" * (1 << 17) + b"')")[2] == b"131072\n"
