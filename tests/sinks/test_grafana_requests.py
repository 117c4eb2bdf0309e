"""What Grafana's plug-in and clickhouse-go were seen to send, byte for byte, on one connection as they keep it.

Their requests were taken down from Grafana 12.4.0 with the plug-in 4.20.0, which speaks through clickhouse-go 2.47.
That client reads the status, the encoding and the body, and nothing else: so does this one.
"""

from __future__ import annotations

import base64
import gzip
import struct
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from tests.sinks.engines import DEADLINE_S, Running

if TYPE_CHECKING:
    from collections.abc import Iterator

ARGS = "default_format=Native&client_protocol_version=54460&database=default&max_execution_time=35"
AGENT = (
    "clickhouse-go/2.47.0 (lv:go/1.25; os:linux) Grafana/12.4.0 grafana-clickhouse-datasource/4.20.0 grafana_user/admin"
)
HANDSHAKE = "SELECT displayName(), version(), revision(), timezone()"
PING = b"\x01\x01\x011\x05UInt8\x01"
"""One block of one row: a column that is called 1, of the type UInt8, with a 1."""
LOADED = ["SELECT version()"]
EXPLORED = ["SHOW DATABASES", 'SHOW TABLES FROM "default"', 'DESC TABLE "default"."seen"']
FILTERED = [
    "SELECT name, type, table FROM system.columns WHERE database IN ('default')",
    "select distinct line from seen limit 1000",
]
EDITED = [
    "SELECT name FROM system.databases ORDER BY name",
    "SELECT name FROM system.tables WHERE database = 'default' ORDER BY name",
    "SELECT name FROM system.columns WHERE database = 'default' AND table = 'seen' ORDER BY position",
    "SELECT name FROM system.functions ORDER BY name",
]
SERIES = """SELECT toStartOfInterval(toDateTime(minute), INTERVAL 60 second) AS time, sum(n) AS value FROM seen
WHERE minute >= toDateTime(1677600000) AND minute <= toDateTime(1677603600) GROUP BY time ORDER BY time"""
PANELS = [
    SERIES,
    "SELECT line, n FROM seen WHERE line IN ('12345','o\\'neil') ORDER BY line",
]


@dataclass
class Go:
    """One kept connection of the client, logged in as Grafana logs in."""

    line: HTTPConnection
    login: str

    def post(self, sql: str, args: str = ARGS) -> tuple[int, bytes]:
        """Send a statement in the body as it arrives from Grafana; gives status and unpacked body."""
        return self.send("POST", f"/?{args}", sql.encode())

    def send(self, method: str, address: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send one request; raises NotConnected when the connection was not kept."""
        self.line.putrequest(method, address, skip_accept_encoding=True)
        for name, value in (
            ("User-Agent", AGENT),
            ("Content-Length", str(len(body))),
            ("Authorization", f"Basic {self.login}"),
            ("Accept-Encoding", "gzip"),
        ):
            self.line.putheader(name, value)
        self.line.endheaders(body)
        reply = self.line.getresponse()
        said = reply.read()
        return reply.status, gzip.decompress(said) if reply.headers.get("Content-Encoding") == "gzip" else said


@pytest.fixture(scope="module")
def seen(engine: Running) -> None:
    for sql in (
        "CREATE TABLE seen (minute DateTime('Asia/Shanghai'), line LowCardinality(String), n UInt64) ENGINE = Memory",
        "INSERT INTO seen VALUES (1677600000, '12345', 2), (1677600060, 'o\\'neil', 3)",
    ):
        assert engine.ask(sql.encode())[0] == 200


@pytest.fixture
def grafana(engine: Running, seen: None) -> Iterator[Go]:
    yield from connected(engine, "reader")


@pytest.fixture
def go(engine: Running, seen: None) -> Iterator[Go]:
    yield from connected(engine, "writer")


def connected(engine: Running, account: str) -> Iterator[Go]:
    login = base64.b64encode(f"{account}:{engine.password(account)}".encode()).decode()
    line = HTTPConnection(engine.address["host"], engine.address["port"], timeout=DEADLINE_S)
    line.connect()
    line.auto_open = 0
    yield Go(line, login)
    line.close()


def test_a_data_source_is_saved_and_tested(engine: Running, grafana: Go) -> None:
    version, zone = engine.address["version"].encode(), b"Asia/Shanghai"
    named = [(b"displayName()", b"String", b"\x08embedded"), (b"version()", b"String", bytes([len(version)]) + version)]
    named += [(b"revision()", b"UInt32", bytes(4)), (b"timezone()", b"String", bytes([len(zone)]) + zone)]
    columns = b"".join(bytes([len(a)]) + a + bytes([len(b)]) + b + b"\x00" + data for a, b, data in named)
    greeting = b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01" + columns
    for _ in range(2):  # once a connection of its pool
        assert grafana.post(HANDSHAKE) == (200, greeting)
        assert grafana.post("SELECT 1") == (200, PING)
    assert grafana.send("GET", "/ping") == (200, b"Ok.\n")
    assert grafana.send("GET", "/") == (200, b"Ok.\n")
    assert grafana.post("SELECT version()") == (
        200,
        b"\x01\x01\x09version()\x06String" + bytes([len(version)]) + version,
    )


def test_boards_editors_and_the_explorer_get_what_they_ask_for(grafana: Go) -> None:
    for sql in (*LOADED, *EXPLORED, *FILTERED, *EDITED, *PANELS):
        status, body = grafana.post(sql)
        assert status == 200, (sql, body)
        columns, rows = body[0], body[1]
        assert columns > 0, sql
        assert rows > 0, sql


def test_values_and_names_are_in_the_bytes_that_the_client_reads(grafana: Go) -> None:
    assert grafana.post(FILTERED[1])[1].startswith(b"\x01\x02\x04line\x16LowCardinality(String)")
    times, _, values = grafana.post(SERIES)[1].partition(b"\x05value\x06UInt64")
    assert (times[:7], values) == (b"\x02\x02\x04time", struct.pack("<QQ", 2, 3))
    assert times.endswith(struct.pack("<II", 1677600000, 1677600060))


def test_a_panel_without_rows_keeps_its_fields(grafana: Go) -> None:
    empty = SERIES.replace("GROUP BY", "AND n > 99 GROUP BY")
    assert grafana.post(empty) == (200, b"\x02\x00\x04time\x08DateTime\x05value\x06UInt64")


def test_what_goes_wrong_is_told_as_the_plug_in_looks_for_it(grafana: Go) -> None:
    for sql, status in (
        ("SELECT", 400),
        ("SELECT 1; SELECT 2", 400),
        ("SELECT * FROM nowhere", 404),
        ("SELECT * FROM nowhere.t", 403),
        ("SELECT file('/etc/hostname')", 403),
        ("SELECT sleepEachRow(1), n FROM seen", 408),
    ):
        got, body = grafana.post(sql)
        assert (got, b"DB::Exception: " in body) == (status, True), (sql, body)
    assert grafana.post("SELECT 1", f"{ARGS}&no_such_setting=1")[0] == 404
    assert grafana.post("SELECT 1") == (200, PING)


@pytest.mark.parametrize("packed", ["", "&enable_http_compression=1"])
def test_a_long_result_arrives_whole_packed_or_not(grafana: Go, packed: str) -> None:
    wanted = b"\x01\xf8\x55\x01n\x06UInt64" + b"".join(struct.pack("<Q", n) for n in range(11_000))
    assert grafana.post("SELECT number AS n FROM numbers(11000)", ARGS + packed) == (200, wanted)


def test_a_batch_goes_in_as_the_client_sends_one(go: Go) -> None:
    assert go.post("DESC TABLE seen")[0] == 200
    block = b"\x02\x02\x06minute\x08DateTime" + struct.pack("<II", 1677700000, 1677700060)
    block += b"\x01n\x06UInt64" + struct.pack("<QQ", 8, 9)
    query = "INSERT%20INTO%20seen%20(minute,%20n)%20FORMAT%20Native"
    assert go.send("POST", f"/?{ARGS}&query={query}", block) == (200, b"")
    assert go.post("INSERT INTO seen (minute, n) VALUES (toDateTime('2023-03-02 05:00:00'), 10)") == (200, b"")
    found = go.post("SELECT sum(n) AS n FROM seen WHERE minute > toDateTime(1677690000)")
    assert found == (200, b"\x01\x01\x01n\x06UInt64" + struct.pack("<Q", 27))
