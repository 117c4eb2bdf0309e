"""Checks of what is stored: silent on what is sound, and every gap, double and impossible life is counted."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from deploy.brokers import EmbeddedBroker
from hotline.catalogue import KPIS, Stock, measures
from hotline.names import ACCOUNTS_TABLE, DATABASE, EVENTS_TOPICS
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from hotline.windows import DAY_S
from sinks.checkup import ODDITIES, chains, events_lost, marks_off, odd_lives, stocks, stored_span, without_deadline
from sinks.checkup.sources import Chain
from sinks.difference import instant
from sinks.reconcile import reconcile
from tests.hotline.random_events import BIRTHS
from tests.sinks.cities import ENTITIES, City
from tests.sinks.sinking import EngineProcess, stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from clickhouse_connect.driver.client import Client

Piece = tuple[str, int, int, int, int, int, bool]
ACCOUNTS = f"{DATABASE}.{ACCOUNTS_TABLE}"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process, process.client() as client:
        yield City(client, "Asia/Shanghai")


def _log(draw: random.Random, topic: str, partition: int, log: int) -> list[Piece]:
    """Pieces of random records: some in slices, the last one not at its end."""
    found: list[Piece] = []
    for offset in range(30):
        size, first = draw.choice([0, 1, 7, 100]), 0
        while draw.random() < 0.4 and first < size:
            last = draw.randint(first + 1, size)
            found.append((topic, partition, log, offset, first, last, last == size))
            first = last
        if first < size or not size:
            found.append((topic, partition, log, offset, first, size, True))
    return [*found, (topic, partition, log, 30, 0, 5, False)]


def _store(client: Client, pieces: list[Piece]) -> None:
    client.command(f"TRUNCATE TABLE {ACCOUNTS}")
    columns = ["topic", "partition", "log", "offset", "first", "last", "final", "counted"]
    rows = [[*piece, piece[5] - piece[4]] for piece in pieces]
    client.insert(ACCOUNTS, rows, column_names=columns)


def _logs(seed: int) -> list[Piece]:
    draw = random.Random(seed)
    topics = list(EVENTS_TOPICS.values())
    return [
        piece for topic in topics for number in range(2) for log in (1, 2) for piece in _log(draw, topic, number, log)
    ]


def _unsound(client: Client) -> list[Chain]:
    return [chain for chain in chains(client) if not chain.sound]


@pytest.mark.parametrize("seed", range(3))
def test_gaps_and_doubles_are_counted_and_nothing_else(city: City, seed: int) -> None:
    pieces = _logs(seed)
    _store(city.client, pieces)
    assert (len(chains(city.client)), _unsound(city.client)) == (8, [])
    assert sum(chain.outputs for chain in chains(city.client)) == len(pieces)
    draw = random.Random(seed)
    in_log_2 = [place for place, piece in enumerate(pieces) if piece[:3] == (EVENTS_TOPICS["calls"], 1, 2)]
    place = draw.choice(in_log_2[:-1])
    _store(city.client, pieces[:place] + pieces[place + 1 :])
    assert [(chain.topic, chain.partition, chain.log) for chain in _unsound(city.client)] == [pieces[place][:3]]
    assert [(chain.gaps, chain.doubles) for chain in _unsound(city.client)] == [(1, 0)]
    twice = draw.choice([place for place in in_log_2 if pieces[place][5]])
    _store(city.client, [*pieces, pieces[twice]])
    assert [(chain.gaps, chain.doubles) for chain in _unsound(city.client)] == [(0, 1)]


def test_a_log_that_does_not_begin_at_its_beginning_has_a_gap(city: City) -> None:
    pieces = _log(random.Random(1), EVENTS_TOPICS["calls"], 0, 1)
    _store(city.client, pieces[3:])
    assert [(chain.gaps, chain.doubles) for chain in _unsound(city.client)] == [(1, 0)]


def test_a_piece_with_other_verdicts_than_events_is_counted(city: City) -> None:
    _store(city.client, _log(random.Random(1), EVENTS_TOPICS["calls"], 0, 1))
    city.client.command(
        f"INSERT INTO {ACCOUNTS} (topic, log, offset, first, last, final, counted) VALUES "  # noqa: S608
        f"('{EVENTS_TOPICS['calls']}', 1, 30, 5, 6, true, 2)"
    )
    assert [(chain.gaps, chain.doubles, chain.uneven) for chain in _unsound(city.client)] == [(0, 0, 1)]


def test_random_lives_are_odd_in_many_ways_and_never_impossible(city: City) -> None:
    found = odd_lives(city.client)
    assert [odd for odd in found if odd.impossible] == []
    assert len(found) >= 8
    assert {odd.subject for odd in found} == set(SUBJECTS)
    for odd in found:
        (kind,) = [kind for kind in ODDITIES if (kind.subject, kind.name) == (odd.subject, odd.name)]
        rows = city.rows(SUBJECTS[odd.subject], kind.where)
        assert len(rows) == odd.count
        assert any(odd.example.startswith(f"{row['source']}/{row['entity']}@") for row in rows)


def test_every_impossible_life_is_found(city: City) -> None:
    times = {name for kind in ODDITIES for name in kind.where.split() if name.endswith("_at")}
    assert len(times) > 5
    client = city.client
    wrong: dict[str, Any] = {"calls": "wait_s = -1", "tickets": "handled = NOT handled"}
    for subject, change in wrong.items():
        client.command(
            f"ALTER TABLE {DATABASE}.{subject} UPDATE {change} WHERE entity = '3'", settings={"mutations_sync": 1}
        )
    impossible = [(odd.subject, odd.name, odd.count) for odd in odd_lives(client) if odd.impossible]
    assert impossible == [("calls", "wait_s < 0", 1), ("tickets", "handled != isNotNull(handled_at)", 1)]


def test_stocks_are_what_is_open_until_a_sum_is_wrong(city: City) -> None:
    found = stocks(city.client)
    assert {stock.kpi for stock in found} == {name for name, kpi in KPIS.items() if isinstance(kpi.numerator, Stock)}
    assert all(stock.by_sums == stock.by_rows for stock in found), found
    assert sum(stock.by_rows > 0 for stock in found) >= 3
    queued = next(measure for measure in measures(CALLS) if measure.name == "queued")
    city.add_to_sum(CALLS, ("all", ""), BIRTHS[0], queued.column, 1)
    assert [stock.kpi for stock in stocks(city.client) if stock.by_sums != stock.by_rows] == ["calls_waiting"]


def test_a_ticket_that_the_rule_was_asked_for_in_vain_lacks_its_deadline_until_it_is_folded_again(city: City) -> None:
    assert without_deadline(city.client) is None
    columns = ["source", "entity", "born_at", "dispatched_at", "due_at", "rule_version", "version"]
    born, due = BIRTHS[0], BIRTHS[0] + timedelta(days=400)

    def store(*rows: tuple[str, datetime | None, int, int]) -> None:
        given = [["late", entity, born, born, due_at, rule, version] for entity, due_at, rule, version in rows]
        city.client.insert(f"{DATABASE}.{TICKETS.rows_table}", given, column_names=columns)

    store(("by the rule", due, 1, 1), ("no term fits", None, 0, 1))
    assert without_deadline(city.client) is None
    store(("1", None, 1, 1), ("2", None, 1, 1))
    found = without_deadline(city.client)
    assert found is not None
    assert (found.count, found.example, found.dispatched_on) == (
        2,
        "late/1",
        str(born.astimezone(ZoneInfo(city.zone)).date()),
    )
    store(("1", due, 1, 2), ("2", due, 1, 2))
    assert without_deadline(city.client) is None
    where = "source = 'late'"
    city.client.command(
        f"ALTER TABLE {DATABASE}.{TICKETS.rows_table} DELETE WHERE {where}", settings={"mutations_sync": 1}
    )


def test_all_that_is_stored_lies_in_the_stored_span(city: City) -> None:
    span = stored_span(city.client)
    assert span is not None
    whole, more = (
        reconcile(city.client, instant(span[0] - days * DAY_S), instant(span[1] + days * DAY_S), city.zone)
        for days in (0, 300)
    )
    assert (whole.cells, whole.rows, whole.events) == (more.cells, more.rows, more.events)
    assert whole.rows == 2 * ENTITIES


def test_what_the_sink_stored_is_sound_and_its_marks_and_events_fit(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker, stack_on(broker, tmp_path) as stack:
        sink = stack.sink()
        sink.start()
        for _ in range(3):
            stack.send(stack.outputs.round())
        stack.await_stored(sink)
        with stack.engine.client() as client:
            assert [(chain.outputs, chain.uneven) for chain in chains(client)] == [(3, 0)] * 4
            assert (_unsound(client), marks_off(client), events_lost(client)) == ([], [], [])
            where = f"topic = '{EVENTS_TOPICS['tickets']}' AND partition = 1 AND offset = 2"
            client.command(f"ALTER TABLE {ACCOUNTS} DELETE WHERE {where}", settings={"mutations_sync": 1})
            (off,) = marks_off(client)
            assert (off.topic, off.partition) == (EVENTS_TOPICS["tickets"], 1)
            assert ("offset 2" in off.mark, "offset 1" in off.account) == (True, True)
            (lost,) = events_lost(client)
            assert (lost.table, lost.stored - lost.accounted) == (TICKETS.events_table, 10)
