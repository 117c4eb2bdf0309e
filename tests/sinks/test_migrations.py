"""Migrations: the database they make is the one that structs, rows and the catalogue ask for."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, get_type_hints

import pytest

from hotline.blocks import REJECT_COLUMNS, columns
from hotline.catalogue import measures
from hotline.contributions import sums_schema
from hotline.rows import Call, Ticket
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from sinks.logs import current_logs, number_logs, register_logs
from sinks.migrations import Migration, MigrationError, apply, database_zone, migrations
from sinks.migrations.generate import made_by, missing, write_next
from sinks.table import PROJECTED
from sinks.tables import tables
from sinks.writer.store import AWAY
from tests.sinks.sinking import ZONE, EngineProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clickhouse_connect.driver.client import Client


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as started:
        yield started


@pytest.fixture
def client(engine: EngineProcess) -> Iterator[Client]:
    """Give the writer an engine without a database."""
    with engine.client() as opened:
        opened.command("DROP DATABASE IF EXISTS hotline")
        yield opened


def found(client: Client) -> dict[str, dict[str, str]]:
    rows = client.query("SELECT table, name, type FROM system.columns WHERE database = 'hotline'").result_rows
    made: dict[str, dict[str, str]] = {}
    for table, name, kind in rows:
        made.setdefault(table, {})[name] = kind
    return made


def test_the_migrated_database_has_every_declared_column_and_no_other(client: Client) -> None:
    assert apply(client, ZONE) == [migration.name for migration in migrations()]
    made = found(client)
    made.pop("migrations")
    declared = {
        name: {column: kind.replace("{zone}", ZONE).partition(" DEFAULT")[0] for column, kind in table.columns.items()}
        for name, table in tables().items()
    }
    assert made == declared


@pytest.mark.parametrize(("subject", "row"), [(CALLS, Call), (TICKETS, Ticket)])
def test_tables_are_the_structs_the_rows_and_the_catalogue(subject: object, row: type) -> None:
    assert subject in SUBJECTS.values()
    known = next(one for one in SUBJECTS.values() if one is subject)
    wanted = {name: set(table.columns) for name, table in tables().items()}
    assert wanted[known.events_table] == {"partition"} | (set(columns(known)) - set(REJECT_COLUMNS))
    assert wanted[known.rows_table] == {"partition"} | set(get_type_hints(row))
    assert wanted[known.sums_table] == set(sums_schema(known))
    assert {measure.column for measure in measures(known)} < wanted[known.sums_table]


def test_the_files_make_what_is_declared(tmp_path: Path) -> None:
    assert missing(made_by(migrations()), tables()) == "", "run: python -m sinks.migrations new"
    for migration in migrations():
        (tmp_path / migration.name).write_text(migration.text)
    assert write_next(tmp_path) is None


def test_a_new_column_is_a_new_file_and_no_old_one_changes(client: Client, tmp_path: Path) -> None:
    calls = tables()["minute_sums_calls"]
    gone = list(calls.columns)[-1]
    columns = {name: kind for name, kind in calls.columns.items() if name != gone}
    (name, select) = next(iter(calls.projections.items()))
    older = replace(calls, columns=columns, projections={"by_day_older": select.replace(f", sum({gone})", "")})
    first = missing({}, tables() | {"minute_sums_calls": older})
    (tmp_path / "0001_tables.sql").write_text(first)
    path = write_next(tmp_path, title="more")
    assert path == tmp_path / "0002_more.sql"
    settings = ", ".join(f"{setting} = {value}" for setting, value in PROJECTED.items())
    assert path.read_text().splitlines() == [
        f"ALTER TABLE hotline.minute_sums_calls {what};"
        for what in (
            f"ADD COLUMN IF NOT EXISTS {gone} Int64",
            f"MODIFY SETTING {settings}",
            f"ADD PROJECTION IF NOT EXISTS {name} {select}",
            f"MATERIALIZE PROJECTION {name} SETTINGS mutations_sync = 0",
            "DROP PROJECTION IF EXISTS by_day_older",
        )
    ]
    assert (tmp_path / "0001_tables.sql").read_text() == first
    apply(client, ZONE, wanted=migrations(tmp_path)[:1])
    assert gone not in found(client)["minute_sums_calls"]
    assert apply(client, ZONE, wanted=migrations(tmp_path)) == ["0002_more.sql"]
    assert found(client)["minute_sums_calls"][gone] == "Int64"
    kept = "SELECT name FROM system.projections WHERE database = 'hotline' AND table = 'minute_sums_calls'"
    assert client.query(kept).result_rows == [(name,)]


def test_a_column_cannot_change_its_type() -> None:
    made = made_by(migrations())
    made["calls"]["wait_s"] = "String"
    with pytest.raises(ValueError, match=r"calls\.wait_s was made as String"):
        missing(made, tables())


def test_applying_again_does_nothing(client: Client) -> None:
    assert apply(client, ZONE)
    assert apply(client, ZONE) == []
    assert client.query("SELECT count() FROM hotline.migrations").result_rows == [(1 + len(migrations()),)]


def test_a_crash_between_two_statements_is_made_good(client: Client) -> None:
    whole = migrations()[0]
    broken = Migration(whole.name, whole.text[: len(whole.text) // 2].rpartition(";\n")[0] + ";\nNONSENSE;\n")
    with pytest.raises(Exception, match="NONSENSE"):
        apply(client, ZONE, wanted=[broken])
    assert set(found(client)) < {*tables(), "migrations"}
    apply(client, ZONE)
    assert set(found(client)) == {*tables(), "migrations"}


def test_an_engine_killed_in_the_middle_of_its_migrations_has_all_tables_in_the_end(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path)
    draw, killed = random.Random(5), 0
    try:
        for _ in range(2):
            engine.start()
            end = threading.Timer(draw.uniform(0.0, 0.06), engine.kill)
            end.start()
            try:
                with engine.client() as dying:
                    apply(dying, ZONE)
            except AWAY:
                killed += 1
            end.join()
        engine.start()
        with engine.client() as client:
            apply(client, ZONE)
            assert set(found(client)) == {*tables(), "migrations"}
            assert client.query("SELECT count(), uniq(name) FROM hotline.migrations").result_rows == [
                (1 + len(migrations()),) * 2
            ]
    finally:
        engine.kill()
    assert killed, "no kill fell into a migration"


def test_a_changed_file_is_an_error_that_names_it(client: Client) -> None:
    apply(client, ZONE)
    edited = [Migration(one.name, one.text + "\n") for one in migrations()]
    with pytest.raises(MigrationError, match=r"0001_tables\.sql changed after it was applied"):
        apply(client, ZONE, wanted=edited)


def test_what_a_newer_program_added_is_left_alone(client: Client) -> None:
    apply(client, ZONE)
    assert apply(client, ZONE, wanted=migrations()[:-1]) == []


def test_a_database_of_another_program_is_refused(client: Client) -> None:
    apply(client, ZONE)
    with pytest.raises(MigrationError, match=r"0001_tables\.sql was applied to this database and is not here"):
        apply(client, ZONE, wanted=migrations()[1:])
    with pytest.raises(MigrationError, match=r"0001_tables\.sql was applied to this database and is not here"):
        apply(client, ZONE, wanted=[])


def test_another_zone_is_refused_with_both_names(client: Client) -> None:
    assert database_zone(client) is None
    apply(client, ZONE)
    assert database_zone(client) == ZONE
    with pytest.raises(MigrationError, match="made for the zone Asia/Shanghai, not Europe/Paris"):
        apply(client, "Europe/Paris")
    with pytest.raises(ValueError, match="unknown zone 'Asia/Shanghia'; use an IANA name such as Asia/Shanghai"):
        apply(client, "Asia/Shanghia")


REPEATABLE = ("IF NOT EXISTS", "DROP PROJECTION IF EXISTS", "MODIFY SETTING", "MATERIALIZE PROJECTION")


def test_every_statement_may_be_repeated() -> None:
    for migration in migrations():
        for statement in migration.statements(ZONE):
            assert any(words in statement for words in REPEATABLE), statement


def test_two_who_register_a_log_at_once_get_two_numbers(engine: EngineProcess, client: Client) -> None:
    apply(client, ZONE)

    def register(_: int) -> int:
        with engine.client() as own:
            return register_logs(own, ["a"])["a"]

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(register, range(8)))
    assert sorted(numbers) == sorted(set(numbers))
    assert current_logs(client) == {"a": max(numbers)}
    sql = "SELECT count(), uniqExact(log) FROM hotline.logs"
    assert client.query(sql).result_rows == [(max(numbers), max(numbers))], "a number says one thing"


def test_a_cluster_keeps_its_log_numbers_and_another_one_begins_new_ones(client: Client) -> None:
    apply(client, ZONE)
    assert number_logs(client, ["a", "b"], "first") == {"a": 1, "b": 1}
    assert number_logs(client, ["a", "b", "c"], "first") == {"a": 1, "b": 1, "c": 1}
    assert number_logs(client, ["a", "b"], "second") == {"a": 2, "b": 2}
    assert number_logs(client, ["c"], "first") == {"c": 1}
