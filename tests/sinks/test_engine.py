"""The embedded engine, as a process, asked by the ordinary ClickHouse client."""

# ruff: noqa: S608, S106 (table names are the test's own; a deduplication token is no password)

from __future__ import annotations

import base64
import gzip
import http.client
import io
import itertools
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
import psutil
import pyarrow as pa
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from clickhouse_connect.driver.external import ExternalData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.engine.accounts import Account
from sinks.engine.admission import admit
from sinks.engine.errors import EngineError
from sinks.engine.inserts import data_clause, reading_from
from sinks.engine.native import header_block
from sinks.engine.tokens import literal, statements, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clickhouse_connect.driver.client import Client

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60
ONE_SECOND = "SELECT sleepEachRow(0.5) FROM numbers(2) SETTINGS max_block_size = 1"


@dataclass
class Running:
    """A started engine: its process, its folder and what it said about itself."""

    process: subprocess.Popen[bytes]
    folder: Path
    address: dict[str, Any]

    def password(self, account: str) -> str:
        return (self.folder / "secrets" / f"{account}.password").read_text().strip()

    def client(self, account: str = "writer", **more: Any) -> Client:
        return clickhouse_connect.get_client(
            host=self.address["host"],
            port=self.address["port"],
            username=account,
            password=self.password(account),
            **more,
        )

    def ask(
        self,
        body: bytes,
        *,
        account: str = "writer",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        **args: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one bare request: status, headers in lower case, body."""
        connection = http.client.HTTPConnection(self.address["host"], self.address["port"], timeout=DEADLINE_S)
        login = base64.b64encode(f"{account}:{self.password(account)}".encode()).decode()
        try:
            given = {"Authorization": f"Basic {login}"} if headers is None else headers
            connection.request(method, "/?" + urlencode(args), body=body, headers=given)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def incoming(self) -> list[Path]:
        return list((self.folder / "data" / "incoming").iterdir())


@contextmanager
def running(folder: Path, *more: str) -> Iterator[Running]:
    """Start an engine and wait for its address; whatever happens, no process stays."""
    address = folder / "address.json"
    address.unlink(missing_ok=True)
    with (folder / "stderr.txt").open("wb") as errors:
        process = start(folder, *more, "--address-file", str(address), stderr=errors)
        try:
            until = time.monotonic() + DEADLINE_S
            while not address.exists():
                assert process.poll() is None, (folder / "stderr.txt").read_text()
                assert time.monotonic() < until, "the engine told no address"
                time.sleep(0.02)
            yield Running(process, folder, json.loads(address.read_text()))
        finally:
            process.kill()
            process.communicate()


def start(folder: Path, *more: str, stderr: Any) -> subprocess.Popen[bytes]:
    folders = ("--data", str(folder / "data"), "--secrets", str(folder / "secrets"))
    command = [sys.executable, "-m", "sinks.engine", *folders, "--zone", "Asia/Shanghai", *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    bounds = ("--reader-seconds", "1", "--reader-mib", "64", "--body-mib", "32")
    with running(tmp_path_factory.mktemp("engine"), *bounds) as started:
        yield started


@pytest.fixture
def writer(engine: Running) -> Iterator[Client]:
    with engine.client() as client:
        yield client


@pytest.fixture
def reader(engine: Running) -> Iterator[Client]:
    with engine.client("reader") as client:
        yield client


@pytest.fixture
def table(writer: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make an empty table with one partition for each value of `a % 12`, which remembers tokens."""
    name = "t_" + "".join(c if c.isalnum() else "_" for c in request.node.name)[:60]
    writer.command(
        f"CREATE TABLE {name} (a UInt64, b LowCardinality(String)) ENGINE = MergeTree PARTITION BY a % 12 ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1"
    )
    writer.command(f"SYSTEM STOP MERGES {name}")
    yield name
    writer.command(f"DROP TABLE {name}")


def arrow(rows: int, *, batch: int | None = None) -> bytes:
    data = pa.table({"a": pa.array(range(rows), pa.uint64()), "b": [f"w{n % 7}" for n in range(rows)]})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, data.schema) as stream:
        stream.write_table(data, max_chunksize=batch)
    return sink.getvalue()


def count(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def parts(client: Client, table: str) -> int:
    sql = "SELECT count() FROM system.parts WHERE active AND table = {table:String}"
    return int(client.query(sql, parameters={"table": table}).result_rows[0][0])


# ---- start, accounts, address


def test_it_prints_one_line_of_json_that_equals_the_address_file(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        assert engine.process.stdout is not None
        printed = json.loads(engine.process.stdout.readline())
        assert printed == engine.address
        assert engine.address["pid"] == engine.process.pid
        ours = [c.laddr.ip for c in psutil.Process(engine.process.pid).net_connections() if c.status == "LISTEN"]
        assert ours == ["127.0.0.1"]


def test_passwords_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        made = [engine.password(account) for account in Account]
        modes = [stat.S_IMODE((tmp_path / "secrets" / f"{account}.password").stat().st_mode) for account in Account]
    with running(tmp_path) as engine:
        assert [engine.password(account) for account in Account] == made
        assert engine.ask(b"SELECT 1")[0] == 200
    assert made[0] != made[1]
    assert min(map(len, made)) >= 32
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_password_that_others_can_read_stops_the_start_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "reader.password").write_text("known to all")
    (tmp_path / "secrets" / "reader.password").chmod(0o644)
    process = start(tmp_path, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert b"chmod 600" in errors


def test_a_folder_has_one_engine(engine: Running) -> None:
    second = start(engine.folder, stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert b"another engine runs on" in errors


def test_an_unknown_zone_stops_the_start(tmp_path: Path) -> None:
    second = start(tmp_path, "--zone", "Asia/Atlantis", stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert b"Asia/Atlantis" in errors


def test_a_port_in_use_stops_the_start(engine: Running, tmp_path: Path) -> None:
    second = start(tmp_path, "--port", str(engine.address["port"]), stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert str(engine.address["port"]).encode() in errors


def test_clients_see_the_zone_of_the_hotline(reader: Client) -> None:
    assert str(reader.server_tz) == "Asia/Shanghai"
    assert reader.query("SELECT toString(toDateTime(0))").result_rows == [("1970-01-01 08:00:00",)]


@pytest.mark.parametrize(("name", "password"), [("writer", "wrong"), ("default", ""), ("", ""), ("reader", "")])
def test_a_wrong_password_or_name_is_refused_as_clickhouse_refuses_it(
    engine: Running, name: str, password: str
) -> None:
    for headers in (
        {"X-ClickHouse-User": name, "X-ClickHouse-Key": password},
        {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()},
    ):
        status, said, body = engine.ask(b"SELECT 1", headers=headers)
        assert (status, said["x-clickhouse-exception-code"]) == (403, "516")
        assert body.startswith(b"Code: 516. DB::Exception: ")
        assert b"(AUTHENTICATION_FAILED)" in body


def test_a_password_is_taken_from_headers_and_never_from_an_address(engine: Running) -> None:
    headers = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": engine.password("reader")}
    assert engine.ask(b"SELECT 1", headers=headers)[2] == b"1\n"
    assert engine.ask(b"SELECT 1", headers={}, user="reader", password=engine.password("reader"))[0] == 403


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status"])
def test_health_needs_no_password(engine: Running, path: str) -> None:
    connection = http.client.HTTPConnection(engine.address["host"], engine.address["port"], timeout=DEADLINE_S)
    connection.request("GET", path)
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"Ok.\n")
    connection.close()


# ---- the client's ordinary work


def test_rows_go_in_and_come_back(writer: Client, reader: Client, table: str) -> None:
    summary = writer.insert(table, [[1, "x"], [2, "y"]], column_names=["a", "b"])
    assert summary.written_rows == 2
    found = reader.query(f"SELECT a, b FROM {table} WHERE a = {{a:UInt64}}", parameters={"a": 2})
    assert found.result_rows == [(2, "y")]
    assert reader.command(f"SELECT count() FROM {table}") == 2
    assert reader.raw_query(f"SELECT a FROM {table} ORDER BY a", fmt="CSV") == b"1\n2\n"


def test_parameters_are_values_whatever_they_hold(reader: Client) -> None:
    nasty = "a'b\\c\td\n; DROP TABLE x -- {x:String}"
    assert reader.query("SELECT {v:String}", parameters={"v": nasty}).result_rows == [(nasty,)]


def test_an_empty_result_still_has_its_columns(reader: Client, table: str) -> None:
    kinds = f"SELECT a, b, toDateTime(a, 'UTC') AS d, map('k', a) AS m FROM {table}"
    found = reader.query(f"{kinds} WHERE a = 9 SETTINGS max_execution_time = 1")
    assert found.result_rows == []
    assert found.column_names == ("a", "b", "d", "m")
    assert [t.name for t in found.column_types][:2] == ["UInt64", "LowCardinality(String)"]
    assert reader.query_arrow(f"SELECT a, b FROM {table}").column_names == ["a", "b"]
    assert reader.query(f"SELECT a FROM {table} LIMIT 0").column_names == ("a",)


def test_arrow_goes_in_and_comes_back(writer: Client, reader: Client, table: str) -> None:
    writer.insert_arrow(table, pa.table({"a": pa.array([5, 6], pa.uint64()), "b": ["p", "q"]}))
    assert reader.query_arrow(f"SELECT a, b FROM {table} ORDER BY a").to_pydict() == {"a": [5, 6], "b": ["p", "q"]}


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("lz4", lz4.frame.compress), ("zstd", zstandard.compress), ("gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_packed_bodies_are_unpacked(writer: Client, table: str, encoding: str, pack: Any) -> None:
    writer.raw_insert(table, ["a", "b"], insert_block=pack(arrow(100)), fmt="ArrowStream", compression=encoding)
    assert count(writer, table) == 100


def test_an_insert_of_many_packed_blocks_arrives_whole(engine: Running, table: str) -> None:
    for compress in ("lz4", "zstd", "gzip"):
        with engine.client(compress=compress) as client:
            client.insert(table, [[n, compress] for n in range(200_000)], column_names=["a", "b"])
            found = client.query(f"SELECT count(), uniqExact(a) FROM {table} WHERE b = '{compress}'")
            assert found.result_rows == [(200_000, 200_000)]


def test_a_broken_packing_is_an_error_and_inserts_nothing(writer: Client, table: str) -> None:
    whole = gzip.compress(arrow(1000))
    for block in (whole[:-20], b"no gzip at all"):
        with pytest.raises(DatabaseError, match="code: 36"):
            writer.raw_insert(table, ["a", "b"], insert_block=block, fmt="ArrowStream", compression="gzip")
    assert count(writer, table) == 0


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate"])
def test_answers_are_packed_when_the_client_asks(engine: Running, encoding: str) -> None:
    unpack = {"lz4": lz4.frame.decompress, "gzip": gzip.decompress, "deflate": zlib.decompress}
    unpack["zstd"] = lambda raw: zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    login = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": engine.password("reader"), "Accept-Encoding": encoding}
    sql = b"SELECT number FROM numbers(5000)"
    _, plain, wanted = engine.ask(sql, headers=login)
    _, packed, raw = engine.ask(sql, headers=login, enable_http_compression="1")
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == encoding
    assert unpack[encoding](raw) == wanted


@pytest.mark.parametrize(
    ("clause", "data"),
    [
        ("FORMAT TSV", b"1\tx;y\n2\tz\n"),
        ("FORMAT JSONEachRow", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "INSERT; FORMAT TSV"}\n'),
        ("SETTINGS max_threads = 1 FORMAT CSV", b'1,"a\nb"\n2,c\n'),
        ("VALUES", b" (1, 'x;y'), (2, concat('a', 'b'))"),
        ("FORMAT ArrowStream", arrow(2)),
        ("/* FORMAT CSV */ format arrowstream", arrow(2)),
    ],
)
def test_data_of_any_format_may_follow_the_statement_or_be_the_body(
    engine: Running, writer: Client, table: str, clause: str, data: bytes
) -> None:
    head = f"INSERT INTO {table} (a, b) {clause}"
    assert engine.ask(head.encode() + b"\n" + data, insert_deduplication_token="together")[0] == 200
    assert engine.ask(data, query=head, insert_deduplication_token="apart")[0] == 200
    assert count(writer, table) == 4


def test_an_insert_says_how_many_rows_it_wrote(engine: Running, table: str) -> None:
    _, headers, body = engine.ask(f"INSERT INTO {table} FORMAT ArrowStream\n".encode() + arrow(30), query_id="mine")
    assert json.loads(headers["x-clickhouse-summary"])["written_rows"] == "30"
    assert headers["x-clickhouse-query-id"] == "mine"
    assert "x-clickhouse-format" not in headers
    assert body == b""


def test_external_tables_come_with_the_request_and_go_with_it(engine: Running, table: str) -> None:
    engine.client().raw_insert(table, ["a", "b"], insert_block=arrow(20), fmt="ArrowStream")
    keys = ExternalData(file_name="k.arrow", data=arrow(3), fmt="ArrowStream", structure=["a UInt64", "b String"])
    keys.add_file(file_name="l.tsv", data=b"1\tone\n2\ttwo\n", fmt="TSV", types=["UInt64", "String"])
    keys.add_file(file_name="none.tsv", data=b"", fmt="TSV", structure="x UInt8")
    for account in Account:
        with engine.client(account) as client:
            sql = f"SELECT t.a, _2 FROM {table} AS t JOIN k USING (a) JOIN l ON _1 = a WHERE a > {{x:UInt8}} ORDER BY a"
            assert client.query(sql, parameters={"x": 1}, external_data=keys).result_rows == [(2, "two")]
            assert client.query("SELECT x FROM none", external_data=keys).result_rows == []
            with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
                client.query("SELECT * FROM k")
    assert engine.incoming() == []


@pytest.mark.parametrize(
    ("name", "structure"),
    [("k", "a String DEFAULT file('/etc/hostname')"), ("k` (x Int8) AS SELECT 1 --", "a UInt8"), ("k", "a Nonsense")],
)
def test_an_external_table_cannot_smuggle_a_statement_in(reader: Client, name: str, structure: str) -> None:
    with pytest.raises(DatabaseError):
        reader.query("SELECT * FROM k", external_data=ExternalData(file_name=name, data=b"", structure=structure))


def test_long_parameters_travel_in_a_form(reader: Client) -> None:
    found = reader.query("SELECT length({x:String})", parameters={"x": "y" * 300_000})
    assert found.result_rows == [(300_000,)]


def test_settings_of_a_request_hold_for_it_alone(writer: Client) -> None:
    sql = "SELECT getSetting('max_threads')"
    assert writer.query(sql, settings={"max_threads": 7}).result_rows == [(7,)]
    assert writer.query(sql).result_rows != [(7,)]
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        writer.query("SELECT 1", settings={"no_such_setting": 1})


def test_no_state_of_a_session_reaches_the_next_request(engine: Running) -> None:
    before = engine.ask(b"SELECT getSetting('max_block_size'), currentDatabase()")[2]
    for change in (b"SET max_block_size = 3", b"USE system", b"CREATE TEMPORARY TABLE gone (x UInt8)"):
        assert engine.ask(change, session_id="s")[0] == 200
    for _ in range(20):
        assert engine.ask(b"SELECT getSetting('max_block_size'), currentDatabase()", session_id="s")[2] == before
        assert engine.ask(b"SELECT * FROM gone", session_id="s")[0] == 404
    assert engine.ask(b"SELECT 1", session_id="s", session_check="1")[0] == 404


def test_the_database_of_a_request_is_used(engine: Running) -> None:
    assert engine.ask(b"SELECT count() FROM one", database="system")[2] == b"1\n"
    assert engine.ask(b"SELECT 1", database="no`such")[0] == 404


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT", 400, 62),
        ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("SELECT nope", 400, 47),
        ("SELECT * FROM nope", 404, 60),
        ("SELECT * FROM nope.t", 404, 81),
        ("SELECT 1 FORMAT Nope", 400, 73),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 403, 497),
        ("INSERT INTO t FROM INFILE '/etc/hostname' FORMAT TSV", 403, 497),
    ],
)
def test_errors_have_clickhouses_code_status_and_text(engine: Running, sql: str, status: int, code: int) -> None:
    got, headers, body = engine.ask(sql.encode())
    assert (got, headers["x-clickhouse-exception-code"]) == (status, str(code))
    assert body.decode().count("DB::Exception") == 1
    assert body.startswith(f"Code: {code}. DB::Exception: ".encode())


def test_an_error_does_not_tell_where_bodies_are_kept(engine: Running, table: str) -> None:
    status, _, body = engine.ask(f"INSERT INTO {table} FORMAT TSV\nno number\n".encode())
    assert status == 400
    assert str(engine.folder).encode() not in body


def test_a_get_changes_nothing(engine: Running, writer: Client, table: str) -> None:
    assert engine.ask(b"", method="GET", query="SELECT 1")[2] == b"1\n"
    assert engine.ask(b"", method="GET", query=f"INSERT INTO {table} VALUES (1, 'x')")[0] == 403
    assert count(writer, table) == 0


# ---- exactly once


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


# ---- bounds


def test_a_stop_lets_running_requests_finish(tmp_path: Path) -> None:
    with running(tmp_path) as engine, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(engine.ask, ONE_SECOND.encode())
        wait_for_sleepers(engine)
        engine.process.send_signal(signal.SIGTERM)
        assert slow.result(DEADLINE_S)[::2] == (200, b"0\n0\n")
        assert engine.process.wait(DEADLINE_S) == 0


def test_a_request_that_outlives_the_time_to_stop_does_not_hold_the_process(tmp_path: Path) -> None:
    with running(tmp_path, "--stop-seconds", "0.2") as engine, ThreadPoolExecutor(1) as pool:
        endless = pool.submit(engine.ask, b"SELECT sleepEachRow(1) FROM numbers(3000)", max_block_size="1")
        wait_for_sleepers(engine)
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(DEADLINE_S) == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            endless.result(DEADLINE_S)


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
        wait_for_sleepers(engine)
        assert engine.ask(b"SELECT 1")[2] == b"1\n"
        assert not any(one.done() for one in slow)
        engine.process.kill()


def wait_for_sleepers(engine: Running) -> None:
    """Wait until a sleeping statement runs; the question itself is the other one."""
    seen = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%'"
    with engine.client() as client:
        wait_until(lambda: client.query(seen).result_rows[0][0] >= 2)


def wait_until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


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
    assert engine.ask(sql, account="reader", max_threads="100")[0] == 403
    assert engine.ask(sql + b" SETTINGS max_execution_time = 100", account="reader")[0] == 403


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


# ---- what the reader may not do


HOSTILE = [
    "INSERT INTO {table} VALUES (1, 'x')",
    "WITH 1 AS x INSERT INTO {table} SELECT x, 'x'",
    "CREATE TABLE made (x UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE made (x UInt8)",
    "DROP TABLE {table}",
    "ALTER TABLE {table} DELETE WHERE 1",
    "TRUNCATE TABLE {table}",
    "OPTIMIZE TABLE {table}",
    "SYSTEM FLUSH LOGS",
    "KILL QUERY WHERE 1",
    "SET max_threads = 1",
    "USE system",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT file('{secret}')",
    "SELECT `file`('{secret}')",
    "SELECT \"file\" /* x */ ('{secret}')",
    "SELECT `fi\\x6ce`('{secret}')",
    "SELECT \u201cfile\u201d('{secret}')",
    "SELECT \u2018'\u2019, file('{secret}'), \u2018'\u2019",
    "SELECT /* /* */ ' */ 1, file('{secret}') --'",
    "SELECT file\u00a0('{secret}')",
    "SELECT arrayMap(file, ['{secret}'])",
    "SELECT * APPLY file FROM (SELECT '{secret}')",
    "WITH file AS f SELECT arrayMap(f, ['{secret}'])",
    "SELECT * FROM file('{secret}', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM executable('cat', 'TSV', 'x String')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'TSV', 'x String')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM `{secret}`",
    "DESCRIBE TABLE `{secret}`",
    "DESCRIBE TABLE file('{secret}', 'LineAsString')",
    "EXPLAIN AST SELECT 1; DROP TABLE {table}",
    "SELECT 1; DROP TABLE {table}",
    "SELECT ';' -- ;\n; DROP TABLE {table}",
    "SELECT 1 INTO /* x */ OUTFILE '{outfile}'",
    "FROM {table} SELECT 1 INTO OUTFILE '{outfile}'",
    "1",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_the_reader_changes_nothing_and_reads_no_files(
    engine: Running, writer: Client, table: str, tmp_path: Path, sql: str
) -> None:
    secret, outfile = tmp_path / "secret.txt", tmp_path / "out.txt"
    secret.write_text("hidden from readers")
    asked = sql.replace("{table}", table).replace("{secret}", str(secret)).replace("{outfile}", str(outfile))
    status, _, body = engine.ask(asked.encode(), account="reader")
    assert status in {400, 403}
    assert b"hidden from readers" not in body
    assert not outfile.exists()
    assert count(writer, table) == 0
    assert writer.command("EXISTS TABLE made") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " ( SELECT 1 ) UNION ALL ( SELECT 2 ) ; ",
        "-- why\nWITH 1 AS x SELECT x",
        "SHOW TABLES",
        "DESCRIBE TABLE system.one",
        "EXPLAIN AST SELECT 1",
        "SELECT 'file(''x''); DROP TABLE t' AS s, format('{}', 'x')",
        "SELECT t.file FROM (SELECT 1 AS file) AS t",
        "SELECT $q$'; file('$q$",
        "SELECT count() FROM numbers(3) WHERE number IN (SELECT number FROM numbers(2))",
    ],
)
def test_the_reader_may_ask_anything_of_the_tables(engine: Running, sql: str) -> None:
    assert engine.ask(sql.encode(), account="reader")[0] == 200


def test_a_refusal_says_what_and_why() -> None:
    with pytest.raises(EngineError, match="the function url reaches outside the tables"):
        admit(b"SELECT * FROM url('http://x')", account=Account.READER, table_functions=["url"])
    assert admit(b"SELECT * FROM url('x');", account=Account.WRITER, table_functions=["url"]).startswith(b"SELECT")


# ---- the pieces


def test_statements_are_cut_outside_quotes_and_comments() -> None:
    assert statements(b"a;b") == [b"a", b"b"]
    for whole in (
        b"a ';' b",
        b'a ";"',
        b"a `;`",
        b"a -- ;\n b",
        b"a /* ; /* ; */ ; */ b",
        b"a $x$;'$x$",
        b"a 'it''s;' b",
    ):
        assert statements(whole) == [whole]
        assert statements(b";;" + whole + b"; ;-- end\n") == [whole]


@given(st.text(), st.text())
def test_no_text_can_leave_its_literal(one: str, other: str) -> None:
    sql = f"SELECT {literal(one)}, {literal(other)}".encode()
    assert statements(sql) == [sql]
    assert [token.kind for token in tokens(sql)] == ["word", "string", "other", "string"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_survives_as_a_parameter_and_as_a_literal(reader: Client, text: str) -> None:
    found = reader.query(f"SELECT {{v:String}}, {literal(text)}", parameters={"v": text})
    assert found.result_rows == [(text, text)]


def test_a_quote_that_does_not_end_is_the_last_token() -> None:
    assert [token.kind for token in tokens(b"a 'b; c")] == ["word", "open"]
    assert [token.kind for token in tokens(b"a /* /* b */ c")] == ["word", "open"]


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("INSERT INTO t FORMAT TSV\n", "INSERT INTO t  FROM INFILE '/f' COMPRESSION 'none'  FORMAT TSV"),
        (
            "INSERT INTO settings SETTINGS x = 1 VALUES",
            "FROM INFILE '/f' COMPRESSION 'none' SETTINGS x = 1  FORMAT Values",
        ),
        ("INSERT INTO t SELECT * FROM input('a Int8') WHERE a FORMAT TSV\n", "FROM file('/f', TSV, 'a Int8') WHERE a"),
        (
            "INSERT INTO t SELECT format('x'), format AS format FROM input('a Int8') FORMAT TSV\n",
            "AS format FROM file(",
        ),
    ],
)
def test_an_insert_reads_its_data_from_a_file(sql: str, rewritten: str) -> None:
    raw = sql.encode()
    clause = data_clause(raw, formats={"tsv": "TSV"}, whole=True)
    assert clause is not None
    assert clause.data == len(raw)
    assert rewritten in reading_from(raw[: clause.end], clause, file=Path("/f"), empty=False)


def test_the_statement_is_found_however_the_body_is_cut() -> None:
    formats = {"tsv": "TSV"}
    raw = b"INSERT /* FORMAT TSV */ INTO `FORMAT TSV` (a) FORMAT TSV\n1\n"
    for end in range(len(raw)):
        clause = data_clause(raw[:end], formats=formats, whole=False)
        assert clause is None or clause.data == len(raw) - 2, raw[:end]
    assert data_clause(raw, formats=formats, whole=False) is not None


def test_a_body_without_a_place_for_it_is_refused(engine: Running, table: str) -> None:
    assert engine.ask(f"INSERT INTO {table} SELECT 1, 'x' FORMAT TSV\n1\tx\n".encode())[0] == 400


def test_a_header_block_has_long_names_and_many_columns() -> None:
    block = header_block([("c" * 200, "UInt8")] * 300)
    assert block[:3] == b"\xac\x02\x00"
    assert block[3:5] == b"\xc8\x01"
    assert len(block) == 3 + 300 * (2 + 200 + 1 + 5)


def test_a_dead_engine_is_a_clear_error_for_the_client(tmp_path: Path) -> None:
    with running(tmp_path) as engine, engine.client() as client:
        engine.process.kill()
        engine.process.wait()
        with pytest.raises(OperationalError):
            client.query("SELECT 1")
