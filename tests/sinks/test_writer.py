"""The sink, as a process, between a real broker and the real engine."""

from __future__ import annotations

import shutil
import signal
import threading
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import pytest

from deploy.brokers import EmbeddedBroker, KafkaBroker
from hotline import ipc
from hotline.catalogue import measures
from hotline.filled import FILLED_SQL, columns
from hotline.health import LAG_RECORDS, Fact, Teller
from hotline.measured import UNKNOWN
from hotline.names import (
    CALENDAR_DAYS_TABLE,
    HEALTH_TABLE,
    HEALTH_TOPIC,
    KEPT_TOPICS,
    KPIS_TABLE,
    MEASURED_TOPICS,
)
from hotline.subjects import CALLS
from hotline.working_time import chinese
from sinks.logs import number_logs
from sinks.tables import tables
from sinks.writer.store import Store
from streams.roll.publishing import Publisher
from tests.sinks.lossy import lossy_wire
from tests.sinks.sinking import PARTITIONS, Stack, stack_on, wait_until
from tests.streams.rolled import random_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start one stack for all tests that leave it whole, on a broker of its own, because topic names are fixed."""
    folder = tmp_path_factory.mktemp("sink")
    with EmbeddedBroker(folder / "broker") as broker, stack_on(broker, folder) as started:
        yield started


@pytest.fixture
def stack(shared: Stack) -> Iterator[Stack]:
    """Give the shared stack, without a sink."""
    yield shared
    shared.end_sinks()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Stack]:
    """Give a stack of its own to a test that breaks its log or its broker."""
    with EmbeddedBroker(tmp_path / "broker") as broker, stack_on(broker, tmp_path) as started:
        yield started


def test_every_row_is_stored_once(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    for _ in range(3):
        stack.send(stack.outputs.round())
    stack.await_stored(sink)
    assert stack.ask(f"SELECT any(calendar) FROM hotline.{CALENDAR_DAYS_TABLE}") == chinese().name  # noqa: S608


STEPS = [
    "spool",
    *(f"table:{name}" for name in ("call_events", "calls", "minute_sums_tickets", "dead_letters", "accounts")),
    "marks",
]


@pytest.mark.parametrize("table", ["call_events", "minute_sums_calls", "marks"])
def test_what_was_inserted_and_whose_answers_were_lost_is_stored_once(stack: Stack, table: str) -> None:
    """The answers to the insert and to its repetition are lost, after both took effect; the sink is the real process.

    Marks are repeated as they were: which insert of them stands cannot be told by their table alone.
    """
    marked = "SELECT count() = uniqExact(topic, partition, version, batch) FROM hotline.marks"
    with lossy_wire(stack.engine.port, f"INSERT INTO hotline.{table} (".encode(), times=2) as wire:
        sink = stack.sink(clickhouse_url=wire.url)
        sink.start()
        stack.send(stack.outputs.round())
        stack.await_stored(sink)
        assert (wire.left, stack.ask(marked)) == (0, 1)
        assert f" rows into {table}: " in sink.said()
        assert "the engine takes it again" in sink.said()


KEEPING = ["spool", f"table:{KPIS_TABLE}", "marks"]


@pytest.mark.parametrize("step", STEPS)
def test_a_sink_that_dies_between_any_two_steps_goes_on_where_it_was(stack: Stack, step: str) -> None:
    sink = stack.sink()
    stack.send(stack.outputs.round())
    sink.start("--die-after", step, ready=False)
    assert sink.wait() == 99
    assert list((stack.data / "sink").glob("*.batch"))
    stack.send(stack.outputs.round())
    sink.start()
    stack.await_stored(sink)
    assert ("is stored already" if step == "marks" else "finishing batch") in sink.said()


def test_a_sink_killed_again_and_again_stores_every_row_once(stack: Stack) -> None:
    sink = stack.sink()
    for _ in range(4):
        sink.start()
        for _ in range(3):
            stack.send(stack.outputs.round(entities=200))
        sink.kill()
    sink.start()
    stack.await_stored(sink)


def test_outputs_that_lack_a_column_make_it_unfilled_once(stack: Stack) -> None:
    lost = measures(CALLS)[-1].column
    sink = stack.sink()
    for _ in range(2):
        calls = stack.outputs.output(CALLS, 0)
        sums = ipc.decode(calls.tables[CALLS.sums_table]).drop(lost)
        stack.send([msgspec.structs.replace(calls, tables={**calls.tables, CALLS.sums_table: ipc.encode(sums)})])
        sink.start("--die-after", "spool", ready=False)
        assert sink.wait() == 99
        sink.start()
        stack.await_stored(sink)
        sink.kill()
    with stack.engine.client() as client:
        known = columns(client.query(FILLED_SQL).result_rows)
        told = "SELECT sums_table, sums_column FROM hotline.filled_columns WHERE told = 'lacking'"
        assert client.query(told).result_rows == [(CALLS.sums_table, lost)]
    assert {(CALLS.recent_table, lost), (CALLS.sums_table, measures(CALLS)[0].column)} <= known
    assert (CALLS.sums_table, lost) not in known


def test_an_engine_killed_amid_batches_loses_and_doubles_nothing(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    for _ in range(4):
        for _ in range(3):
            stack.send(stack.outputs.round(entities=500))
        stack.engine.kill()
        stack.engine.start()
    stack.await_stored(sink)


@pytest.mark.parametrize("step", KEEPING)
def test_a_set_of_live_values_a_minute_is_stored_once(stack: Stack, step: str) -> None:
    publisher, at_ms = Publisher(random_state()), 1_800_000_000_000 + 600_000 * KEEPING.index(step)
    records = [publisher.everything(at_ms + 500 * number) for number in range(130)]
    sink = stack.sink()
    stack.publish(records)
    sink.start("--die-after", step, ready=False)
    assert sink.wait() == 99
    sink.start()
    stored = [record for record in records if record.tables]
    newest = f"SELECT toUnixTimestamp64Milli(max(as_of)) FROM hotline.{KPIS_TABLE}"  # noqa: S608
    wait_until(lambda: stack.ask(newest) == stored[-1].as_of_ms, alive=sink.process)
    assert [(record.as_of_ms - at_ms) // 60_000 for record in stored] == [0, 1]
    for record in stored:
        found = stack.ask(
            "SELECT groupArray((kpi, window, scope_kind, scope, numerator, denominator, value)) "  # noqa: S608
            f"FROM hotline.{KPIS_TABLE} WHERE toUnixTimestamp64Milli(as_of) = {record.as_of_ms}"
        )
        assert sorted(map(repr, map(tuple, found))) == sorted(map(repr, record.frame().iter_rows()))


STRANGE = [
    b"",
    b"no record",
    b"\x80",
    msgspec.msgpack.encode({"process": "p", "life": "l", "facts": [{"what": "w", "value": 1, "partition": 2**16}]}),
    msgspec.msgpack.encode({"process": "p", "life": "l", "facts": [{"what": "w" * 10_000, "value": 1}]}),
    msgspec.msgpack.encode({"process": "p", "life": "l", "facts": [{"what": "w", "value": "<script>"}]}),
]


def test_what_processes_tell_is_kept_and_what_cannot_be_read_is_passed_over(stack: Stack) -> None:
    facts = [Fact(LAG_RECORDS, 7, "hotline.calls", 1), Fact("resident_bytes", 2.5e9)]
    sink = stack.sink()
    sink.start()
    stack.say(HEALTH_TOPIC, [*STRANGE, Teller("o'neil \N{TELEPHONE RECEIVER}").tell(facts).encode()])
    mine = f"SELECT groupArray((what, topic, partition, value)) FROM hotline.{HEALTH_TABLE} WHERE process != 'sink'"  # noqa: S608
    wait_until(lambda: len(stack.ask(mine)) == len(facts), alive=sink.process)
    assert sorted(stack.ask(mine)) == [("lag_records", "hotline.calls", 1, 7.0), ("resident_bytes", "", 0, 2.5e9)]
    assert sink.said().count("tells nothing") == len(STRANGE)
    stack.send(stack.outputs.round())
    stack.await_stored(sink)


def test_the_sink_tells_of_itself_with_what_it_stores(stack: Stack) -> None:
    lives = f"SELECT uniqExact(life) FROM hotline.{HEALTH_TABLE} WHERE process = 'sink'"  # noqa: S608
    before = stack.ask(lives)
    sink = stack.sink()
    sink.start()
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    assert stack.ask(lives) == before + 1
    told = (
        f"SELECT groupUniqArray(what) FROM hotline.{HEALTH_TABLE} "  # noqa: S608
        "WHERE process = 'sink' AND life = (SELECT argMax(life, told_at) FROM hotline.health WHERE process = 'sink')"
    )
    assert sorted(stack.ask(told)) == ["apply_s", "batches", "events", "lag_records", "resident_bytes"]


def test_a_zombie_inserts_nothing_and_ends(stack: Stack) -> None:
    zombie = stack.sink("old")
    zombie.start()
    stack.send(stack.outputs.round())
    stack.await_stored(zombie)
    status, lease = zombie.post("/hold", {"seconds": 60})
    assert status == 200
    stack.send(stack.outputs.round())  # the zombie gathers it and waits
    wait_until(lambda: zombie.health()["lag"] == 4)
    sink = stack.sink("new")
    sink.start()
    stack.await_stored(sink)
    forget_tokens(stack)  # as it has slept for so long: its epoch alone must stop it
    assert zombie.post("/release", {"lease": lease["lease"]})[0] == 200
    assert zombie.wait() == 71
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    sink.kill()
    zombie.start()  # what it left in its spool is not applied: others stored it long ago
    stack.await_stored(zombie)
    assert "is stored already" in zombie.said()


def test_a_zombie_that_stood_still_in_the_middle_of_a_batch_changes_nothing(stack: Stack) -> None:
    """Between an insert that took effect and its answer; whoever takes its place has what it spooled."""
    losing = b"INSERT INTO hotline.minute_sums_calls ("
    with lossy_wire(stack.engine.port, losing, times=1, stalls=True) as wire:
        zombie = stack.sink("stopped", clickhouse_url=wire.url)
        zombie.start()
        stack.send(stack.outputs.round())
        wait_until(wire.lost.is_set, alive=zombie.process)
        assert zombie.process is not None
        zombie.process.send_signal(signal.SIGSTOP)
        sink = stack.sink("successor")
        shutil.copytree(zombie.data / "sink", sink.data / "sink")
        assert list((sink.data / "sink").glob("*.batch"))
        sink.start()
        assert "finishing batch" in sink.said()
        stack.send(stack.outputs.round())
        stack.await_stored(sink)
        forget_tokens(stack)  # as it has slept for so long: its epoch alone must stop it
        wire.cut_off()
        zombie.process.send_signal(signal.SIGCONT)  # it inserts again, and on
        assert zombie.wait() == 71
    stack.send(stack.outputs.round())
    stack.await_stored(sink)


def test_two_sinks_that_start_at_once_take_two_epochs(stack: Stack) -> None:
    epochs: list[int] = []

    def starting(kind: type[Store]) -> Store:
        return kind(stack.sink().settings, threading.Event(), on_trouble=lambda _: None)

    class Late(Store):
        """Between its question for the highest epoch and its claim another sink takes the next one."""

        def highest_epoch(self) -> int:
            highest = super().highest_epoch()
            if not epochs:
                epochs.append(starting(Store).take_epoch())
            return highest

    epochs.append(starting(Late).take_epoch())
    assert epochs == [max(epochs) - 1, max(epochs)]
    assert stack.ask("SELECT count() = uniqExact(epoch) FROM hotline.sink_epochs") == 1


def forget_tokens(stack: Stack) -> None:
    """Let tables forget which inserts they have seen."""
    with stack.engine.client() as client:
        for name in ("call_events", "calls", "minute_sums_calls", "accounts", "marks"):
            for window in ("0", tables()[name].all_settings["non_replicated_deduplication_window"]):
                setting = f"non_replicated_deduplication_window = {window}"
                client.command(f"ALTER TABLE hotline.{name} MODIFY SETTING {setting}")


def test_a_broker_that_starts_empty_goes_on_under_a_new_log_number(fresh: Stack) -> None:
    sink = fresh.sink()
    sink.start()
    for _ in range(2):
        fresh.send(fresh.outputs.round())
    fresh.await_stored(sink)
    sink.kill()
    fresh.broker.kill()
    fresh.broker.start()
    fresh.new_log()
    fresh.outputs.log = 2
    fresh.outputs.next_offset.clear()
    for _ in range(3):
        fresh.send(fresh.outputs.round())  # the new log grows past the marks of the old one
    sink.start()
    fresh.await_stored(sink)
    sink.kill()
    sink.start()
    fresh.await_stored(sink)


def test_a_gap_stops_the_line_after_what_came_before_it(fresh: Stack) -> None:
    sink = fresh.sink()
    sink.start()
    first, missing, late = (fresh.outputs.output(CALLS, 0) for _ in range(3))
    fresh.outputs.events["calls"] -= 20
    named = msgspec.structs.replace(late.source, upon=UNKNOWN)  # as before outputs named the one before them
    fresh.send([first, msgspec.structs.replace(late, source=named)])
    assert sink.wait() == 70
    assert fresh.stored() == {**dict.fromkeys(fresh.stored(), 1), "call_events": 10, "calls": 5} | dict.fromkeys(
        ("ticket_events", "tickets"), 0
    )
    assert "ALARM the line stops: hotline.calls.measured[0] offset 1" in sink.said()
    assert missing.source.offset == 1


def test_an_older_deployment_stops_the_line(fresh: Stack) -> None:
    sink = fresh.sink()
    fresh.outputs.deployment = 3
    newer = fresh.outputs.output(CALLS, 0)
    fresh.outputs.deployment = 2
    fresh.send([newer, fresh.outputs.output(CALLS, 0)])
    sink.start(ready=False)
    assert sink.wait() == 70
    assert "a rollback needs a new, higher number" in sink.said()


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"calls": b"no stream"}, "not an Arrow IPC stream"),
        ({"calls": ipc.encode(pl.DataFrame({"partition": [0], "colour": ["red"]}))}, "unknown columns ['colour']"),
        ({"nowhere": ipc.encode(pl.DataFrame({"a": [0]}))}, "for the table nowhere"),
    ],
)
def test_an_output_that_no_table_takes_stops_the_line_before_anything_is_stored(
    fresh: Stack, tables: dict[str, bytes], said: str
) -> None:
    sink = fresh.sink()
    bad = msgspec.structs.replace(fresh.outputs.output(CALLS, 0), tables=tables)
    fresh.send([bad])
    sink.start(ready=False)
    assert sink.wait() == 70
    assert said in sink.said()
    assert fresh.stored() == dict.fromkeys(fresh.stored(), 0)


def test_repeated_outputs_are_dropped(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    outputs = [*stack.outputs.round(), *stack.outputs.round()]
    stack.send([*outputs, *outputs[:4], *outputs])
    stack.await_stored(sink)
    assert 'hotline_sink_records_total{decision="drop"} 12' in sink.get("/metrics")
    assert 'hotline_sink_records_total{decision="take"} 8' in sink.get("/metrics")


def test_outputs_that_follow_one_that_was_lost_are_passed_over_and_their_sources_taken_when_measured_again(
    stack: Stack,
) -> None:
    sink = stack.sink()
    sink.start()
    lost, after_it, at_next_position = (stack.outputs.output(CALLS, 0) for _ in range(3))
    before, upon = lost.source.offset, lost.source.upon
    astray = msgspec.structs.replace(at_next_position.source, offset=before)
    stack.outputs.events["calls"] -= 30
    stack.outputs.made -= 3
    stack.outputs.next_offset["calls", 0], stack.outputs.last["calls", 0] = before, upon
    again = [stack.outputs.output(CALLS, 0) for _ in range(3)]
    stack.send([after_it, msgspec.structs.replace(at_next_position, source=astray), again[0], after_it, *again[1:]])
    stack.await_stored(sink)
    assert 'hotline_sink_records_total{decision="stray"} 3' in sink.get("/metrics")


def test_slices_of_one_record_follow_each_other(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    first = stack.outputs.output(CALLS, 0, first=0, last=11, final=False)
    second = stack.outputs.output(CALLS, 0, offset=first.source.offset, first=11, last=22, final=True)
    stack.outputs.next_offset["calls", 0] = first.source.offset + 1
    stack.send([first, second, first, stack.outputs.output(CALLS, 0)])
    stack.await_stored(sink)


def test_streams_of_two_schemas_in_one_batch_are_two_inserts(stack: Stack) -> None:
    sink = stack.sink()
    whole, narrow = stack.outputs.output(CALLS, 0), stack.outputs.output(CALLS, 1)
    events = ipc.decode(narrow.tables["call_events"]).drop("talk_s", "district")
    stack.send([whole, msgspec.structs.replace(narrow, tables={**narrow.tables, "call_events": ipc.encode(events)})])
    sink.start()
    stack.await_stored(sink)


def test_texts_that_travel_as_codes_are_stored_as_texts(stack: Stack) -> None:
    """Each output has dictionaries of its own, in an order of its own; one batch holds several of them."""
    sink = stack.sink()
    expected: dict[str, str | None] = {}
    several: list[list[str | None]] = [["b", "a", None], ["c", "b", "", "a"], [None, "尚贤", "b"]]
    for number, texts in enumerate(several):
        output = stack.outputs.output(CALLS, number % PARTITIONS)
        events = ipc.decode(output.tables["call_events"])
        events = events.with_columns(district=pl.Series((texts * len(events))[: len(events)], dtype=pl.String))
        expected |= dict(events.select(pl.concat_str("entity", "type"), "district").iter_rows())
        coded = ipc.encode(events, coded=["type", "source", "line", "district", "operator"])
        stack.send([msgspec.structs.replace(output, tables={**output.tables, "call_events": coded})])
    sink.start()
    stack.await_stored(sink)
    sql = "SELECT entity || type, district FROM hotline.call_events WHERE entity || type IN {names:Array(String)}"
    with stack.engine.client() as client:
        found = client.query(sql, parameters={"names": list(expected)}).result_rows
    stored = {str(name): district for name, district in found}
    assert stored == expected
    assert sink.health()["batches"] == 1


def test_while_it_is_held_nothing_is_stored(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    status, held = sink.post("/hold", {"seconds": 30})
    assert status == 200
    measured = [mark for mark in held["marks"] if mark["topic"] in MEASURED_TOPICS.values()]
    stored = {(mark["topic"], mark["partition"]): mark["accepted"]["offset"] for mark in measured}
    assert len(stored) == 2 * PARTITIONS
    assert stored["hotline.calls.measured", 0] == stack.outputs.next_offset["calls", 0] - 1
    before = stack.stored()
    stack.send(stack.outputs.round())
    wait_until(lambda: sink.health()["lag"] == 4)
    assert stack.stored() == before
    assert sink.post("/hold", {"seconds": 1})[0] == 409
    assert sink.post("/release", {"lease": "another"})[0] == 409
    assert sink.post("/release", {"lease": held["lease"]}) == (200, {"released": True})
    stack.await_stored(sink)


def test_a_lease_ends_by_itself(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    status, held = sink.post("/hold", {"seconds": 0.3})
    assert status == 200
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    assert sink.post("/release", {"lease": held["lease"]})[0] == 409


def test_a_lease_can_begin_anew_until_it_has_ended(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    status, held = sink.post("/hold", {"seconds": 60})
    assert (status, held["epoch"]) == (200, sink.health()["epoch"])
    stack.send(stack.outputs.round())
    assert sink.post("/renew", {"lease": "another", "seconds": 60})[0] == 409
    assert sink.post("/renew", {"lease": held["lease"], "seconds": 1e9})[0] == 409
    assert sink.post("/renew", {"lease": held["lease"], "seconds": 0.3}) == (200, {"renewed": True})
    stack.await_stored(sink)  # long before the minute is over
    assert sink.post("/renew", {"lease": held["lease"], "seconds": 60})[0] == 409


def test_only_who_knows_the_token_may_hold_it(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    assert sink.post("/hold", {"seconds": 5}, token="guessed")  # noqa: S106 no password[0] == 401
    assert (stack.data / "secrets" / "sink.token").stat().st_mode & 0o777 == 0o600
    for nonsense in ({}, {"seconds": "soon"}, {"seconds": -1}, {"seconds": 1e9}, {"seconds": float("nan")}):
        assert sink.post("/hold", nonsense)[0] in {400, 409}
    assert sink.health()["ready"] is True


def test_it_tells_its_lag_its_rows_and_the_age_of_the_newest_event(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    health, metrics = sink.health(), sink.get("/metrics")
    assert health["lag"] == 0
    assert health["rows"]["call_events"] == 20
    assert health["newest_event_age_s"] > 86_400
    assert 'hotline_sink_lag_records{topic="hotline.calls.measured",partition="0"} 0' in metrics
    assert 'hotline_sink_position{topic="hotline.calls.measured",partition="0"} ' in metrics
    assert 'hotline_sink_rows_total{table="call_events"} 20' in metrics
    assert "hotline_sink_ready 1" in metrics


def test_a_stop_finishes_the_batch_in_hand(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    stack.send(stack.outputs.round(entities=2000))
    assert sink.process is not None
    sink.process.send_signal(signal.SIGTERM)
    assert sink.wait() == 0
    assert not list((stack.data / "sink").glob("*.batch"))
    assert not (stack.data / "run" / "sink.json").exists()
    sink.start()
    stack.await_stored(sink)


def test_a_stop_while_the_engine_is_away_leaves_the_batch_for_the_next_start(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    stack.send(stack.outputs.round())
    stack.await_stored(sink)
    stack.engine.kill()
    stack.send(stack.outputs.round())
    wait_until(lambda: bool(list((stack.data / "sink").glob("*.batch"))))
    wait_until(lambda: "engine" in sink.health()["trouble"])
    assert sink.process is not None
    sink.process.send_signal(signal.SIGTERM)
    assert sink.wait() == 0
    stack.engine.start()
    sink.start()
    stack.await_stored(sink)


def test_a_broker_that_is_away_is_said_once_and_waited_for(fresh: Stack) -> None:
    sink = fresh.sink()
    sink.start()
    sink.kill()
    fresh.broker.kill()
    sink.start(ready=False)
    wait_until(lambda: "waiting for the broker" in sink.said(), alive=sink.process)
    fresh.broker.start()
    fresh.new_log()
    fresh.outputs.log = 2
    fresh.send(fresh.outputs.round())
    wait_until((fresh.data / "run" / "sink.json").exists, alive=sink.process)
    fresh.await_stored(sink)
    assert sink.said().count("no broker answers") == 1


def test_on_kafka_it_outlives_broker_and_sink(tmp_path: Path) -> None:
    with KafkaBroker(tmp_path / "broker") as broker, stack_on(broker, tmp_path) as kafka:
        sink = kafka.sink()
        sink.start()
        kafka.send(kafka.outputs.round())
        kafka.await_stored(sink)
        broker.kill()
        broker.start()
        kafka.send(kafka.outputs.round())
        kafka.await_stored(sink)
        sink.kill()
        kafka.send(kafka.outputs.round())
        sink.start()
        kafka.await_stored(sink)


def test_two_sinks_cannot_share_a_spool(stack: Stack) -> None:
    stack.sink().start()
    second = stack.sink()
    second.start(ready=False)
    assert second.wait() == 2
    assert "another sink runs on" in second.said()


def test_it_waits_for_log_numbers(fresh: Stack) -> None:
    with fresh.engine.client() as client:
        client.command("TRUNCATE TABLE hotline.logs")
    sink = fresh.sink()
    sink.start(ready=False)
    wait_until(lambda: "have no log number yet" in sink.said(), alive=sink.process)
    with fresh.engine.client() as client:
        assert set(number_logs(client, [*MEASURED_TOPICS.values(), *KEPT_TOPICS], "c").values()) == {1}
    wait_until((fresh.data / "run" / "sink.json").exists, alive=sink.process)
