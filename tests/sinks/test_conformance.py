"""The same requests to our door and to a ClickHouse server: they must be answered alike.

The suite asks the door. Set HOTLINE_CONFORMANCE_URL to ``http://user:password@host:8123`` to ask a server instead; the
user must be allowed to make a table in the database ``default``. What is expected here is what a server's documentation
and clients say, and not what the door happens to do.
"""

# ruff: noqa: S608 (the table is the test's own)

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import os
import struct
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.sinks.engines import running

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = "HOTLINE_CONFORMANCE_URL"


@dataclass
class Reply:
    """An answer: its status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return self.headers.get("x-clickhouse-exception-code", "")

    @property
    def summary(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.headers["x-clickhouse-summary"])
        return found


@dataclass
class Target:
    """Who is asked: address and account, and a table with a UInt64 `n` and a String `s`, made for the module."""

    host: str
    port: int
    user: str
    password: str
    table: str = field(default_factory=lambda: f"conformance_{uuid.uuid4().hex[:12]}")

    def send(
        self,
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str = "/",
        headers: dict[str, str] | None = None,
        login: bool = True,
        **args: str,
    ) -> Reply:
        known = {"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password} if login else {}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            at = f"{path}?{urlencode(args)}" if args else path
            connection.request(method, at, body=body or None, headers={**known, **(headers or {})})
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def rows(self) -> bytes:
        return self.send(f"SELECT n, s FROM {self.table} ORDER BY n, s".encode()).body


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if address := os.environ.get(SERVER):
        url = urlsplit(address)
        yield from prepared(
            Target(url.hostname or "", url.port or 8123, url.username or "", unquote(url.password or ""))
        )
        return
    with running(tmp_path_factory.mktemp("door")) as engine:
        yield from prepared(Target("127.0.0.1", engine.address["port"], "writer", engine.password("writer")))


def prepared(target: Target) -> Iterator[Target]:
    made = target.send(f"CREATE TABLE {target.table} (n UInt64, s String) ENGINE = MergeTree ORDER BY n".encode())
    assert made.status == 200, made.body
    yield target
    target.send(f"DROP TABLE {target.table}".encode())


@pytest.fixture(autouse=True)
def _empty(target: Target) -> None:
    assert target.send(f"TRUNCATE TABLE {target.table}".encode()).status == 200


# ---- requests


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status"])
def test_health_is_ok_without_a_password(target: Target, path: str) -> None:
    reply = target.send(method="GET", path=path, login=False)
    assert (reply.status, reply.body) == (200, b"Ok.\n")


def test_a_statement_stands_in_the_address_or_in_the_body_or_in_both(target: Target) -> None:
    assert target.send(method="GET", query="SELECT 1").body == b"1\n"
    assert target.send(query="SELECT 1").body == b"1\n"
    assert target.send(b"SELECT 1").body == b"1\n"
    assert target.send(b" + 1", query="SELECT 1").body == b"2\n"
    assert target.send(b"SELECT 1;\n").body == b"1\n"


def test_credentials_come_in_headers_by_basic_auth_or_in_the_address(target: Target) -> None:
    pair = f"{target.user}:{target.password}".encode()
    basic = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    assert target.send(b"SELECT 1", login=False, headers=basic).status == 200
    assert target.send(b"SELECT 1", login=False, user=target.user, password=target.password).status == 200
    wrong = target.send(b"SELECT 1", login=False, user=target.user, password=uuid.uuid4().hex)
    assert (wrong.status, wrong.code) == (403, "516")
    assert b"(AUTHENTICATION_FAILED)" in wrong.body


def test_parameters_are_values_of_their_types(target: Target) -> None:
    sql = b"SELECT {a:UInt8} + 1, {b:String}, {c:Array(String)}, {d:Nullable(String)} FORMAT JSONCompactEachRow"
    reply = target.send(sql, param_a="4", param_b="it's\\\\x\\t{a:UInt8}", param_c="['x','y']", param_d="\\N")
    assert json.loads(reply.body) == [5, "it's\\x\t{a:UInt8}", ["x", "y"], None]


def test_settings_and_database_stand_in_the_address(target: Target) -> None:
    sql = b"SELECT getSetting('max_block_size'), currentDatabase()"
    assert target.send(sql, max_block_size="77", database="system").body == b"77\tsystem\n"
    assert target.send(sql, database="system", headers={"X-ClickHouse-Database": "default"}).status == 200
    assert target.send(b"SELECT currentDatabase()", headers={"X-ClickHouse-Database": "system"}).body == b"system\n"


def test_the_identity_of_a_statement_comes_back(target: Target) -> None:
    mine = str(uuid.uuid4())
    reply = target.send(b"SELECT 1 AS x FORMAT JSON", query_id=mine)
    assert reply.headers["x-clickhouse-query-id"] == mine
    assert reply.headers["x-clickhouse-format"] == "JSON"
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["x-clickhouse-timezone"] == target.send(b"SELECT timezone()").body.decode().strip()
    assert reply.headers["x-clickhouse-server-display-name"] != ""
    assert target.send(b"SELECT 1").headers["x-clickhouse-query-id"] != mine


def test_the_summary_counts_in_text(target: Target) -> None:
    written = target.send(f"INSERT INTO {target.table} VALUES (1, 'a'), (2, 'b')".encode())
    assert written.summary["written_rows"] == "2"
    read = target.send(f"SELECT n FROM {target.table}".encode(), wait_end_of_query="1")
    assert read.summary["read_rows"] == "2"
    assert {"read_bytes", "written_bytes", "result_rows", "elapsed_ns"} <= read.summary.keys()


def test_progress_comes_in_headers_when_it_is_asked_for(target: Target) -> None:
    sql = b"SELECT count() FROM numbers(100000000) WHERE NOT ignore(number)"
    asked = target.send(sql, send_progress_in_http_headers="1", wait_end_of_query="1")
    assert {"read_rows", "read_bytes"} <= json.loads(asked.headers["x-clickhouse-progress"]).keys()
    assert asked.body == b"100000000\n"
    assert "x-clickhouse-progress" not in target.send(b"SELECT 1").headers


# ---- formats


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("TabSeparated", b"1\ta\\tb\n2\t\n"),
        ("TabSeparatedWithNamesAndTypes", b"n\ts\nUInt64\tString\n1\ta\\tb\n2\t\n"),
        ("TSVRaw", b"1\ta\tb\n2\t\n"),
        ("CSV", b'1,"a\tb"\n2,""\n'),
        ("CSVWithNames", b'"n","s"\n1,"a\tb"\n2,""\n'),
        ("JSONEachRow", b'{"n":1,"s":"a\\tb"}\n{"n":2,"s":""}\n'),
        ("JSONCompactEachRow", b'[1, "a\\tb"]\n[2, ""]\n'),
        ("Values", b"(1,'a\\tb'),(2,'')"),
        ("RowBinary", struct.pack("<Q", 1) + b"\x03a\tb" + struct.pack("<Q", 2) + b"\x00"),
        (  # what JDBC clients read
            "RowBinaryWithNamesAndTypes",
            b"\x02\x01n\x01s\x06UInt64\x06String" + struct.pack("<Q", 1) + b"\x03a\tb" + struct.pack("<Q", 2) + b"\x00",
        ),
        ("Native", b"\x02\x02\x01n\x06UInt64" + struct.pack("<QQ", 1, 2) + b"\x01s\x06String\x03a\tb\x00"),
        ("Vertical", None),
        ("PrettyCompact", None),
        ("Markdown", None),
        ("XML", None),
        ("Parquet", None),
        ("Null", b""),
    ],
)
def test_results_come_in_every_format(target: Target, name: str, body: bytes | None) -> None:
    target.send(f"INSERT INTO {target.table} VALUES (1, 'a\\tb'), (2, '')".encode())
    sql = f"SELECT n, s FROM {target.table} ORDER BY n"
    ask = partial(target.send, output_format_write_statistics="0")  # they would tell how long it took
    by_clause = ask(f"{sql} FORMAT {name}".encode())
    by_address = ask(sql.encode(), default_format=name)
    by_header = ask(sql.encode(), headers={"X-ClickHouse-Format": name})
    assert [by_clause.status, by_address.status, by_header.status] == [200, 200, 200]
    assert by_clause.body == by_address.body == by_header.body
    assert body is None or by_clause.body == body
    assert by_clause.body or name == "Null"


def test_a_jdbc_client_gets_names_and_types_of_an_empty_result(target: Target) -> None:
    reply = target.send(f"SELECT n, s FROM {target.table}".encode(), default_format="RowBinaryWithNamesAndTypes")
    assert reply.body == b"\x02\x01n\x01s\x06UInt64\x06String"
    assert reply.headers["x-clickhouse-format"] == "RowBinaryWithNamesAndTypes"


def test_json_has_names_types_rows_and_statistics(target: Target) -> None:
    found = json.loads(target.send(b"SELECT 1 AS a, 'x' AS b, toUInt64(7) AS c FORMAT JSON").body)
    assert found["meta"][0] == {"name": "a", "type": "UInt8"}
    assert found["data"][0]["b"] == "x"
    assert found["rows"] == 1
    assert {"elapsed", "rows_read", "bytes_read"} <= found["statistics"].keys()


@pytest.mark.parametrize("limit", [0, 3, 100_000])
def test_arrow_comes_as_one_stream(target: Target, limit: int) -> None:
    sql = f"SELECT number AS n, toString(number) AS s FROM numbers({limit}) FORMAT ArrowStream"
    with pa.ipc.open_stream(io.BytesIO(target.send(sql.encode()).body)) as stream:
        table = stream.read_all()
    assert table.column_names == ["n", "s"]
    assert table.column("n").to_pylist() == list(range(limit))


def test_an_empty_native_result_still_names_its_columns(target: Target) -> None:
    reply = target.send(f"SELECT n, s FROM {target.table}".encode(), default_format="Native")
    assert reply.body in {b"", b"\x02\x00\x01n\x06UInt64\x01s\x06String"}  # a server may send no block to old clients
    if not os.environ.get(SERVER):
        assert reply.body


INPUTS = [
    ("TabSeparated", b"1\ta\n2\tb\n"),
    ("CSV", b'1,"a"\n2,"b"\n'),
    ("CSVWithNames", b'"s","n"\n"a",1\n"b",2\n'),
    ("JSONEachRow", b'{"n":1,"s":"a"}\n{"n":2,"s":"b"}\n'),
    ("JSONCompactEachRow", b'[1,"a"]\n[2,"b"]\n'),
    ("Values", b"(1, 'a'), (2, 'b')"),
    ("RowBinary", struct.pack("<Q", 1) + b"\x01a" + struct.pack("<Q", 2) + b"\x01b"),
    (
        "RowBinaryWithNamesAndTypes",
        b"\x02\x01s\x01n\x06String\x06UInt64" + b"\x01a" + struct.pack("<Q", 1) + b"\x01b" + struct.pack("<Q", 2),
    ),
    ("Native", b"\x02\x02\x01n\x06UInt64" + struct.pack("<QQ", 1, 2) + b"\x01s\x06String\x01a\x01b"),
    ("TSKV", b"n=1\ts=a\nn=2\ts=b\n"),
]


@pytest.mark.parametrize(("name", "data"), INPUTS)
def test_inserts_are_taken_in_every_format(target: Target, name: str, data: bytes) -> None:
    head = f"INSERT INTO {target.table} (n, s) FORMAT {name}"
    assert target.send(data, query=head).status == 200
    assert target.rows() == b"1\ta\n2\tb\n"
    assert target.send(head.encode() + b"\n" + data).status == 200
    assert target.rows() == b"1\ta\n1\ta\n2\tb\n2\tb\n"


def test_columnar_files_are_taken_too(target: Target) -> None:
    table = pa.table({"n": pa.array([1, 2], pa.uint64()), "s": ["a", "b"]})
    stream, file, parquet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as out:
        out.write_table(table)
    with pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)
    pq.write_table(table, parquet)
    for name, data in (("ArrowStream", stream), ("Arrow", file), ("Parquet", parquet)):
        target.send(f"TRUNCATE TABLE {target.table}".encode())
        assert target.send(data.getvalue(), query=f"INSERT INTO {target.table} FORMAT {name}").status == 200
        assert target.rows() == b"1\ta\n2\tb\n"


# ---- packing


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bodies_and_answers_are_packed(target: Target, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zstandard.compress
    data = b"".join(b"%d\tx\n" % n for n in range(5000))
    sent = target.send(
        pack(data), query=f"INSERT INTO {target.table} FORMAT TSV", headers={"Content-Encoding": encoding}
    )
    assert sent.status == 200
    asked = {"Accept-Encoding": encoding}
    reply = target.send(b"SELECT number, 'x' FROM numbers(5000)", headers=asked, enable_http_compression="1")
    assert reply.headers["content-encoding"] == encoding
    assert _unpacked(reply.body, encoding) == data == target.rows()
    assert "content-encoding" not in target.send(b"SELECT 1", headers=asked).headers


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(body))


# ---- errors


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELECT", 400, "62", "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", 400, "62", "SYNTAX_ERROR"),
        ("SELECT nope", 404, "47", "UNKNOWN_IDENTIFIER"),
        ("SELECT nope()", 404, "46", "UNKNOWN_FUNCTION"),
        ("SELECT * FROM nope_there_is_none", 404, "60", "UNKNOWN_TABLE"),
        ("SELECT * FROM nope_there_is_none.t", 404, "81", "UNKNOWN_DATABASE"),
        ("SELECT 1 FORMAT Nope", 404, "73", "UNKNOWN_FORMAT"),
        ("SELECT toUInt8('x')", 400, "6", "CANNOT_PARSE_TEXT"),
        ("SELECT throwIf(1)", 500, "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT toUInt8(1, 2, 3, 4)", 500, "42", "NUMBER_OF_ARGUMENTS_DOESNT_MATCH"),
        ("SELECT sleep(2)", 408, "159", "TIMEOUT_EXCEEDED"),
    ],
)
def test_errors_have_code_status_and_text(target: Target, sql: str, status: int, code: str, name: str) -> None:
    reply = target.send(sql.encode(), max_execution_time="1", wait_end_of_query="1")
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert f"({name})".encode() in reply.body
    assert b"(version " in reply.body


def test_an_unknown_setting_is_an_error(target: Target) -> None:
    reply = target.send(b"SELECT 1", no_such_setting="1")
    assert (reply.status, reply.code) == (404, "115")


def test_a_get_changes_nothing(target: Target) -> None:
    reply = target.send(method="GET", query=f"INSERT INTO {target.table} VALUES (1, 'a')")
    assert reply.code == "164"
    assert target.rows() == b""


def test_a_session_that_must_be_there_is_not(target: Target) -> None:
    assert target.send(b"SELECT 1", session_id=uuid.uuid4().hex, session_check="1").code == "372"


# ---- what clickhouse-go asks first


def test_the_handshake_of_an_older_layout_can_be_read(target: Target) -> None:
    sql = b"SELECT displayName(), version(), revision(), timezone()"
    raw = target.send(sql, default_format="Native", client_protocol_version="54460").body
    assert raw[:10] == b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01"
    at, names = 10, []
    for kind in (b"String", b"String", b"UInt32", b"String"):
        name, at = text(raw, at)
        told, at = text(raw, at)
        assert (told, raw[at]) == (kind, 0)
        at = text(raw, at + 1)[1] if kind == b"String" else at + 5
        names.append(name)
    assert names == [b"displayName()", b"version()", b"revision()", b"timezone()"]
    assert at == len(raw)


def text(raw: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1 + raw[at]
    return raw[at + 1 : end], end
