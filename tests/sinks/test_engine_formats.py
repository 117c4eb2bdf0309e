"""Every format that the engine has goes through the door as the engine itself writes and reads it."""

# ruff: noqa: S608 (statements and tables are the tests' own)

from __future__ import annotations

import base64
import json
import re
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sinks.engines import Running

NUMBERED = "SELECT toUInt64(number + 1) AS n, concat('a\"b 表 ', toString(number)) AS s"
ROWS = f"{NUMBERED}, toDateTime(number, 'UTC') AS t, if(number = 1, NULL, number + 0.5) AS f FROM numbers(3)"
LINES = "SELECT concat('line ', toString(number)) AS s FROM numbers({rows})"
# What is asked in a format that does not take any rows.
ASKED = {
    "GeoJSON": "SELECT ((1.5, number)::Point)::Geometry AS geometry, toString(number) AS id FROM numbers(2)",
    "LineAsString": LINES.format(rows=3),
    "Npy": "SELECT number AS n FROM numbers(3)",
    "PNG": "SELECT number % 4 AS x, intDiv(number, 4) AS y, number AS v FROM numbers(16)",
    "Prometheus": "SELECT concat('m', toString(number)) AS name, number / 2 AS value FROM numbers(3)",
    "ProtobufSingle": f"{NUMBERED} FROM numbers(1)",
    "RawBLOB": LINES.format(rows=1),
}
NOT_WRITTEN = {
    "AvroConfluent": (400, "36", "it tells its schema to a registry, which nobody may name"),
    "Template": (500, "474", "it takes its text from settings that name files, which nobody may read"),
}
NOT_READ = {
    "AvroConfluent": "asks a registry for its schema",
    "Template": "takes its text from a file",
    "TemplateIgnoreSpaces": "takes its text from a file",
    "DWARF": "tells of a program",
    "One": "counts files",
    "ParquetMetadata": "tells of a Parquet file",
    "Puffin": "tells of statistics in a file",
    "PuffinMetadata": "tells of statistics in a file",
}
COMMAS = {"format_custom_field_delimiter": ",", "format_custom_escaping_rule": "CSV"}
PAIRS = ((1, b"a"), (2, b"b"))
# What is only read, as somebody would send it: settings and data.
SENT: dict[str, tuple[dict[str, str], bytes]] = {
    "CustomSeparatedIgnoreSpaces": (COMMAS, b' 1 , "a" \n 2 , "b" \n'),
    "CustomSeparatedIgnoreSpacesWithNames": (COMMAS, b' "s" , "n" \n "a" , 1 \n "b" , 2 \n'),
    "CustomSeparatedIgnoreSpacesWithNamesAndTypes": (
        COMMAS,
        b' "s" , "n" \n "String" , "UInt64" \n "a" , 1 \n "b" , 2 \n',
    ),
    "Form": ({}, b"n=1&s=a"),
    "JSONAsObject": ({}, b'{"n": 1, "s": "a"}'),
    "JSONAsString": ({}, b'{"n": 1, "s": "a"}'),
    "MySQLDump": ({}, b"INSERT INTO `t` VALUES (1,'a'),(2,'b');\n"),
    "Regexp": ({"format_regexp": "(\\d+) is (\\w+)", "format_regexp_escaping_rule": "Raw"}, b"1 is a\n2 is b\n"),
    "RowBinaryWithDefaults": ({}, b"".join(b"\0" + struct.pack("<Q", n) + b"\0\x01" + s for n, s in PAIRS)),
    "RowBinaryWithNamesAndTypesAndDefaults": (
        {},
        b"\x02\x01n\x01s\x06UInt64\x06String"
        + b"".join(b"\0" + struct.pack("<Q", n) + b"\0\x01" + s for n, s in PAIRS),
    ),
}
READ: dict[str, list[list[Any]]] = {
    **{name: [[1, "a"], [2, "b"]] for name in SENT},
    "Form": [[1, "a"]],
    "JSONAsObject": [[{"n": 1, "s": "a"}]],
    "JSONAsString": [['{"n": 1, "s": "a"}']],
}
COLUMNS = {"JSONAsObject": "o JSON", "JSONAsString": "s String"}
TIMES = re.compile(rb'\{"progress":.*\}\n')
ALONE = """
import base64, json, os, sys, time
os.environ["TZ"] = "Asia/Shanghai"
time.tzset()
from chdb.state.sqlitelike import connect
keeps_it_open = connect(":memory:")
for name, sql in json.load(sys.stdin).items():
    connection = connect(":memory:")
    connection.query("SET output_format_write_statistics = 0, output_format_arrow_compression_method = 'none'")
    print(json.dumps([name, base64.b64encode(bytes(connection.query(sql, name).bytes())).decode()]))
    connection.close()
"""


@pytest.fixture(scope="module")
def formats(engine: Running) -> dict[str, tuple[bool, bool]]:
    """Names of all formats, whether each can be read, and written."""
    _, _, listed = engine.ask(b"SELECT name, is_input, is_output FROM system.formats FORMAT JSONCompact")
    return {name: (bool(read), bool(written)) for name, read, written in json.loads(listed)["data"]}


@pytest.fixture(scope="module")
def written(engine: Running, formats: dict[str, tuple[bool, bool]]) -> dict[str, bytes]:
    """What comes through the door in every format that is written."""
    found = {}
    for name in (name for name, (_, output) in formats.items() if output and name not in NOT_WRITTEN):
        sql = f"{asked(name)} FORMAT {name}"
        status, headers, body = engine.ask(sql.encode(), account="reader", output_format_write_statistics="0")
        assert (status, headers["x-clickhouse-format"]) == (200, name), body
        found[name] = body
    return found


def asked(name: str) -> str:
    return ASKED.get(name, ROWS)


def steady(name: str, body: bytes) -> bytes:
    """Take out what no two writings have alike: how long it took, and Avro's random mark around its blocks."""
    return body.replace(body[-16:], b"mark") if name == "Avro" else TIMES.sub(b"", body)


def test_every_format_is_written_as_the_engine_writes_it(written: dict[str, bytes]) -> None:
    asked_alone = json.dumps({name: asked(name) for name in written})
    ran = subprocess.run([sys.executable, "-c", ALONE], input=asked_alone, capture_output=True, text=True, check=True)
    alone = {name: base64.b64decode(body) for name, body in map(json.loads, ran.stdout.splitlines())}
    assert len(written) > 70
    assert {name: steady(name, body) for name, body in written.items()} == {
        name: steady(name, body) for name, body in alone.items()
    }
    assert [name for name, body in written.items() if not body] == ["Null"]


def test_every_format_is_read_as_it_is_written(
    engine: Running, formats: dict[str, tuple[bool, bool]], written: dict[str, bytes]
) -> None:
    both = [name for name, (read, _) in formats.items() if read and name in written]
    assert len(both) > 50
    for name in both:
        sql = asked(name)
        made = f"CREATE OR REPLACE TABLE read ENGINE = Memory AS SELECT * FROM ({sql}) WHERE 0"
        assert engine.ask(made.encode())[0] == 200
        status, _, said = engine.ask(written[name], query=f"INSERT INTO read FORMAT {name}")
        assert status == 200, (name, said)
        found, wanted = (
            engine.ask(f"{rows} FORMAT JSONCompactEachRow".encode())[2].splitlines()
            for rows in ("SELECT * FROM read", sql)
        )
        assert sorted(found) == sorted(wanted) != [], name
        assert not found[0].startswith(b"Code: "), name


def test_what_is_only_read_is_taken_too(engine: Running, formats: dict[str, tuple[bool, bool]]) -> None:
    only_read = {name for name, (read, output) in formats.items() if read and not output}
    assert only_read - NOT_READ.keys() == SENT.keys()
    for name, (args, data) in SENT.items():
        columns = COLUMNS.get(name, "n UInt64, s String")
        engine.ask(f"CREATE OR REPLACE TABLE read ({columns}) ENGINE = Memory".encode())
        status, _, said = engine.ask(data, query=f"INSERT INTO read FORMAT {name}", **args)  # type: ignore[arg-type]
        assert status == 200, (name, said)
        _, _, found = engine.ask(b"SELECT * FROM read FORMAT JSONCompactEachRow")
        assert sorted(map(json.loads, found.splitlines()), key=str) == READ[name], name


def test_a_format_that_is_left_out_is_there_and_refuses(engine: Running, formats: dict[str, tuple[bool, bool]]) -> None:
    assert {*NOT_WRITTEN, *NOT_READ} <= formats.keys()
    for name, (status, code, _) in NOT_WRITTEN.items():
        assert engine.reads(f"SELECT 1 FORMAT {name}")[:2] == (status, code)
