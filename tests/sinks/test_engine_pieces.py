"""The pieces of the door: tokens, statements, data clauses, blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.engine.inserts import data_clause, reading_from
from sinks.engine.native import header_block
from sinks.engine.tokens import literal, statements, tokens
from tests.sinks.engines import Running

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


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
