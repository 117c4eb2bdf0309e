"""Sums by day and recent minutes by time: what the engine keeps of the rows is what the rows add up to."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.catalogue import measures
from hotline.columns import TIME
from hotline.names import DATABASE, SUMS_DAY
from hotline.subjects import TICKETS
from sinks.inserting import Insert, columns_of, send
from sinks.migrations import apply, migrations
from sinks.tables import tables
from tests.sinks.sinking import ZONE, EngineProcess, wait_until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from clickhouse_connect.driver.client import Client

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
MADE_BY = next(one for one in migrations() if "ADD PROJECTION" in one.text)
COLUMNS = [measure.column for measure in measures(TICKETS)]
TABLES = (TICKETS.sums_table, TICKETS.recent_table)
BY_DAY, BY_TIME = (next(iter(tables()[table].projections)) for table in TABLES)


def asked(there: Collection[str] = COLUMNS) -> str:
    """Ask as boards do, by the day and nothing else of `at`; 0 of what an older database has no column of."""
    sums = ", ".join(f"sum({column})" if column in there else "0" for column in COLUMNS)
    return (
        f"SELECT scope_kind, {SUMS_DAY} AS day, scope, {sums} FROM {DATABASE}.{TICKETS.sums_table} "  # noqa: S608
        f"WHERE {SUMS_DAY} < toDate32('2200-01-01') GROUP BY scope_kind, day, scope ORDER BY ALL"
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as started:
        yield started


@pytest.fixture
def client(engine: EngineProcess) -> Iterator[Client]:
    with engine.client() as opened:
        opened.command("DROP DATABASE IF EXISTS hotline")
        yield opened


def some(draw: random.Random) -> pl.DataFrame:
    """Give changes of sums, cells and zeros twice among them, as optimize_on_insert = 0 leaves them."""
    count = 300
    at = [NOW - timedelta(minutes=draw.randrange(3 * 1440)) for _ in range(count)]
    cell = {"scope_kind": draw.choices(["line", "district"], k=count), "scope": draw.choices(["", "a", "b"], k=count)}
    sums = {column: [draw.randrange(-1, 3) for _ in range(count)] for column in COLUMNS}
    return pl.DataFrame({**cell, "at": at, **sums}).with_columns(pl.col("at").cast(TIME))


def store(client: Client, frame: pl.DataFrame, token: str, *, times: int = 1) -> None:
    for table in TABLES:
        for _ in range(times):
            columns = columns_of(client, table)  # an older database has fewer
            kept = frame.select(name for name in frame.columns if name in columns)
            send(client, Insert.of(table, f"{token}/{table}", kept), columns, epoch=1)


def of_rows(client: Client) -> list[Any]:
    """Give the sums by day that the rows add up to."""
    there = columns_of(client, TICKETS.sums_table)
    return list(client.query(asked(there), settings={"optimize_use_projections": 0}).result_rows)


def by_day(client: Client) -> list[Any]:
    """Give them out of the projection; an error of the engine where it cannot be used."""
    return list(client.query(asked(), settings={"force_optimize_projection_name": BY_DAY}).result_rows)


def check_by_time(client: Client) -> None:
    """The recent minutes by time are the same rows; read by hand, since so few are no reason for the engine."""
    columns = ", ".join(["scope_kind", "scope", "at", *COLUMNS])
    kept = f"mergeTreeProjection('{DATABASE}', '{TICKETS.recent_table}', '{BY_TIME}')"
    found = [
        client.query(f"SELECT {columns} FROM {source} ORDER BY ALL").result_rows  # noqa: S608
        for source in (kept, f"{DATABASE}.{TICKETS.recent_table}")
    ]
    assert found[0] == found[1] != []


def whole(client: Client) -> bool:
    """Every part has its projection."""
    parts = "SELECT count() FROM system.{} WHERE active AND database = 'hotline' AND table IN {tables:Array(String)}"
    counts = [
        client.query(parts.replace("{}", kind), parameters={"tables": list(TABLES)}).result_rows[0][0]
        for kind in ("parts", "projection_parts")
    ]
    return bool(counts[0] == counts[1] > 0)


def test_sums_that_stood_before_the_upgrade_are_kept_by_day_and_by_time_after_it(client: Client) -> None:
    apply(client, ZONE, wanted=[one for one in migrations() if one.name < MADE_BY.name])
    store(client, some(random.Random(1)), "before")
    before = of_rows(client)
    apply(client, ZONE)
    wait_until(lambda: whole(client))
    assert by_day(client) == of_rows(client) == before != []
    check_by_time(client)


def test_what_is_inserted_twice_and_merged_is_kept_once(client: Client) -> None:
    apply(client, ZONE)
    draw, expected = random.Random(2), pl.DataFrame()
    for number in range(4):
        block = some(draw)
        expected = pl.concat([expected, block])
        store(client, block, f"block/{number}", times=2)
        if number == 1:
            merge(client)
    assert not whole(client), "parts of every age are asked"
    assert [list(row[len(KEY) :]) for row in by_day(client)] == [list(row) for row in added_up(expected).iter_rows()]
    assert by_day(client) == of_rows(client)
    merge(client)
    assert whole(client)
    assert [list(row[len(KEY) :]) for row in by_day(client)] == [list(row) for row in added_up(expected).iter_rows()]
    check_by_time(client)


KEY = ("scope_kind", "day", "scope")


def added_up(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up by local day, scope by scope, in the order in which the engine is asked."""
    day = pl.col("at").dt.convert_time_zone(ZONE).dt.date().alias("day")
    return frame.group_by("scope_kind", day, "scope").agg(pl.col(COLUMNS).sum()).sort(KEY).drop(KEY)


def merge(client: Client) -> None:
    """Merge all parts of a table, after those without its projection have it: they are not merged with others."""
    for table, projection in zip(TABLES, (BY_DAY, BY_TIME), strict=True):
        alter = f"ALTER TABLE {DATABASE}.{table} MATERIALIZE PROJECTION {projection} SETTINGS mutations_sync = 2"
        client.command(alter)
        client.command(f"OPTIMIZE TABLE {DATABASE}.{table} FINAL")
