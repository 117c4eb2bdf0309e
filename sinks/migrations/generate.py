"""Writes the next migration: what the declared tables have and the files before it do not make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sinks.migrations import Migration, migrations
from sinks.table import PROJECTED, Table
from sinks.tables import DATABASE, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_CREATE = re.compile(r"^CREATE TABLE IF NOT EXISTS \w+\.(\w+) \($")
_COLUMN = re.compile(r"^ {4}(\w+) (.+?),?$")
_INDEX = re.compile(r"^ALTER TABLE \w+\.(\w+) ADD INDEX IF NOT EXISTS (\w+) (.+);$")
_PROJECTION = re.compile(r"^ALTER TABLE \w+\.(\w+) ADD PROJECTION IF NOT EXISTS (\w+) (.+);$")
_DROPPED = re.compile(r"^ALTER TABLE \w+\.(\w+) DROP PROJECTION IF EXISTS (\w+);$")
_ADD = re.compile(r"^ALTER TABLE \w+\.(\w+) ADD COLUMN IF NOT EXISTS (\w+) (.+);$")


def made_by(files: Iterable[Migration]) -> dict[str, dict[str, str]]:
    """Tables and their columns as the files make them, read from the files themselves.

    A skipping index stands among the columns of its table, as `INDEX name`, a projection as `PROJECTION name`.
    """
    made: dict[str, dict[str, str]] = {}
    for migration in files:
        table = ""
        for line in migration.text.splitlines():
            if found := _CREATE.match(line):
                table = found[1]
                made[table] = {}
            elif found := _INDEX.match(line):
                made[found[1]][_index(found[2])] = found[3]
            elif found := _PROJECTION.match(line):
                made[found[1]][_projection(found[2])] = found[3]
            elif found := _DROPPED.match(line):
                made[found[1]].pop(_projection(found[2]))
            elif found := _ADD.match(line):
                made[found[1]][found[2]] = found[3]
            elif table and (found := _COLUMN.match(line)):
                made[table][found[1]] = found[2]
            elif line.startswith(")"):
                table = ""
    return made


def missing(made: Mapping[str, Mapping[str, str]], wanted: Mapping[str, Table]) -> str:
    """Write the SQL that makes what is wanted and not made; empty when nothing is missing.

    Raises ValueError for a column whose type changed: that needs a new name, or a migration by hand.
    """
    for table in wanted.values():
        for name, kind in _named(table).items():
            was = made.get(table.name, {}).get(name, kind)
            if was != kind:
                raise ValueError(f"{table.name}.{name} was made as {was}, not {kind}: give the new meaning a new name")
    parts = [
        _create(table) if table.name not in made else _extend(table, made[table.name]) for table in wanted.values()
    ]
    return "\n".join(part for part in parts if part)


def write_next(folder: Path, *, title: str = "columns") -> Path | None:
    """Write the next file into `folder`; its path, or None when nothing is missing."""
    files = migrations(folder)
    sql = missing(made_by(files), tables())
    if not sql:
        return None
    number = int(files[-1].name[:4]) + 1 if files else 1
    path = folder / f"{number:04}_{title if files else 'tables'}.sql"
    path.write_text(sql)
    return path


def _create(table: Table) -> str:
    columns = ",\n".join(f"    {name} {kind}" for name, kind in table.columns.items())
    lines = [f"CREATE TABLE IF NOT EXISTS {DATABASE}.{table.name} (", columns, f") ENGINE = {table.engine}"]
    if table.partition:
        lines.append(f"PARTITION BY {table.partition}")
    lines.append(f"ORDER BY ({', '.join(table.order)})")
    if table.ttl:
        lines.append(f"TTL {table.ttl}")
    settings = ", ".join(f"{name} = {value}" for name, value in table.all_settings.items())
    return "\n".join([*lines, f"SETTINGS {settings};"]) + "\n" + _indexes(table, {}) + _projections(table, {})


def _extend(table: Table, made: Mapping[str, str]) -> str:
    added = [(name, kind) for name, kind in table.columns.items() if name not in made]
    alter = f"ALTER TABLE {DATABASE}.{table.name} ADD COLUMN IF NOT EXISTS"
    return (
        "".join(f"{alter} {name} {kind};\n" for name, kind in added) + _indexes(table, made) + _projections(table, made)
    )


def _indexes(table: Table, made: Mapping[str, str]) -> str:
    """Indexes of parts that are written or merged from now on; older parts are read without."""
    added = [(name, kind) for name, kind in table.indexes.items() if _index(name) not in made]
    alter = f"ALTER TABLE {DATABASE}.{table.name} ADD INDEX IF NOT EXISTS"
    return "".join(f"{alter} {name} {kind};\n" for name, kind in added)


def _projections(table: Table, made: Mapping[str, str]) -> str:
    """Projections of all parts, old ones in the background; only then go those that are no longer wanted."""
    alter = f"ALTER TABLE {DATABASE}.{table.name}"
    new = {name: select for name, select in table.projections.items() if _projection(name) not in made}
    lines = [
        line
        for name, select in new.items()
        for line in (
            f"{alter} ADD PROJECTION IF NOT EXISTS {name} {select};\n",
            f"{alter} MATERIALIZE PROJECTION {name} SETTINGS mutations_sync = 0;\n",
        )
    ]
    if lines:
        lines.insert(
            0, f"{alter} MODIFY SETTING {', '.join(f'{name} = {value}' for name, value in PROJECTED.items())};\n"
        )
    gone = [name for name in made if name.startswith(_projection("")) and name not in _named(table)]
    return "".join([*lines, *(f"{alter} DROP {name.replace(' ', ' IF EXISTS ')};\n" for name in gone)])


def _named(table: Table) -> dict[str, str]:
    """All that a table has, under the names that `made_by` gives."""
    indexes = {_index(name): kind for name, kind in table.indexes.items()}
    return {**table.columns, **indexes, **{_projection(name): select for name, select in table.projections.items()}}


def _projection(name: str) -> str:
    return f"PROJECTION {name}"


def _index(name: str) -> str:
    return f"INDEX {name}"
