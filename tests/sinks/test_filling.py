"""Columns of sums that are new: filled once, by what their rows give, and told to be filled when they are."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from hotline import filled
from hotline.catalogue import measures
from hotline.holding import no_hold
from hotline.names import DATABASE, FILLED_COLUMNS_TABLE
from hotline.subjects import SUBJECTS, TICKETS
from sinks.migrations import apply, migrations
from sinks.repair import fill, filling, repairing, unfilled
from sinks.tables import tables
from tests.sinks.cities import City
from tests.sinks.sinking import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure

ZONE = "Asia/Shanghai"
NEW = measures(TICKETS)[2]
"""Stands for a measure that is new."""
TABLES = (TICKETS.sums_table, TICKETS.recent_table)
ONLY_NEW = {table: [NEW] for table in TABLES}
ALL_COLUMNS = {
    (table, measure.column)
    for subject in SUBJECTS.values()
    for table in (subject.sums_table, subject.recent_table)
    for measure in measures(subject)
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process:
        yield process


@pytest.fixture
def city(engine: EngineProcess) -> Iterator[City]:
    with engine.client() as client:
        yield City(client, ZONE, anew=True)


def _filled(client: Client) -> set[tuple[str, str]]:
    return set(filled.columns(client.query(filled.FILLED_SQL).result_rows))


def _drop(client: Client) -> None:
    """Make the new column anew, as a migration does."""
    for table in TABLES:
        for projection in tables()[table].projections:  # which has the column, too
            client.command(f"ALTER TABLE {DATABASE}.{table} DROP PROJECTION {projection} SETTINGS mutations_sync = 2")
        client.command(f"ALTER TABLE {DATABASE}.{table} DROP COLUMN {NEW.column} SETTINGS mutations_sync = 2")
        client.command(f"ALTER TABLE {DATABASE}.{table} ADD COLUMN {NEW.column} Int64")
    client.command(
        f"ALTER TABLE {DATABASE}.{FILLED_COLUMNS_TABLE} DELETE WHERE sums_column = '{NEW.column}' "
        "SETTINGS mutations_sync = 2"
    )


def _lack(client: Client) -> None:
    """Tell, as the sink does, that an output without the column was stored."""
    for table in TABLES:
        client.insert(
            f"{DATABASE}.{FILLED_COLUMNS_TABLE}",
            [[table, NEW.column, filled.LACKING, 0]],
            column_names=["sums_table", "sums_column", "told", "lacked"],
            settings={"insert_deduplication_token": uuid.uuid4().hex},
        )


def _wanted(client: Client) -> dict[str, list[Measure]]:
    return {kept.table: missing for kept, missing in unfilled(client).items()}


def test_what_is_made_when_something_is_stored_is_not_filled(city: City) -> None:
    assert _filled(city.client) == ALL_COLUMNS, "made while nothing was stored"
    _drop(city.client)
    apply(city.client, ZONE)
    assert _filled(city.client) == {one for one in ALL_COLUMNS if one[1] != NEW.column}
    assert _wanted(city.client) == ONLY_NEW


def test_a_database_that_first_learns_of_filling_is_filled(city: City) -> None:
    city.client.command(f"DROP TABLE {DATABASE}.{FILLED_COLUMNS_TABLE}")
    made_by = next(one for one in migrations() if FILLED_COLUMNS_TABLE in one.text)
    city.client.command(
        f"ALTER TABLE {DATABASE}.migrations DELETE WHERE name = '{made_by.name}' SETTINGS mutations_sync = 2"
    )
    assert apply(city.client, ZONE) == [made_by.name]
    assert _filled(city.client) == ALL_COLUMNS


def test_a_new_column_is_filled_with_what_its_rows_give_and_nothing_else_moves(city: City) -> None:
    assert city.reconcile().equal
    _drop(city.client)
    lacking = city.reconcile()
    assert {one.measure for one in lacking.sums} == {NEW.name}
    assert len(lacking.notes) == 1
    assert NEW.column in lacking.notes[0]
    lines = fill(city.client, unfilled(city.client), ZONE, hold=no_hold)
    assert sum(line.sums for line in lines) >= lacking.sums_differ > 0
    assert city.reconcile().equal
    assert _filled(city.client) == ALL_COLUMNS
    assert fill(city.client, unfilled(city.client), ZONE, hold=no_hold) == []


def test_a_column_that_lacked_something_meanwhile_is_not_filled(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    _lack(city.client)
    assert _wanted(city.client) == ONLY_NEW
    whole = repairing.repair_pieces

    def lacking_meanwhile(*args: Any, **more: Any) -> int:
        _lack(city.client)
        return whole(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(filling, "repair_pieces", lacking_meanwhile)
        fill(city.client, unfilled(city.client), ZONE, hold=no_hold)
    assert _wanted(city.client) == ONLY_NEW
    fill(city.client, unfilled(city.client), ZONE, hold=no_hold)
    assert _filled(city.client) == ALL_COLUMNS


def test_a_fill_that_is_interrupted_leaves_the_column_without_a_value(city: City) -> None:
    _drop(city.client)

    class EndedError(Exception):
        pass

    def ends(done: int, total: int, _: str) -> None:
        if done == total - 1:
            raise EndedError

    with pytest.raises(EndedError):
        fill(city.client, unfilled(city.client), ZONE, hold=no_hold, progress=ends)
    assert _wanted(city.client) == ONLY_NEW
    fill(city.client, unfilled(city.client), ZONE, hold=no_hold)
    assert city.reconcile().equal
    assert _filled(city.client) == ALL_COLUMNS
