"""The lists of what a reader may use, and how the pieces of the judgement read a statement."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.engine.allowed import Function, Functions, may_set
from sinks.engine.errors import EngineError
from sinks.engine.lifting import lift_settings
from sinks.engine.parsed import KINDS, read_tree
from sinks.engine.shapes import shape_of, split_format
from sinks.engine.spelling import defined_names
from sinks.engine.tokens import tokens
from tests.sinks.engines import Running

REACHING = re.compile(r"[fF]ile|^dict|joinGet|[hH]ost|[mM]acro|Server|addressTo|^ai[A-Z]|^AI|region|evalML|ertificate")


def known(*names: str, category: str = "String", alias_of: str = "", aggregate: bool = False) -> list[Function]:
    return [Function(name, category, alias_of, aggregate, builtin=True) for name in names]


def functions_of(engine: Running) -> Functions:
    sql = "SELECT name, categories, alias_to, is_aggregate, origin = 'System' FROM system.functions"
    with engine.client() as client:
        rows = client.query(sql).result_rows
        endings = client.query("SELECT name FROM system.aggregate_function_combinators").result_rows
    return Functions([Function(a, b, c, bool(d), bool(e)) for a, b, c, d, e in rows], [name for (name,) in endings])


def test_no_function_of_the_engine_that_sounds_like_reaching_outside_is_allowed(engine: Running) -> None:
    functions = functions_of(engine)
    with engine.client() as client:
        names = [row[0] for row in client.query("SELECT name FROM system.functions").result_rows]
    assert sum(REACHING.search(name) is not None for name in names) > 60
    assert [name for name in names if REACHING.search(name) and functions.allows(name)] == []
    assert sum(map(functions.allows, names)) > 1200


def test_no_table_function_is_an_allowed_function_by_the_same_name(engine: Running) -> None:
    """One that is mistaken for an ordinary function must not get through."""
    functions = functions_of(engine)
    with engine.client() as client:
        names = {row[0] for row in client.query("SELECT name FROM system.table_functions").result_rows}
    assert {name for name in names if functions.allows(name)} <= {"format"}


def test_functions_are_allowed_by_category_alias_and_ending() -> None:
    listed = [
        *known("lower"),
        *known("lcase", category="", alias_of="lower"),
        *known("file", category="Other"),
        *known("sum", aggregate=True),
        Function("mine", "String", "", aggregate=False, builtin=False),
    ]
    functions = Functions(listed, ["If", "State", "Array"])
    assert all(map(functions.allows, ("lower", "LOWER", "lcase", "sum", "sumIf", "sumArrayIfState", "lambda")))
    assert not any(map(functions.allows, ("file", "mine", "sumNonsense", "If", "fileIf", "nothing_known")))
    assert [functions.refuses(name) for name in ("file", "FILE", "mine", "lower", "a_column")] == [True] * 3 + [
        False
    ] * 2


@pytest.mark.parametrize(
    "name",
    ["readonly", "allow_ddl", "output_format_schema", "format_schema", "format_template_row", "max_parser_depth"],
)
def test_settings_that_open_something_are_not_the_readers(name: str) -> None:
    assert not may_set(name)
    assert may_set("max_execution_time")
    assert may_set("output_format_json_quote_64bit_integers")


@pytest.mark.parametrize(
    ("sql", "plain", "settings"),
    [
        ("SELECT 1 SETTINGS a = 1", "SELECT 1 ", {"a": "1"}),
        ("SELECT 1 SETTINGS a = 1, b = 'x''y' FORMAT TSV", "SELECT 1  FORMAT TSV", {"a": "1", "b": "x'y"}),
        ("SELECT 1 FORMAT TSV settings a = -1.5e3", "SELECT 1 FORMAT TSV ", {"a": "-1.5e3"}),
        ("SELECT settings, settings AS x FROM t", "SELECT settings, settings AS x FROM t", {}),
        ("SELECT 'SETTINGS a = 1' -- SETTINGS b = 2", "SELECT 'SETTINGS a = 1' -- SETTINGS b = 2", {}),
        ("SELECT (SELECT 1 SETTINGS a = 1)", "SELECT (SELECT 1 SETTINGS a = 1)", {}),
    ],
)
def test_settings_are_lifted_out_of_the_end_of_a_statement(sql: str, plain: str, settings: dict[str, str]) -> None:
    lifted, found = lift_settings(sql.encode())
    assert found == settings
    assert lifted.decode().split() == plain.split()


@pytest.mark.parametrize("value", ["[1]", "{'a': 1}", "(1)", "{p:String}"])
def test_only_plain_values_are_settings(value: str) -> None:
    with pytest.raises(EngineError, match="must be a number, a word or a string"):
        lift_settings(f"SELECT 1 SETTINGS a = {value}".encode())


@given(st.text(max_size=60))
def test_lifting_never_fails_on_what_is_no_clause(text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    sql = f"SELECT {quoted}".encode()
    assert lift_settings(sql) == (sql, {})


def test_a_tree_is_read_back_with_its_names() -> None:
    tree = read_tree(
        "SelectQuery (children 2)\n ExpressionList (children 1)\n  Identifier a (alias b)\n"
        " TableExpression (children 1)\n  TableIdentifier db.t (alias my table)\n"
    )
    assert [(node.kind, parent.kind if parent else "") for node, parent in tree.walk()][:3] == [
        ("SelectQuery", ""),
        ("ExpressionList", "SelectQuery"),
        ("Identifier", "ExpressionList"),
    ]
    assert tree.children[1].children[0].text == "db.t"


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "SelectQuery (children 2)\n Literal 1",
        "SelectQuery (children 1)\n  Literal 1",
        "SelectQuery\n Literal 1",
        "SelectQuery\nSelectQuery",
        "SelectQuery (children 1)\n Identifier a (children 1)\n  Literal 1",
        "SelectQuery (children 1)\n TableIdentifier a (alias /../x)",
        "SelectQuery (children 1)\n TableIdentifier ../x",
        "SelectQuery (children 1)\n Function f(x)",
        "SystemQuery",
    ],
)
def test_a_tree_that_does_not_add_up_is_refused(printed: str) -> None:
    with pytest.raises(EngineError) as refused:
        read_tree(printed)
    assert refused.value.code == 497


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=8), st.lists(st.integers(0, 4), max_size=8))
def test_every_text_is_a_tree_that_adds_up_or_a_refusal(kinds: list[str], depths: list[int]) -> None:
    lines = [f"{' ' * depth}{kind} x" for kind, depth in zip(kinds, depths, strict=False)]
    if len(lines) == 1 and lines[0].strip() == lines[0]:
        assert [node.kind for node, _ in read_tree(lines[0]).walk()] == kinds[:1]
        return
    with pytest.raises(EngineError) as refused:  # none says how many children it has
        read_tree("\n".join(lines))
    assert refused.value.code == 497


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("WITH a AS (SELECT 1) SELECT 1", {"a"}),
        ("WITH a AS (SELECT 1), `b c` AS (SELECT 2) SELECT 1", {"a", "b c"}),
        ("WITH a (x, y) AS (SELECT 1) SELECT f(1) AS z", {"a", "f", "z"}),
        ("SELECT 1", set()),
        (") AS x ((( AS", {"x"}),
    ],
)
def test_names_that_a_statement_gives_are_found(sql: str, names: set[str]) -> None:
    assert names <= defined_names(list(tokens(sql.encode())))


@pytest.mark.parametrize(
    ("sql", "plain", "named"),
    [
        (b"SELECT 1 FORMAT JSON", b"SELECT 1 ", "JSON"),
        (b"SELECT 1 format json SETTINGS a = 1", b"SELECT 1  SETTINGS a = 1", "json"),
        (b"SELECT 1 FORMAT Nope", b"SELECT 1 ", "Nope"),
        (b"SELECT 1 AS format", b"SELECT 1 AS format", ""),
        (b"SELECT (SELECT 1 FORMAT JSON)", b"SELECT (SELECT 1 FORMAT JSON)", ""),
    ],
)
def test_the_format_of_a_statement_is_cut_out(sql: bytes, plain: bytes, named: str) -> None:
    assert split_format(sql, list(tokens(sql)), {"json": "JSON"}) == (plain, named)


def test_the_shape_of_a_statement_is_told_by_its_words() -> None:
    shapes = {sql: shape_of(list(tokens(sql.encode()))) for sql in ("(SELECT 1)", "WITH 1 AS x INSERT INTO t SELECT x")}
    assert [(s.rows, s.filed, s.tables) for s in shapes.values()] == [(True, True, False), (True, False, False)]
    assert shape_of(list(tokens(b"CREATE TABLE t"))).tables
    assert shape_of(list(tokens(b"SHOW TABLES"))).filed is False
