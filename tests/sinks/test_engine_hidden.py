"""Whatever is hidden wherever in a reader's statement: it is refused, and nothing outside was touched meanwhile."""

# ruff: noqa: S608 (statements are what is tested)

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sinks.hiding import camouflaged, hidden
from tests.sinks.traps import HIDDEN, Traps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sinks.engines import Running

EXPRESSIONS = [
    "file('{secret}')",
    "`file`('{secret}')",
    "\"file\" /* x */ ('{secret}')",
    "arrayMap(file, ['{secret}'])",
    "(SELECT b FROM values('a Int8, b String ALIAS file(''{secret}'')', 1))",
    "(SELECT b FROM values(concat('a Int8, b String AL', 'IAS file(''{secret}'')'), 1))",
    "(SELECT * APPLY file FROM (SELECT '{secret}'))",
    "(SELECT * APPLY (x -> file(x)) FROM (SELECT '{secret}'))",
    "(SELECT count() FROM url('http://127.0.0.1:{port}/', 'LineAsString'))",
    "dictGet('d', 'a', 1)",
    "dictGetOrNull('d', 'a', 1)",
    "joinGet('j', 'a', 1)",
    "catboostEvaluate('{secret}', 1)",
    "regionToName(1)",
    "hostName()",
    "getServerPort('tcp_port')",
    "getMacro('shard')",
    "addressToLine(1)",
    "aiGenerate('a', 'b')",
    "filesystemAvailable()",
    "1 IN system.processes",
    "1 IN fetched",
    "1 IN private.t",
    "1 IN `{secret}`",
]
TABLES = [
    "file('{secret}', 'LineAsString')",
    "file('{written}', 'TSV', 'a Int8')",
    "fileCluster('c', '{secret}', 'LineAsString')",
    "url('http://127.0.0.1:{port}/', 'LineAsString')",
    "urlCluster('c', 'http://127.0.0.1:{port}/', 'LineAsString')",
    "s3('http://127.0.0.1:{port}/b/k', 'TSV', 'x String')",
    "gcs('http://127.0.0.1:{port}/b/k', 'TSV', 'x String')",
    "remote('127.0.0.1:{port}', system.one)",
    "remoteSecure('127.0.0.1:{port}', system.one)",
    "cluster('default', system.one)",
    "mysql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
    "postgresql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
    "mongodb('127.0.0.1:{port}', 'd', 't', 'u', 'p', 'a Int8')",
    "redis('127.0.0.1:{port}', 'k', 'k String')",
    "sqlite('{secret}', 't')",
    "hdfs('hdfs://127.0.0.1:{port}/x', 'TSV', 'x String')",
    "deltaLake('http://127.0.0.1:{port}/b/k')",
    "iceberg('http://127.0.0.1:{port}/b/k')",
    "executable('cat', 'TSV', 'x String')",
    "dictionary('d')",
    "merge('system', '.*')",
    "loop(system.processes)",
    "format('LineAsString', 'x')",
    "python(x)",
    "fuzzQuery('SELECT 1')",
    "'{secret}'",
    "`{secret}`",
    '"{secret}"',
    "`../traps/secret.txt`",
    "system.processes",
    "system.`server_settings`",
    '"system".errors',
    "private.t",
    "fetched",
    "default.fetched",
    "seen",
    "seen_twice",
    "(EXPLAIN SELECT 1)",
]
ENDINGS = [
    *("FORMAT JSON", "FORMAT RawBLOB", "FORMAT Null", "FORMAT CustomSeparated", "FORMAT ArrowStream"),
    *("SETTINGS limit = 1", "SETTINGS max_threads = 1", "SETTINGS offset = 1", "-- FORMAT", "/* FORMAT */"),
    *("SETTINGS additional_result_filter = '0'", "SETTINGS output_format_tsv_crlf_end_of_line = 1"),
]
# What must not be asked at all, and the word by which its refusal names it.
COMMANDS = [
    ("SYSTEM FLUSH LOGS", "SYSTEM"),
    ("SYSTEM SHUTDOWN", "SYSTEM"),
    ("SYSTEM STOP MERGES kept", "SYSTEM"),
    ("KILL QUERY WHERE 1", "KILL"),
    ("KILL MUTATION WHERE 1 SYNC", "KILL"),
    ("SET max_threads = 1", "SET"),
    ("USE system", "USE"),
    ("INSERT INTO kept VALUES (1)", "INSERT"),
    ("INSERT INTO FUNCTION file('{written}', 'TSV', 'a Int8') SELECT 1", "INSERT"),
    ("INSERT INTO kept SELECT a FROM fetched", "INSERT"),
    ("WITH 1 AS x INSERT INTO kept SELECT x", "INSERT"),
    ("CREATE TABLE made (a UInt8) ENGINE = File(TSV, '{written}')", "CREATE"),
    ("CREATE TEMPORARY TABLE made (a UInt8)", "CREATE"),
    ("CREATE FUNCTION made AS x -> x", "CREATE"),
    (
        "CREATE DICTIONARY made (a UInt64) PRIMARY KEY a SOURCE(HTTP(URL 'http://127.0.0.1:{port}/')) LAYOUT(FLAT())",
        "CREATE",
    ),
    ("ATTACH TABLE made FROM '{secret}' (a UInt8) ENGINE = Memory", "ATTACH"),
    ("DETACH TABLE kept", "DETACH"),
    ("DROP TABLE kept", "DROP"),
    ("UNDROP TABLE kept", "UNDROP"),
    ("RENAME TABLE kept TO other", "RENAME"),
    ("EXCHANGE TABLES kept AND looked", "EXCHANGE"),
    ("ALTER TABLE kept DELETE WHERE 1", "ALTER"),
    ("ALTER TABLE kept ADD COLUMN b String DEFAULT file('{secret}')", "ALTER"),
    ("DELETE FROM kept WHERE 1", "DELETE"),
    ("UPDATE kept SET a = 1 WHERE 1", "UPDATE"),
    ("TRUNCATE TABLE kept", "TRUNCATE"),
    ("OPTIMIZE TABLE kept FINAL", "OPTIMIZE"),
    ("CHECK TABLE kept", "CHECK"),
    ("GRANT ALL ON *.* TO reader", "GRANT"),
    ("REVOKE ALL ON *.* FROM reader", "REVOKE"),
    ("BACKUP TABLE kept TO File('{written}')", "BACKUP"),
    ("RESTORE TABLE kept FROM File('{secret}')", "RESTORE"),
    ("MOVE USER reader TO memory", "MOVE"),
    ("EXECUTE AS writer SELECT 1", "EXECUTE"),
    ("BEGIN TRANSACTION", "BEGIN"),
    ("SELECT 1 INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("SELECT 1 INTO OUTFILE '{written}' APPEND AND STDOUT COMPRESSION 'gzip' FORMAT CSV", "INTO OUTFILE"),
    ("FROM kept SELECT 1 INTO OUTFILE '{written}' TRUNCATE", "INTO OUTFILE"),
    ("( SELECT 1 ) UNION ALL ( SELECT 2 ) INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("WITH c AS ( SELECT 1 ) SELECT * FROM c FORMAT RawBLOB INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("EXPLAIN SELECT 1 INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("DESCRIBE TABLE kept INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("SHOW TABLES INTO OUTFILE '{written}'", "INTO OUTFILE"),
    ("SHOW PROCESSLIST", "PROCESSLIST"),
    ("SHOW GRANTS", "GRANTS"),
    ("SHOW SETTINGS LIKE '%'", "SETTINGS"),
    ("SHOW TABLES FROM private", "private"),
    ("SHOW TABLES FROM default WHERE file('{secret}') = ''", "("),
    ("SHOW COLUMNS FROM processes FROM system", "system.processes"),
    ("SHOW CREATE TABLE private.t", "private"),
    ("EXISTS TABLE private.t", "private"),
    ("EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd') PARTITION BY x", "TableOverride"),
]
# Settings that open a door, lift a bound, or name a file or an address.
DOORS = [
    *("readonly=0", "readonly=3", "allow_ddl=1", "allow_introspection_functions=1", "max_parser_depth=100000"),
    *(
        "max_ast_depth=100000",
        "max_subquery_depth=1000",
        "timeout_overflow_mode='break'",
        "max_bytes_before_external_sort=1",
    ),
    *("max_concurrent_queries_for_user=0", "max_memory_usage_for_user=1", "priority=0"),
    *("format_schema='{secret}'", "format_template_row='{secret}'", "format_template_resultset='{secret}'"),
    *("output_format_schema='{written}'", "format_schema_source='string'", "additional_result_filter='file(1)'"),
    *(
        "additional_table_filters='1'",
        "allow_experimental_analyzer=0",
        "enable_url_encoding=0",
        "s3_truncate_on_insert=1",
    ),
    *(
        "engine_file_truncate_on_insert=1",
        "input_format_allow_errors_num=9",
        "log_queries=0",
        "skip_unavailable_shards=1",
    ),
    *("default_table_engine='Memory'", "stream_like_engine_allow_direct_select=1", "cluster_for_parallel_replicas='c'"),
]
# A second statement, of which the first part must not run either, and texts that are no statement.
NO_STATEMENTS = [
    *(
        "SELECT 1 ; SELECT 2",
        "SELECT 1 ; DROP TABLE kept",
        "SELECT file('{secret}') ; SELECT 1",
        "SELECT ';' ; SYSTEM FLUSH LOGS",
    ),
    *("EXPLAIN AST SELECT 1 ; KILL QUERY WHERE 1", "SELECT 1 FORMAT Null ; SELECT 1 INTO OUTFILE '{written}'"),
    *("SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString') ; SELECT", "SET readonly = 0 ; SELECT 1"),
    *(
        "SELECT",
        "SELECT 1 FROM",
        "SELECT ( 1",
        "SELECT 1 ) AS x",
        "SELECT 1 WHERE",
        "WITH c AS ( SELECT 1 )",
        "EXPLAIN",
        "SHOW TABLES FROM",
    ),
    *("SELECT 1 SETTINGS max_threads =", "SELECT 1 FORMAT", "SELECT 1 SELECT 2", "SELECT , FROM kept"),
]
HARMLESS_EXPRESSIONS = [
    "1",
    "'file(x)'",
    "lower('A')",
    "(SELECT max(a) FROM kept)",
    "1 IN kept",
    "sumIf(1, 1)",
    "now()",
]
HARMLESS_TABLES = ["kept", "default.kept", "looked", "numbers(2)", "system.one", "values('a Int8, b String', (1, 'x'))"]


@pytest.fixture(scope="module")
def traps(engine: Running) -> Iterator[Traps]:
    """Set the traps, with tables and views of the writer's that lead into them."""
    with Traps(engine.folder / "traps") as set_up:
        address = f"http://127.0.0.1:{set_up.port}/"
        for made in (
            "CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a",
            "CREATE VIEW looked AS SELECT a FROM kept",
            f"CREATE TABLE fetched (a UInt64) ENGINE = URL('{address}', 'TSV')",
            "CREATE VIEW seen AS SELECT a FROM fetched",
            "CREATE VIEW seen_twice AS SELECT a FROM seen",
            "CREATE DATABASE private",
            "CREATE TABLE private.t (a UInt64) ENGINE = Memory",
        ):
            status, _, said = engine.ask(made.encode())
            assert status == 200, said
        set_up.sprung()
        yield set_up


def filled(sql: str, traps: Traps) -> str:
    for name, value in (("secret", traps.secret), ("written", traps.written), ("port", traps.port)):
        sql = sql.replace(f"{{{name}}}", str(value))
    return sql


def test_the_traps_spring_when_something_goes_through(engine: Running, traps: Traps) -> None:
    read = filled("SELECT file('{secret}')", traps)
    assert HIDDEN.encode() in engine.ask(read.encode())[2]
    assert traps.sprung() != []
    assert engine.ask(b"SELECT a FROM seen_twice")[2] == b"1\n"
    assert traps.sprung() != []


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hidden(expressions=EXPRESSIONS, tables=TABLES))
def test_whatever_reaches_outside_is_refused_wherever_it_hides(engine: Running, traps: Traps, sql: str) -> None:
    status, code, body = engine.reads(filled(sql, traps))
    assert (status, code) == (403, "497"), body
    assert b"(ACCESS_DENIED)" in body
    assert traps.sprung() == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hidden(expressions=HARMLESS_EXPRESSIONS, tables=HARMLESS_TABLES))
def test_what_only_computes_or_reads_the_tables_is_not_refused(engine: Running, traps: Traps, sql: str) -> None:
    status, code, body = engine.reads(sql)
    assert status != 403, body
    assert code not in {"62", "497", "60"}, body


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_no_query_is_refused_by_its_name_however_it_is_written(
    engine: Running, traps: Traps, data: st.DataObject
) -> None:
    sql, named = data.draw(st.sampled_from(COMMANDS))
    status, code, body = engine.reads(filled(data.draw(camouflaged(sql)), traps))
    assert (status, code) == (403, "497"), body
    assert named.lower().encode() in body.lower()
    assert traps.sprung() == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.data(),
    st.sampled_from(DOORS),
    st.sampled_from(["SELECT 1 {s}", "SELECT 1 FORMAT JSON {s}", "EXPLAIN SELECT 1 {s}"]),
)
def test_a_setting_that_opens_a_door_is_refused_by_its_name_in_the_text_and_in_the_address(
    engine: Running, traps: Traps, data: st.DataObject, door: str, frame: str
) -> None:
    name, _, value = filled(door, traps).partition("=")
    written = frame.replace("{s}", f"SETTINGS max_threads = 1, {name} = {value}")
    asked = [({}, data.draw(camouflaged(written))), ({name: value.strip("'")}, "SELECT 1")]
    for args, sql in asked:
        status, code, body = engine.reads(sql, **args)
        assert (status, code) == (403, "497"), body
        assert name.encode() in body.lower()
    assert traps.sprung() == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_several_statements_and_no_statement_are_the_readers_error_and_none_runs(
    engine: Running, traps: Traps, data: st.DataObject
) -> None:
    sql = data.draw(camouflaged(data.draw(st.sampled_from(NO_STATEMENTS))))
    status, code, body = engine.reads(filled(sql, traps))
    assert (status, code) == (400, "62"), body
    assert b"(SYNTAX_ERROR)" in body
    assert traps.sprung() == []


def test_after_all_that_the_tables_are_what_they_were(engine: Running, traps: Traps) -> None:
    assert engine.ask(b"SELECT count() FROM kept")[2] == b"0\n"
    names = engine.ask(b"SHOW TABLES")[2].split()
    assert {b"kept", b"looked", b"fetched", b"seen", b"seen_twice"} <= set(names)
    assert b"made" not in names


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_is_refused_by_itself(engine: Running, traps: Traps, expression: str) -> None:
    status, code, body = engine.reads(filled(f"SELECT {expression}", traps))
    assert (status, code) == (403, "497"), body
    assert traps.sprung() == []


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_refused_by_itself(engine: Running, traps: Traps, table: str) -> None:
    status, code, body = engine.reads(filled(f"SELECT * FROM {table}", traps))
    assert (status, code) == (403, "497"), body
    assert traps.sprung() == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["SELECT file('{secret}')", "EXPLAIN SELECT file('{secret}')", "SELECT * FROM '{secret}'"]),
    st.lists(st.sampled_from(ENDINGS), min_size=1, max_size=5),
)
def test_no_clause_at_the_end_changes_how_a_statement_is_judged(
    engine: Running, traps: Traps, query: str, endings: list[str]
) -> None:
    status, code, body = engine.reads(filled(" ".join([query, *endings]), traps))
    assert (status, code) in {(403, "497"), (400, "62"), (400, "36"), (404, "73")}, body
    assert HIDDEN.encode() not in body
    assert traps.sprung() == []


@pytest.mark.parametrize("second", ["RawBLOB", "ArrowStream", "Parquet", "JSON", "Null", '"RawBLOB"', "Nothing"])
def test_a_second_format_is_refused(engine: Running, traps: Traps, second: str) -> None:
    status, code, body = engine.reads(filled(f"SELECT file('{{secret}}') FORMAT JSON FORMAT {second}", traps))
    assert (status, code) == (400, "62"), body
    assert b"one FORMAT" in body
    assert traps.sprung() == []


def test_format_is_a_name_like_others(engine: Running) -> None:
    assert engine.reads("SELECT format FROM (SELECT 1 AS format) FORMAT CSV")[0::2] == (200, b"1\n")
    assert engine.reads("SELECT format.a FROM (SELECT 1 AS a) AS format")[0::2] == (200, b"1\n")


def test_a_literal_may_hold_any_bytes(engine: Running) -> None:
    assert engine.reads(r"SELECT hex('\xff') FORMAT TSV")[0::2] == (200, b"FF\n")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.sampled_from(["SELECT 1 AS {n}", "SELECT {n} FROM kept", "SELECT a FROM {n}"]))
def test_no_name_can_make_the_tree_of_a_statement_lie(engine: Running, traps: Traps, text: str, frame: str) -> None:
    name = "`" + text.replace("\\", "\\\\").replace("`", "\\`") + " (alias kept) (children 1)\n    Literal 1`"
    status, code, _ = engine.reads(frame.replace("{n}", name))
    assert (status, code) in {(403, "497"), (400, "62")}
    assert traps.sprung() == []


def test_what_was_admitted_is_judged_anew_when_the_writer_changes_a_table(engine: Running, traps: Traps) -> None:
    engine.ask(b"CREATE TABLE changing (a UInt64) ENGINE = Memory")
    assert engine.reads("SELECT a FROM changing")[0] == 200
    engine.ask(b"DROP TABLE changing")
    engine.ask(f"CREATE TABLE changing (a UInt64) ENGINE = URL('http://127.0.0.1:{traps.port}/', 'TSV')".encode())
    assert engine.reads("SELECT a FROM changing")[:2] == (403, "497")
    assert traps.sprung() == []
    engine.ask(b"DROP TABLE changing")
