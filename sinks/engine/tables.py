"""Which tables the reader may read: those of the product's databases that keep their rows here, and some of system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinks.engine.allowed import INFORMATION_SCHEMAS, SYSTEM_TABLES, is_local_engine
from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_PLAIN = re.compile(r"[^\W\d]\w*\Z")


@dataclass(frozen=True)
class Stored:
    """A table as the engine knows it: its engine, and the query behind it when it is a view."""

    engine: str
    select: str


class Tables:
    """Judges names of tables. `look_up(database, table)` asks the engine, which has None for no such table.

    `databases` are those that the reader may read; a name that ends in ``*`` stands for all that begin like it.
    """

    def __init__(self, databases: Collection[str], look_up: Callable[[str, str], Stored | None]) -> None:
        self._names = frozenset(name for name in databases if not name.endswith("*"))
        self._beginnings = tuple(name[:-1] for name in databases if name.endswith("*"))
        self._look_up = look_up

    def allow_database(self, name: str) -> None:
        """Raise error 497 unless the reader may look into this database."""
        if not (self.is_readable(name) or name == "system" or name in INFORMATION_SCHEMAS):
            raise EngineError(497, f"reader: Not enough privileges: the database {name[:64]} is not for the reader.")

    def is_readable(self, database: str) -> bool:
        """Whether it is one of the databases whose tables are judged by their engines."""
        return database in self._names or bool(self._beginnings and database.startswith(self._beginnings))

    def view(self, name: str, *, database: str, given: Collection[str]) -> str:
        """Judge a name as it stands in a query, and give the query behind it if it is a view, else "".

        `database` is the current one, `given` the names that the request itself defines: external tables and what
        stands beside an AS. They do not hide a table of that name from being judged, since they may hold elsewhere in
        the query only. Raises error 497 for a table that is not for the reader, 60 for one that does not exist: the
        engine would take its name for a file's.
        """
        if not _is_plain(name):
            raise EngineError(497, f"reader: the table {name[:64]} is not allowed; its name is not a plain one.")
        where, table = _split(name, database)
        if where in INFORMATION_SCHEMAS or (where == "system" and table in SYSTEM_TABLES):
            return ""
        if not self.is_readable(where):
            raise EngineError(497, f"reader: Not enough privileges: {where}.{table} is not for the reader.")
        stored = self._look_up(where, table)
        if stored is None and name in given:
            return ""
        if stored is None:
            raise EngineError(60, f"Unknown table expression identifier '{name}'.")
        if stored.engine == "View":
            return stored.select
        if not is_local_engine(stored.engine):
            raise EngineError(
                497, f"reader: {where}.{table} has the engine {stored.engine}, which may reach outside the tables."
            )
        return ""

    def may_be_table(self, name: str, *, database: str) -> bool:
        """Whether a name to the right of IN is a table's, or no plain name: then it is judged like one."""
        return not _is_plain(name) or self._look_up(*_split(name, database)) is not None


def _is_plain(name: str) -> bool:
    parts = name.split(".")
    return len(parts) <= 2 and all(_PLAIN.match(part) for part in parts)


def _split(name: str, database: str) -> tuple[str, str]:
    """Give database and table of a plain name."""
    first, dot, second = name.partition(".")
    return (first, second) if dot else (database, first)
