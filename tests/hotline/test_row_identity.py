"""A row is found by its identity: exactly that birth, and by the key of its table instead of a search through it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from hotline.catalogue import KPIS
from hotline.periods import parse
from hotline.queries import Identity, Question, QuestionError, behind_row, events_of, parse_identity
from hotline.subjects import CALLS
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.queries.behind import Listing

SHANGHAI = ZoneInfo("Asia/Shanghai")
BIRTH = datetime(2023, 5, 1, tzinfo=UTC)
ROWS = 400_000
STEP_S = 30
TWICE = 17
"""A call whose id comes again, that many rows later, with a birth of its own."""
KPI = KPIS["calls_offered"]
QUESTION = Question(kpis=(KPI,), period=parse("2023", zone=SHANGHAI, now=BIRTH))
GRANULE = 8192
PARTITIONS = 2


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with engine(tmp_path_factory.mktemp("identity"), SHANGHAI.key) as settings, migrated(settings) as found:
        born = f"toDateTime({int(BIRTH.timestamp())} + number * {STEP_S})"
        call = f"number % {PARTITIONS}, 'city', 'call@' || toString(number % {ROWS - TWICE}), {born}"
        for table, column, rest in (
            (CALLS.events_table, "type, occurred_at, schema", f"'call.offered', {born}, 1"),
            (CALLS.rows_table, "direction, offered_at, version", f"'inbound', {born}, 1"),
        ):
            found.command(
                f"INSERT INTO hotline.{table} (partition, source, entity, born_at, {column}) "  # noqa: S608
                f"SELECT {call}, {rest} FROM numbers({ROWS})"
            )
        yield found


def born_s(number: int) -> int:
    return int(BIRTH.timestamp()) + number * STEP_S


def read(client: Client, listing: Listing) -> tuple[list[int], int]:
    """The births found, and how many rows the engine read for them."""
    place = [column.name for column in listing.columns].index("born_at")
    answered = client.query(listing.statement.sql, parameters=dict(listing.statement.parameters))
    return [int(row[place]) for row in answered.result_rows], int(answered.summary["read_rows"])


def test_a_row_named_with_its_birth_is_found_by_the_key(client: Client) -> None:
    one = Identity("city", "call@200001", born_s(200_001))
    for listing in (behind_row(QUESTION, one), events_of(KPI, one)):
        births, rows_read = read(client, listing)
        assert births == [born_s(200_001)]
        assert rows_read <= 2 * PARTITIONS * GRANULE < ROWS / 10


def test_the_events_of_a_bare_id_are_found_by_the_births_of_its_rows(client: Client) -> None:
    births, rows_read = read(client, events_of(KPI, Identity("city", "call@200001")))
    assert births == [born_s(200_001)]
    assert rows_read < 1.2 * ROWS, "all rows are searched, their events are not"


def test_of_an_id_that_was_born_twice_the_birth_chooses_one(client: Client) -> None:
    births = [born_s(5), born_s(5 + ROWS - TWICE)]

    def found(birth: int | None) -> list[list[int]]:
        one = Identity("city", "call@5", birth)
        return [read(client, listing)[0] for listing in (behind_row(QUESTION, one), events_of(KPI, one))]

    assert found(None) == [births, births]
    for birth in births:
        assert found(birth) == [[birth], [birth]]
    assert found(births[0] + 1) == [[], []]


@pytest.mark.parametrize("entity", ["7", "a/b", "a@b", "a@2023-05-01", "@", "a@2023-05-01T08:00:00", "呼@入"])
@pytest.mark.parametrize("birth", [None, 1, 1_699_165_800, 1_699_169_400])
def test_an_identity_is_read_as_it_was_written(entity: str, birth: int | None) -> None:
    one = Identity("city", entity, birth)
    assert parse_identity(one.text(ZoneInfo("America/New_York"))) == one  # also in the hour that comes twice


def test_what_names_no_source_is_refused() -> None:
    with pytest.raises(QuestionError, match="SOURCE/ENTITY@BIRTH"):
        parse_identity("7@2023-05-01T08:00:00+08:00")
