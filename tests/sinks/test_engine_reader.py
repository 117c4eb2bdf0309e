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
    "SELECT 1 INTO /* x */ OUTFILE '{outfile}'",
    "FROM {table} SELECT 1 INTO OUTFILE '{outfile}'",
    "SELECT 1 SETTINGS allow_ddl = 1",
    "SELECT 1 SETTINGS max_threads = [1]",
    "SELECT (SELECT 1 SETTINGS max_threads = 1)",
    "SELECT 1 SETTINGS additional_result_filter = 'file(1)'",
    "SELECT 1 FORMAT Template SETTINGS format_template_row = '{secret}'",
    "SELECT 1 SETTINGS output_format_schema = '{outfile}' FORMAT CapnProto",
    "SELECT 1 INTO OUTFILE '{outfile}' APPEND AND STDOUT COMPRESSION 'gzip' FORMAT CSV",
    "EXPLAIN SELECT 1 INTO OUTFILE '{outfile}'",
    "DESCRIBE TABLE system.one INTO OUTFILE '{outfile}'",
    "SHOW TABLES FROM private",
    "SHOW TABLES FROM default WHERE file('{secret}') = ''",
    "SHOW COLUMNS FROM processes FROM system",
    "SHOW COLUMNS FROM {table} WHERE file('{secret}') = ''",
    "SHOW CREATE TABLE system.users",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SHOW SETTINGS LIKE '%'",
    "EXISTS TABLE `{secret}`",
    "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd') PARTITION BY x",
    "CHECK TABLE {table}",
    "GRANT ALL ON *.* TO reader",
    "ATTACH TABLE made (x UInt8) ENGINE = Memory",
    "BACKUP TABLE {table} TO File('{outfile}')",
    "1",
]
WRONG = [
    "SELECT",
    "SELECT 1 FROM",
    "SELECT (1",
    "SELECT 'a",
    "SELECT 1 /* ",
    "SELECT 1 SETTINGS max_threads =",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE {table}",
    "SELECT ';' -- ;\n; DROP TABLE {table}",
    "EXPLAIN AST SELECT 1; DROP TABLE {table}",
    "",
    ";",
]
ASKED_BY_CLIENTS = [
    "SELECT 1",
    " ( SELECT 1 ) UNION ALL ( SELECT 2 ) ; ",
    "-- why\nWITH 1 AS x SELECT x",
    "SHOW DATABASES",
    "SHOW TABLES",
    'SHOW TABLES FROM "default"',
    "SHOW TABLES FROM system LIKE 'on%'",
    "SHOW COLUMNS FROM one FROM system",
    "SHOW CREATE TABLE {table}",
    'DESC TABLE "system"."one"',
    "DESCRIBE TABLE system.one",
    "EXISTS TABLE {table}",
    "EXPLAIN AST SELECT 1",
    "EXPLAIN header = 1, actions = 1 SELECT 1",
    "SELECT version(), timezone(), currentDatabase(), currentUser()",
    "SELECT displayName(), version(), revision(), timezone()",
    "SELECT name, value, readonly FROM system.settings LIMIT 1",
    "SELECT name, type, table FROM system.columns WHERE database IN ('default')",
    "SELECT name FROM system.functions WHERE is_aggregate LIMIT 1",
    "SELECT name, engine FROM system.tables WHERE database = 'default'",
    "SELECT table_name FROM information_schema.tables LIMIT 1",
    "SELECT distinct b FROM {table} LIMIT 1000",
    "SELECT 'file(''x''); DROP TABLE t' AS s, format('{}', 'x')",
    "SELECT t.file FROM (SELECT 1 AS file) AS t",
    "SELECT $q$'; file('$q$",
    "SELECT count() FROM numbers(3) WHERE number IN (SELECT number FROM numbers(2))",
    "SELECT number AS n FROM numbers(3) WHERE n IN (n, 7)",
    "WITH c AS (SELECT a FROM {table}) SELECT a FROM c WHERE a IN c",
    "SELECT quantileExactIf(0.9)(a, a > 1), uniqExactIf(b, a > 1), sumMap(map(b, a)) FROM {table}",
    "SELECT a, sum(a) OVER (PARTITION BY b ORDER BY a ROWS 2 PRECEDING) FROM {table}",
    "SELECT toStartOfInterval(now(), INTERVAL 5 minute) AS t ORDER BY t WITH FILL STEP 60",
    "SELECT * APPLY toString, * EXCEPT (b), COLUMNS('a') APPLY (max) FROM {table} GROUP BY ALL",
    "SELECT number AS apply, 1 AS settings, 2 AS format FROM numbers(1)",
    "SELECT arrayMap(x -> x + 1, [1]), mapApply((k, v) -> (k, v), map(1, 2)), {p:Array(String)}",
    "SELECT a AS \"answer rate (%)\", '(alias x)' AS `b (alias c)` FROM {table} AS `my table`",
    "SELECT `满意率` FROM (SELECT 1 AS `满意率`) AS `表`",
    "SELECT 1 FORMAT JSON SETTINGS output_format_json_quote_64bit_integers = 0, max_threads = 1",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_the_reader_changes_nothing_and_reads_no_files(
    engine: Running, writer: Client, table: str, tmp_path: Path, sql: str
) -> None:
    secret, outfile = tmp_path / "secret.txt", tmp_path / "out.txt"
    secret.write_text("hidden from readers")
    asked = sql.replace("{table}", table).replace("{secret}", str(secret)).replace("{outfile}", str(outfile))
    status, code, body = engine.reads(asked)
    assert (status, code) == (403, "497"), body
    assert b"(ACCESS_DENIED)" in body
    assert b"hidden from readers" not in body
    assert not outfile.exists()
    assert count(writer, table) == 0
    assert writer.command("EXISTS TABLE made") == 0


@pytest.mark.parametrize("sql", WRONG)
def test_several_statements_and_wrong_ones_are_the_readers_error(engine: Running, table: str, sql: str) -> None:
    status, code, body = engine.reads(sql.replace("{table}", table))
    assert (status, code) == (400, "62"), body
    assert b"EXPLAIN AST" not in body


@pytest.mark.parametrize("sql", ASKED_BY_CLIENTS)
def test_the_reader_may_ask_anything_of_the_tables(engine: Running, table: str, sql: str) -> None:
    status, _, body = engine.reads(sql.replace("{table}", table), param_p="['x']")
    assert status == 200, body


def test_a_refusal_names_what_was_refused(engine: Running) -> None:
    for sql, named in (
        ("SELECT 1 FROM url('http://x/')", b"the table function url"),
        ("SELECT file('x')", b"the function file"),
        ("SELECT * FROM system.processes", b"system.processes"),
        ("SELECT 1 SETTINGS max_parser_depth = 1", b"max_parser_depth"),
        ("KILL QUERY WHERE 1", b"KILL"),
    ):
        assert named in engine.reads(sql)[2]


def test_a_name_given_as_a_parameter_is_judged_by_its_value(engine: Running, table: str) -> None:
    sql = "SELECT count() FROM {d:Identifier}.{t:Identifier}"
    assert engine.reads(sql, param_d="default", param_t=table)[0] == 200
    assert engine.reads(sql, param_d="system", param_t="one")[0] == 200
    for database, name in (("system", "processes"), ("default", "../../etc/hostname"), ("system.one", "x"), ("", "x")):
        assert engine.reads(sql, param_d=database, param_t=name)[:2] == (403, "497")


def test_an_error_of_the_engine_is_given_as_if_nothing_had_been_put_around_the_statement(engine: Running) -> None:
    body = engine.reads("SELECT 1 FROM")[2]
    assert b"failed at position 14 (end of query)" in body
    assert b"OUTFILE" not in engine.ask(b"SELECT nope FROM system.one")[2]
    assert b"failed at position 14 (end of query)" in engine.ask(b"SELECT 1 FROM")[2]


def test_the_writer_may_do_what_the_reader_may_not(engine: Running, table: str, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    assert engine.ask(f"SELECT file('{tmp_path / 'own.txt'}')".encode())[2] == b"mine\n"
    assert engine.ask(f"TRUNCATE TABLE {table}".encode())[0] == 200
