"""A worker that starts again knows from the tables which of its dead letters still wait for their tickets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hotline.names import DATABASE, DEAD_LETTERS_TABLE
from hotline.pseudonyms import pseudonym
from hotline.subjects import TICKETS
from sinks.migrations import apply
from streams.intake.desk import RETIRED_S
from streams.intake.look_ups import StoredBirths
from streams.intake.recalling import StoredLetters
from tests.sinks.sinking import ZONE, EngineProcess
from tests.streams.intake_desks import KEY, LOG, NOW, WAIT_S, Sent, desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

MORNING = "2023-11-14T09:00:00+08:00"
HANDLED = {"type": "ticket.handled", "source": "crm", "occurred_at": "2023-11-14T10:00:00+08:00"}
BORN = datetime(2023, 11, 14, 1, tzinfo=UTC)
LETTERS = f"{DATABASE}.{DEAD_LETTERS_TABLE}"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process, process.client() as made:
        apply(made, ZONE)
        yield made


def store(client: Client, sent: Sent, *, age_s: int = 0) -> None:
    """Put a desk's dead letters where the sink puts them."""
    columns = ["subject", "reason", "origin", "original", "set_aside_at"]
    at = int(client.query("SELECT toUnixTimestamp(now())").result_rows[0][0]) - age_s
    rows = [["tickets", row["problem"], row["origin"], row["original"], at] for row in sent.dead]
    client.insert(LETTERS, rows, column_names=columns)


def bring_tickets(client: Client, *entities: str) -> None:
    """Store tickets as another producer's blocks would be."""
    columns = ["source", "entity", "born_at"]
    client.insert(f"{DATABASE}.{TICKETS.rows_table}", [["crm", e, BORN] for e in entities], column_names=columns)


def refused(client: Client, *events: Any, partition: int = 0) -> Sent:
    """A desk that waited for the tickets of events in vain."""
    sent = desk(StoredBirths(client))
    sent.bring(*events, partition=partition)
    sent.bring(now=NOW + WAIT_S)
    assert len(sent.dead) == len(events)
    return sent


def test_its_letters_are_sent_when_their_tickets_appear_and_not_again(client: Client) -> None:
    client.command(f"TRUNCATE TABLE {LETTERS}")
    person = {**HANDLED, "entity": "7", "type": "ticket.dispatched", "department": "水务局"}
    store(client, refused(client, person, {**HANDLED, "entity": "8"}))
    again = desk(StoredBirths(client), log=LOG + 1)
    again.desk.recall(StoredLetters(client)([0, 1]), NOW)
    again.bring(now=NOW)
    assert (again.good, again.dead, again.positions) == ([], [], {})
    bring_tickets(client, "7")
    again.bring(now=NOW + 30)
    assert [(row["entity"], row["department"], row["born_at"]) for row in again.good] == [("7", "水务局", BORN)]
    again.bring(now=NOW + 60)
    assert (len(again.good), again.dead) == (1, [])


def test_callers_in_them_stay_the_pseudonyms_that_they_are(client: Client) -> None:
    client.command(f"TRUNCATE TABLE {LETTERS}")
    store(client, refused(client, {**HANDLED, "type": "call.answered", "entity": "c", "operator": "Li Lei"}))
    ((arrival, _),) = StoredLetters(client)([0])
    assert (arrival.event.operator, arrival.made) == (pseudonym("Li Lei", KEY), True)


def test_only_what_is_its_own_and_younger_than_an_hour_waits_on(client: Client) -> None:
    client.command(f"TRUNCATE TABLE {LETTERS}")
    for age_s, entity in ((int(RETIRED_S) + 60, "old"), (600, "older"), (0, "new")):
        store(client, refused(client, {**HANDLED, "entity": entity}), age_s=age_s)
    store(client, refused(client, {**HANDLED, "entity": "of another worker"}, partition=1))
    wrong = desk()
    wrong.bring({**HANDLED, "entity": "wrong", "occurred_at": "yesterday"})
    store(client, wrong)
    found = [(arrival.event.entity, age_s) for arrival, age_s in StoredLetters(client)([0, 2])]
    assert [entity for entity, _ in found] == ["older", "new"]
    assert found[0][1] >= 600


def test_one_that_is_refused_for_another_reason_then_says_where_it_stood_at_first(client: Client) -> None:
    client.command(f"TRUNCATE TABLE {LETTERS}")
    tomorrow = datetime.fromtimestamp(NOW + 86_400, UTC).isoformat()
    store(client, refused(client, {**HANDLED, "entity": "9", "occurred_at": tomorrow}))
    again = desk(StoredBirths(client), log=LOG + 1)
    again.desk.recall(StoredLetters(client)([0]), NOW)
    bring_tickets(client, "9")
    again.bring({**HANDLED, "entity": "7", "born_at": MORNING})
    assert [(row["problem"], row["origin"]) for row in again.dead] == [("future_time", f"hotline.intake/0/{LOG}/0")]
    assert again.positions == {0: 1}
