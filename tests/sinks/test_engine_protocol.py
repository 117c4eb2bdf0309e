"""ClickHouse's protocol, spoken by the ordinary client and by bare requests."""

# ruff: noqa: S608, S106 (tables, tokens and passwords are the tests' own)

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import lz4.frame  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

from sinks.engine.accounts import Account
from tests.sinks.engines import DEADLINE_S, Running, arrow, count

ONE_SECOND = "SELECT sleepEachRow(0.5) FROM numbers(2) SETTINGS max_block_size = 1"

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


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


@pytest.mark.parametrize("asked", ["", " SETTINGS output_format_arrow_compression_method = 'lz4_frame'"])
def test_arrow_is_packed_only_for_who_asks(engine: Running, asked: str) -> None:
    sql = f"SELECT intDiv(number, 1000) AS n FROM numbers(100000){asked} FORMAT ArrowStream"
    _, _, body = engine.ask(sql.encode())
    assert (len(body) < 100_000 * 8) is bool(asked)
    assert pa.ipc.open_stream(body).read_all()["n"].to_pylist() == [n // 1000 for n in range(100_000)]


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
        ("SELECT nope", 404, 47),
        ("SELECT * FROM nope", 404, 60),
        ("SELECT * FROM nope.t", 404, 81),
        ("SELECT 1 FORMAT Nope", 404, 73),
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


def test_nothing_of_a_reader_stays_behind_in_a_session_that_is_used_again(engine: Running) -> None:
    ask = partial(engine.ask, account="reader")
    before = ask(b"SELECT getSetting('max_block_size'), currentDatabase(), getSetting('log_comment')")[2]
    assert ask(b"SELECT {held:String}", param_held="13912345678")[0] == 200
    assert ask(b"SELECT 1 SETTINGS max_block_size = 3, log_comment = 'mine'")[0] == 200
    assert ask(b"SELECT count() FROM one", database="system")[2] == b"1\n"
    assert ask(b"SELECT throwIf(1)")[0] == 500
    for _ in range(12):
        assert ask(b"SELECT getSetting('max_block_size'), currentDatabase(), getSetting('log_comment')")[2] == before
        assert ask(b"SELECT {held:String}")[1]["x-clickhouse-exception-code"] == "456"
        assert ask(b"SELECT count() FROM one")[0] == 404


def test_progress_goes_out_while_the_statement_runs(engine: Running) -> None:
    login = "".join(f"{name}: {value}\r\n" for name, value in engine.login().items())
    asked = urlencode({"query": f"{ONE_SECOND}, max_threads = 1", "send_progress_in_http_headers": "1"})
    with socket.create_connection((engine.address["host"], engine.address["port"])) as line:
        line.settimeout(DEADLINE_S)
        line.sendall(f"GET /?{asked} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n{login}\r\n".encode())
        first = line.recv(1 << 16).decode()
        assert first.startswith("HTTP/1.1 200 OK\r\nX-ClickHouse-Progress: {")
        assert "\r\n\r\n" not in first
        whole = first
        while piece := line.recv(1 << 16):
            whole += piece.decode()
    head, _, body = whole.partition("\r\n\r\n")
    assert body == "0\n0\n"
    assert head.count("HTTP/1.1") == 1
    assert head.count("X-ClickHouse-Progress: ") >= 2
    assert "X-ClickHouse-Summary: " in head


def test_a_failure_after_progress_says_its_code_in_the_same_head(engine: Running) -> None:
    sql = b"SELECT throwIf(sleepEachRow(0.3) = 0 AND number = 1) FROM numbers(2)"
    args = {"max_block_size": "1", "send_progress_in_http_headers": "1", "http_headers_progress_interval_ms": "50"}
    status, headers, body = engine.ask(sql, **args)  # type: ignore[arg-type]
    assert (status, headers["x-clickhouse-exception-code"]) == (200, "395")
    assert "x-clickhouse-progress" in headers
    assert body.startswith(b"Code: 395. ")


def test_an_address_that_is_none_is_not_found(engine: Running) -> None:
    connection = http.client.HTTPConnection(engine.address["host"], engine.address["port"], timeout=DEADLINE_S)
    connection.request("POST", "/nowhere", body=b"SELECT 1", headers=engine.login())
    reply = connection.getresponse()
    assert reply.status == 404
    assert b"There is no handle /nowhere" in reply.read()
    connection.close()


@pytest.mark.parametrize("given", [{"compress": "1"}, {"decompress": "1"}])
def test_clickhouses_own_compression_is_refused_with_the_reason(engine: Running, given: dict[str, Any]) -> None:
    status, headers, body = engine.ask(b"SELECT 1", **given)
    assert (status, headers["x-clickhouse-exception-code"]) == (501, "48")
    assert b"Accept-Encoding" in body
