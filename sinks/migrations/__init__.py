"""Migrations: numbered SQL files, applied in order and recorded; an applied file never changes.

Every statement ends with `;` at the end of a line and may be repeated (IF NOT EXISTS), because a crash may come between
two of them. `{zone}` stands for the hotline's zone, which is fixed when the database is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from hotline.names import DATABASE, FILLED_COLUMNS_TABLE, MIGRATIONS_TABLE
from hotline.subjects import SUBJECTS
from hotline.zone_names import zone as checked_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from clickhouse_connect.driver.client import Client

ZONE_RECORD = "0000_zone"
"""The first record: it holds the zone before any column depends on it."""
_RECORDS = f"{DATABASE}.{MIGRATIONS_TABLE}"
_BOOTSTRAP = (
    f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
    (
        f"CREATE TABLE IF NOT EXISTS {_RECORDS} (name String, sha256 String, zone String, "
        "applied_at DateTime('UTC') DEFAULT now()) ENGINE = MergeTree ORDER BY name "
        "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
    ),
)


class MigrationError(RuntimeError):
    """The database and the files do not fit; the message names the file or the zones, and the remedy."""


@dataclass(frozen=True)
class Migration:
    """One file: `0001_first.sql`."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, zone: str) -> list[str]:
        """Its statements, for a database of that zone."""
        cut = self.text.replace("{zone}", zone).split(";\n")
        return [statement.strip() for statement in cut if statement.strip()]


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """All files in order; `folder` is this package's unless another is given."""
    found = (folder or files(__name__)).iterdir()
    return sorted((Migration(f.name, f.read_text()) for f in found if f.name.endswith(".sql")), key=lambda m: m.name)


def apply(client: Client, zone: str, *, wanted: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is missing, in order; the names of what was applied. May be repeated, after a crash as well.

    What a newer program applied after the last file here is left alone: files only add, so this program may go on.

    Raises ValueError for an unknown zone; MigrationError for another zone than the database's, for a file that
    changed after it was applied, and for one that is applied and not there though later ones are.
    """
    name = checked_zone(zone).key
    for statement in _BOOTSTRAP:
        client.command(statement)
    applied = _applied(client)
    _keep_zone(client, name, applied)
    files_ = migrations() if wanted is None else list(wanted)
    _check(files_, _files_of(applied))
    _tell_filled(client)
    return [_run(client, migration, name) for migration in files_ if migration.name not in applied]


def pending(client: Client) -> list[Migration]:
    """The files that `apply` would apply, in order. Raises MigrationError as `apply` does, but for the zone."""
    applied = _applied(client) if int(str(client.command(f"EXISTS TABLE {_RECORDS}"))) else {}
    files_ = migrations()
    _check(files_, _files_of(applied))
    return [migration for migration in files_ if migration.name not in applied]


def database_zone(client: Client) -> str | None:
    """Return the zone the database was made with, None before it is made."""
    if not int(str(client.command(f"EXISTS TABLE {_RECORDS}"))):
        return None
    record = _applied(client).get(ZONE_RECORD)
    return record[1] if record else None


def _applied(client: Client) -> dict[str, tuple[str, str]]:
    found = client.query(f"SELECT name, sha256, zone FROM {_RECORDS} ORDER BY name").result_rows  # noqa: S608
    return {str(name): (str(sha256), str(zone)) for name, sha256, zone in found}


def _files_of(applied: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: sha256 for name, (sha256, _) in applied.items() if name != ZONE_RECORD}


def _tell_filled(client: Client) -> None:
    """Tell of columns of sums that they are filled: where no row is stored, and where nobody was ever told of any."""
    if not int(str(client.command(f"EXISTS TABLE {DATABASE}.{FILLED_COLUMNS_TABLE}"))):
        return
    rows, sums = ([getattr(subject, name) for subject in SUBJECTS.values()] for name in ("rows_table", "sums_table"))
    sums += [subject.recent_table for subject in SUBJECTS.values()]
    client.command(
        f"INSERT INTO {DATABASE}.{FILLED_COLUMNS_TABLE} (sums_table, sums_column, told, lacked) "  # noqa: S608 names of ours
        "SELECT table, name, 'filled', 0 FROM system.columns WHERE database = {database:String} "
        "AND table IN {sums:Array(String)} AND NOT is_in_sorting_key "
        f"AND (table, name) NOT IN (SELECT sums_table, sums_column FROM {DATABASE}.{FILLED_COLUMNS_TABLE}) AND ("
        f"(SELECT count() FROM {DATABASE}.{FILLED_COLUMNS_TABLE}) = 0 OR "
        "(SELECT sum(total_rows) FROM system.tables WHERE database = {database:String} AND name IN {rows:Array(String)}"
        ") = 0)",
        parameters={"database": DATABASE, "sums": sums, "rows": rows},
    )


def _keep_zone(client: Client, zone: str, applied: dict[str, tuple[str, str]]) -> None:
    if ZONE_RECORD not in applied:
        _record(client, ZONE_RECORD, "", zone)
    elif applied[ZONE_RECORD][1] != zone:
        raise MigrationError(
            f"the database was made for the zone {applied[ZONE_RECORD][1]}, not {zone}: its days cannot move; "
            f"set HOTLINE_ZONE={applied[ZONE_RECORD][1]}, or use another data folder"
        )


def _check(wanted: list[Migration], applied: dict[str, str]) -> None:
    there = {migration.name: migration for migration in wanted}
    newest = max(there, default="")
    for name, sha256 in applied.items():
        if name > newest and there:
            continue
        if name not in there:
            raise MigrationError(f"{name} was applied to this database and is not here: upgrade this program")
        if there[name].sha256 != sha256:
            raise MigrationError(f"{name} changed after it was applied: restore it, and write a new migration instead")


def _run(client: Client, migration: Migration, zone: str) -> str:
    for statement in migration.statements(zone):
        client.command(statement)
    _record(client, migration.name, migration.sha256, zone)
    _tell_filled(client)
    return migration.name


def _record(client: Client, name: str, sha256: str, zone: str) -> None:
    client.command(  # the client's own insert would import numpy for it
        f"INSERT INTO {_RECORDS} (name, sha256, zone) VALUES ({{name:String}}, {{sha256:String}}, {{zone:String}})",  # noqa: S608 names of ours
        parameters={"name": name, "sha256": sha256, "zone": zone},
    )
