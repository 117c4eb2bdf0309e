"""An engine for each module of tests of the door, with small bounds, and a table for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sinks.engines import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    bounds = ("--reader-seconds", "1", "--reader-mib", "64", "--light-mib", "32", "--body-mib", "32")
    with running(tmp_path_factory.mktemp("engine"), *bounds) as started:
        yield started


@pytest.fixture
def writer(engine: Running) -> Iterator[Client]:
    with engine.client() as client:
        yield client


@pytest.fixture
def reader(engine: Running) -> Iterator[Client]:
    with engine.client("reader") as client:
        yield client


@pytest.fixture
def table(writer: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make an empty table with one partition for each value of `a % 12`, which remembers tokens."""
    name = "t_" + "".join(c if c.isalnum() else "_" for c in request.node.name)[:60]
    writer.command(
        f"CREATE TABLE {name} (a UInt64, b LowCardinality(String)) ENGINE = MergeTree PARTITION BY a % 12 ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1"
    )
    writer.command(f"SYSTEM STOP MERGES {name}")
    yield name
    writer.command(f"DROP TABLE {name}")
