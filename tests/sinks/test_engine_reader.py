"""What the reader may do, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sinks.engines import Running, count

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


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
