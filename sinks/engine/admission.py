"""Who may run what: the one place that looks at a statement before the engine does.

The writer sends one statement without files of the host. The reader's statement is parsed by the engine
(``EXPLAIN AST``, which runs nothing of it) and every node of the tree must be on the lists in `allowed`;
what the tree does not show is judged by its words (`spelling`). What was admitted once is remembered by its text, but
for the times that boards ask for anew at every tick, until the writer changes a table.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sinks.engine import spelling
from sinks.engine.accounts import Account
from sinks.engine.errors import EngineError
from sinks.engine.lifting import lift_settings
from sinks.engine.parsed import read_tree
from sinks.engine.screening import Screen
from sinks.engine.shapes import Shape, shape_of, split_format
from sinks.engine.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sinks.engine.allowed import Functions
    from sinks.engine.arguments import Arguments
    from sinks.engine.tables import Tables
    from sinks.engine.tokens import Token

REMEMBERED = 1000
"""Statements whose judgement is kept; a board has tens."""
_VIEWS_DEPTH_MAX = 8
_DATABASE = "default"
# One for the statement and one for the EXPLAIN around it: a third, and the parser refuses. Were the second one the
# asker's, it would choose how the tree is printed: RawBLOB prints all of it on one line, as if it were one node.
_ALL_FORMATS = "\nFORMAT Null\nFORMAT TSVRaw"
# As Grafana's macros write an instant. No judgement depends on the digits: as code they are a number, and neither in a
# text, a comment or a name can they end it, nor can a table be called so (its name would not be a plain one).
_TIME = re.compile(rb"\btoDateTime\(([0-9]{1,10})\)")


@dataclass(frozen=True)
class Admitted:
    """A statement that may run, without its FORMAT clause, whose name is `format`, and the settings at its end."""

    sql: bytes
    shape: Shape
    format: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def at(self, times: Sequence[bytes]) -> Admitted:
        """Give the same statement about other times, as many as it has."""
        following = iter(times)
        return replace(self, sql=_TIME.sub(lambda _: b"toDateTime(%b)" % next(following), self.sql))


class Gate:
    """Judges statements; `parse(sql, params)` prints the tree of a statement and runs nothing of it."""

    def __init__(
        self,
        parse: Callable[[str, Mapping[str, str]], str],
        functions: Functions,
        tables: Tables,
        formats: Mapping[str, str],
    ) -> None:
        self._parse = parse
        self._functions = functions
        self._tables = tables
        self._formats = formats
        self._remembered: OrderedDict[tuple[object, ...], Admitted] = OrderedDict()
        self._lock = threading.Lock()
        self._tables_version = 0

    def admit(self, sql: bytes, arguments: Arguments, *, account: Account) -> Admitted:
        """Give the one statement in `sql` if `account` may run it.

        Raises error 62 for none or several statements or a wrong one, 497 for what this account may not do.
        """
        if account is Account.WRITER:
            statement = spelling.one_statement(sql)
            cut = list(tokens(statement))
            spelling.refuse_host_files(cut)
            return self._admitted(statement, cut, {})
        key, times = _key(sql, arguments), _TIME.findall(sql)
        with self._lock:
            version, known = self._tables_version, self._remembered.get(key)
            if known:
                self._remembered.move_to_end(key)
        if known:
            return known.at(times)
        admitted = self._admit_reader(sql, arguments)
        with self._lock:
            if version == self._tables_version and _TIME.findall(admitted.sql) == times:
                self._remembered[key] = admitted
                while len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
        return admitted

    def admit_own(self, sql: bytes) -> Admitted:
        """Admit a statement that the door wrote itself."""
        return self._admitted(sql, list(tokens(sql)), {})

    def forget(self) -> None:
        """Judge everything anew: a table may be another now."""
        with self._lock:
            self._tables_version += 1
            self._remembered.clear()

    def _admit_reader(self, sql: bytes, arguments: Arguments) -> Admitted:
        statement = spelling.one_statement(sql)
        cut = list(tokens(statement))
        spelling.refuse_host_files(cut)
        spelling.refuse_changes(cut)
        spelling.refuse_odd_names(cut, arguments.params)
        for table in arguments.externals:
            spelling.refuse_computed(table.structure)
        plain, settings = lift_settings(statement)
        admitted = self._admitted(plain, list(tokens(plain)), settings)
        self._judge(_text(admitted.sql), arguments)
        return admitted

    def _admitted(self, sql: bytes, cut: list[Token], settings: Mapping[str, str]) -> Admitted:
        shape = shape_of(cut)
        plain, named = (sql, "") if shape.insert else split_format(sql, cut, self._formats)
        return Admitted(plain, shape, named, settings)

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
        tree = read_tree(self._printed(sql, cut, arguments.params if arguments else {}))
        if any(node.kind == "ColumnsApplyTransformer" for node, _ in tree.walk()):
            spelling.judge_apply(cut, self._functions)
        if cut[0].is_(b"SHOW"):
            table = spelling.shown_table(cut)
            if table is not None:
                screen.judge_table(table)
        screen.judge(tree)
        return screen.views

    def _printed(self, sql: str, cut: list[Token], params: Mapping[str, str]) -> str:
        """Print the tree of a statement without its FORMAT; raises error 62 where there is another one."""
        if not any(token.is_(b"FORMAT") for token in cut):
            return self._parse(sql, params)
        try:
            return self._parse(sql + _ALL_FORMATS, params)
        except EngineError:
            self._parse(sql, params)  # what else is wrong is told without words that nobody wrote
            raise EngineError(62, "Syntax error: a query has one FORMAT, with a name without quotes.") from None


def _key(sql: bytes, arguments: Arguments) -> tuple[object, ...]:
    """Everything that a judgement depends on; values of parameters count only where they may stand for names."""
    params = tuple(sorted(arguments.params.items())) if b"identifier" in sql.lower() else ()
    externals = tuple((table.name, table.structure) for table in arguments.externals)
    return _TIME.sub(b"toDateTime(0)", sql), arguments.database, externals, params


def _text(sql: bytes) -> str:
    try:
        return sql.decode()
    except UnicodeDecodeError as error:
        raise EngineError(62, f"Syntax error: the statement is not UTF-8 at byte {error.start}.") from error
