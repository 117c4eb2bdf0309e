"""Who may run what: the one place that looks at a statement before the engine does.

The writer sends one statement without files of the host. The reader's statement is parsed by the engine
(``EXPLAIN AST``, which runs nothing of it) and every node of the tree must be on the lists in `allowed`;
what the tree does not show is judged by its words (`spelling`). What was admitted once is remembered by its text until
the writer changes a table.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinks.engine import spelling
from sinks.engine.accounts import Account
from sinks.engine.errors import EngineError
from sinks.engine.lifting import lift_settings
from sinks.engine.parsed import read_tree
from sinks.engine.screening import Screen
from sinks.engine.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sinks.engine.allowed import Functions
    from sinks.engine.arguments import Arguments
    from sinks.engine.tables import Tables
    from sinks.engine.tokens import Token

REMEMBERED = 1000
"""Statements whose judgement is kept; a board has tens."""
_VIEWS_DEPTH_MAX = 8
_DATABASE = "default"
_KEEPS_TABLES = (b"INSERT", b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN", b"EXISTS", b"OPTIMIZE")


@dataclass(frozen=True)
class Admitted:
    """A statement that may run, and the settings that stood at its end."""

    sql: bytes
    settings: Mapping[str, str] = field(default_factory=dict)


class Gate:
    """Judges statements; `parse(sql, params)` prints the tree of a statement and runs nothing of it."""

    def __init__(self, parse: Callable[[str, Mapping[str, str]], str], functions: Functions, tables: Tables) -> None:
        self._parse = parse
        self._functions = functions
        self._tables = tables
        self._remembered: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._lock = threading.Lock()
        self._tables_version = 0

    def admit(self, sql: bytes, arguments: Arguments, *, account: Account) -> Admitted:
        """Give the one statement in `sql` if `account` may run it.

        Raises error 62 for none or several statements or a wrong one, 497 for what this account may not do.
        """
        statement = spelling.one_statement(sql)
        cut = list(tokens(statement))
        spelling.refuse_host_files(cut)
        if account is Account.WRITER:
            return Admitted(statement)
        spelling.refuse_changes(cut)
        for table in arguments.externals:
            spelling.refuse_computed(table.structure)
        plain, settings = lift_settings(statement)
        self._admit_reader(plain, cut, arguments)
        return Admitted(plain, settings)

    def forget(self) -> None:
        """Judge everything anew: a table may be another now."""
        with self._lock:
            self._tables_version += 1
            self._remembered.clear()

    def _admit_reader(self, sql: bytes, cut: list[Token], arguments: Arguments) -> None:
        spelling.refuse_odd_names(cut, arguments.params)
        names = tuple(arguments.params.get(name, "") for name in spelling.identifier_params(cut))
        externals = tuple(table.name for table in arguments.externals)
        key = (sql, arguments.database, externals, names)
        with self._lock:
            version = self._tables_version
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return
        self._judge(_text(sql), arguments)
        with self._lock:
            if version == self._tables_version:
                self._remembered[key] = None
                while len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)

    def _judge(self, sql: str, arguments: Arguments) -> None:
        database = arguments.database or _DATABASE
        self._tables.allow_database(database)
        waiting = [(sql, 0)]
        while waiting:
            text, depth = waiting.pop()
            if depth > _VIEWS_DEPTH_MAX:
                raise EngineError(497, f"reader: views read views more than {_VIEWS_DEPTH_MAX} deep.")
            views = self._judge_one(text, arguments if not depth else None, database)
            waiting.extend((view, depth + 1) for view in views)

    def _judge_one(self, sql: str, arguments: Arguments | None, database: str) -> list[str]:
        """Judge one text, that of the request or that of a view; gives the queries of the views it reads."""
        cut = list(tokens(sql.encode()))
        given = spelling.defined_names(cut) | {table.name for table in (arguments.externals if arguments else ())}
        screen = Screen(self._functions, self._tables, database=database, given=given)
        tree = read_tree(self._parse(sql, arguments.params if arguments else {}))
        if any(node.kind == "ColumnsApplyTransformer" for node, _ in tree.walk()):
            spelling.judge_apply(cut, self._functions)
        if cut[0].is_(b"SHOW"):
            table = spelling.shown_table(cut)
            if table is not None:
                screen.judge_table(table)
        screen.judge(tree)
        return screen.views


def changes_tables(sql: bytes) -> bool:
    """Whether a statement of the writer may make, change or drop a table."""
    first = next((token for token in tokens(sql) if token.text != b"("), spelling.NO_TOKEN)
    return not first.is_(*_KEEPS_TABLES)


def _text(sql: bytes) -> str:
    try:
        return sql.decode()
    except UnicodeDecodeError as error:
        raise EngineError(62, f"Syntax error: the statement is not UTF-8 at byte {error.start}.") from error
