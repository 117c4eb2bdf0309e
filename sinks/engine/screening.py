"""Judging a parsed statement: whether every node of its tree is something the reader may use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sinks.engine.allowed import INFORMATION_SCHEMAS, TABLE_FUNCTIONS
from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection

    from sinks.engine.allowed import Functions
    from sinks.engine.parsed import Node
    from sinks.engine.tables import Tables

# IN and its kin take a table by its bare name on their right side.
_IN = re.compile(r"(global)?(not)?(null)?in(ignoreset)?")
# A structure may compute a column: values('a Int8, b String ALIAS file(…)', 1) reads a file in spite of readonly=1.
_COMPUTED = re.compile(r"\b(default|materialized|alias|ephemeral|codec|ttl)\b", re.IGNORECASE)
_EXPLAINED = frozenset(
    {"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE", "EXPLAIN PIPELINE", "EXPLAIN ESTIMATE"}
)


class Screen:
    """One tree, judged in one database; `views` collects the queries behind the views it reads."""

    def __init__(self, functions: Functions, tables: Tables, *, database: str, given: Collection[str]) -> None:
        self.views: list[str] = []
        self._functions = functions
        self._tables = tables
        self._database = database
        self._given = given

    def judge(self, root: Node) -> None:
        """Raise error 497 that names the first node which is not allowed, 60 for a table that does not exist."""
        self._judge_root(root)
        for node, parent in root.walk():
            match node.kind:
                case "Function":
                    self._judge_function(node, parent)
                case "TableIdentifier":
                    self.judge_table(node.text)
                case "Identifier":
                    self._judge_identifier(node)
                case "Set":
                    _judge_settings(parent)
                case "Explain":
                    _judge_explain(node)

    def _judge_root(self, root: Node) -> None:
        """Look at what a statement has beside its query: a file it would be written to, the database it asks about."""
        if any(child.kind == "Literal" for child in root.children):
            raise _refusal("INTO OUTFILE", "files stay with the client")
        if root.kind == "ShowTables":
            for child in root.children:
                self._tables.allow_database(child.text)
        if root.kind in {"ShowCreateTableQuery", "ShowCreateViewQuery", "ExistsTableQuery", "ExistsViewQuery"}:
            self.judge_table(".".join(child.text for child in root.children[:2] if child.kind == "Identifier"))

    def _judge_function(self, node: Node, parent: Node | None) -> None:
        if parent is not None and parent.kind == "TableExpression":
            self._judge_table_function(node)
        elif not self._functions.allows(node.text):
            raise _refusal(f"the function {node.text[:64]}", "it is not on the list of those that only compute")
        elif _IN.fullmatch(node.text.lower()) and node.children:
            self._judge_right_side(node.children[0].children)

    def _judge_table_function(self, node: Node) -> None:
        name = node.text.lower()
        if name not in TABLE_FUNCTIONS:
            raise _refusal(f"the table function {node.text[:64]}", "it reaches outside the tables")
        arguments = node.children[0].children if node.children else []
        if name == "values" and arguments and not _is_value(arguments[0]):
            raise _refusal("the table function values with this structure", "write names and types only")

    def _judge_right_side(self, sides: list[Node]) -> None:
        """Judge ``x IN name``: a table if there is one of that name, else a column."""
        name = sides[1].text if len(sides) == 2 and sides[1].kind == "Identifier" else ""
        if name and self._tables.may_be_table(name, database=self._database):
            self.judge_table(name)

    def judge_table(self, name: str) -> None:
        """Judge one table by its name as it is written. Raises errors 497 and 60 as `judge` does."""
        select = self._tables.view(name, database=self._database, given=self._given)
        if select:
            self.views.append(select)

    def _judge_identifier(self, node: Node) -> None:
        name = node.text.partition(" (alias ")[0]
        if "." not in name and self._functions.refuses(name):
            raise _refusal(
                f"the function {name[:64]}",
                f"it is not on the list of those that only compute; a column of that name is written t.{name[:64]}",
            )
        first, _, rest = name.partition(".")
        if rest and (first == "system" or first in INFORMATION_SCHEMAS):
            self.judge_table(".".join(name.split(".")[:2]))


def _is_value(node: Node) -> bool:
    if node.kind == "Literal":
        return not (node.text.startswith("'") and _COMPUTED.search(node.text))
    return node.kind == "Function" and node.text == "tuple"


def _judge_settings(parent: Node | None) -> None:
    """Settings at the end of a statement were taken out before; EXPLAIN has options of its own."""
    if parent is None or parent.kind != "Explain":
        raise _refusal("SETTINGS inside a query", "put them at the end of the statement, or into the address")


def _judge_explain(node: Node) -> None:
    if node.text not in _EXPLAINED:
        raise _refusal(node.text[:64], "ask for the plan, the syntax, the tree or the pipeline")


def _refusal(what: str, why: str) -> EngineError:
    return EngineError(497, f"reader: Not enough privileges: {what} is not allowed; {why}.")
