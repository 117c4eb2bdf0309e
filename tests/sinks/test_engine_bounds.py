"""Bounds on time, memory, size and number of what runs."""

# ruff: noqa: S608 (tables, tokens and passwords are the tests' own)

from __future__ import annotations

import base64
import gzip
import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import zstandard

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


def test_readers_at_once_do_not_take_each_others_names(engine: Running) -> None:
    """The door looks up each table that a reader names: all on one connection, which has one set of parameters."""
    with engine.client() as writer:
        for name in "abcd":
            writer.command(f"CREATE TABLE at_once_{name} (a UInt64) ENGINE = MergeTree ORDER BY a")
    wanted = [f"SELECT {n}, count() FROM at_once_{'abcd'[n % 4]} AS l CROSS JOIN at_once_a AS r" for n in range(400)]
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(engine.reads, wanted))
    assert [body for _, _, body in answers] == [f"{n}\t0\n".encode() for n in range(400)]


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


def test_a_reader_cannot_have_more_memory_than_its_own_by_asking_for_it(engine: Running) -> None:
    told = partial(engine.ask, b"SELECT getSetting('max_memory_usage')", account="reader")
    most = int(told()[2])
    assert int(told(max_memory_usage=str(most // 2))[2]) == most // 2
    large = b"SELECT length(groupArray(number)) FROM numbers(50000000)"
    for raised in ("1e15", str(1 << 40), "0", "-1", "inf", "nan"):
        assert int(told(max_memory_usage=raised)[2]) == most
        assert (
            int(
                engine.ask(
                    b"SELECT getSetting('max_memory_usage') SETTINGS max_memory_usage = " + raised.encode(),
                    account="reader",
                )[2]
            )
            == most
        )
        assert engine.ask(large, account="reader", max_memory_usage=raised)[1]["x-clickhouse-exception-code"] == "241"


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


# ---- results and readers that are large, slow or gone


def resident_most(engine: Running) -> int:
    """Tell the most memory the engine has had, in bytes."""
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


@pytest.mark.parametrize("packing", ["", "zstd"])
def test_a_large_result_is_sent_in_bounded_memory(engine: Running, packing: str) -> None:
    sql = "SELECT number, number * 2 FROM numbers(20000000)"
    engine.ask(b"SELECT number FROM numbers(1000000) FORMAT Native")
    before = resident_most(engine)
    taken = 0
    asked = {"query": sql, "default_format": "Native", "enable_http_compression": "1"}
    connection = http.client.HTTPConnection("127.0.0.1", engine.address["port"], timeout=60)
    connection.request("GET", "/?" + urlencode(asked), headers={**engine.login(), "Accept-Encoding": packing})
    reply = connection.getresponse()
    unpack = zstandard.ZstdDecompressor().decompressobj().decompress if packing else bytes
    while piece := reply.read(1 << 20):
        taken += len(unpack(piece))
    connection.close()
    assert taken > 320_000_000
    assert resident_most(engine) - before < 100 << 20


def started(engine: Running, sql: str, account: str = "reader") -> socket.socket:
    """Ask and take nothing of the answer."""
    login = "".join(f"{name}: {value}\r\n" for name, value in engine.login(account).items())
    line = socket.create_connection(("127.0.0.1", engine.address["port"]))
    line.sendall(f"GET /?{urlencode({'query': sql})} HTTP/1.1\r\nHost: engine\r\n{login}\r\n".encode())
    return line


def test_clients_that_take_nothing_hold_up_nobody_and_are_cut_off(tmp_path: Path) -> None:
    with running(tmp_path, "--reader-pool", "1", "--stall-seconds", "1") as engine, ExitStack() as lines:
        for _ in range(3):
            lines.enter_context(started(engine, "SELECT number FROM numbers(2000000)"))
        assert engine.reads("SELECT 1")[2] == b"1\n"
        wait_until(lambda: log_of(engine).count('"code":209') == 3)
        assert engine.reads("SELECT 1")[2] == b"1\n"


def log_of(engine: Running) -> str:
    file = engine.folder / "data" / "queries.jsonl"
    return file.read_text() if file.exists() else ""


def test_what_a_reader_asked_who_went_away_is_stopped(tmp_path: Path) -> None:
    with running(tmp_path, "--reader-pool", "1") as engine:
        with started(engine, "SELECT sleepEachRow(1) FROM numbers(25) SETTINGS max_block_size = 1"):
            engine.sleepers()
        running_now = b"SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow')"
        wait_until(lambda: engine.ask(running_now)[2] == b"0\n")
        assert engine.reads("SELECT 1")[2] == b"1\n"


def test_a_reader_who_went_away_while_waiting_takes_no_turn(tmp_path: Path) -> None:
    slow = "SELECT sleepEachRow(0.1) FROM numbers(20) SETTINGS max_block_size = 1"
    with running(tmp_path, "--reader-pool", "1", "--reader-seconds", "3") as engine, started(engine, slow):
        engine.sleepers()
        for _ in range(10):
            started(engine, slow).close()
        assert engine.reads("SELECT 1")[2] == b"1\n"
        wait_until(lambda: log_of(engine).count('"code":209') == 10)


def test_a_statement_that_needs_more_memory_than_most_runs_again_by_itself(engine: Running) -> None:
    sql = "SELECT length(groupArray(number)) FROM numbers(2000000)"
    assert engine.reads(sql, max_memory_usage=str(32 << 20), max_threads="1")[:2] == (500, "241")
    assert engine.reads(sql, max_threads="1")[2] == b"2000000\n"


def test_rows_and_bytes_of_a_readers_result_are_bound(tmp_path: Path) -> None:
    with running(tmp_path, "--reader-rows", "1000") as engine:
        assert engine.reads("SELECT number FROM numbers(1000)")[0] == 200
        assert engine.reads("SELECT number FROM numbers(1001)")[1] == "396"
        assert engine.reads("SELECT number FROM numbers(1001)", max_result_rows="2000")[1] == "396"
        assert engine.reads("SELECT number FROM numbers(11)", max_result_rows="10")[1] == "396"
        assert (
            engine.reads("SELECT repeat(toString(number % 10), 950000) FROM numbers(300)", max_block_size="9")[1]
            == "396"
        )
        assert engine.reads("SELECT number FROM numbers(1001)", result_overflow_mode="break")[1] == "497"
