"""Where roll starts: from the tables while a real sink stands still, or from a snapshot that topics still follow."""

from __future__ import annotations

import asyncio
import http.client
import multiprocessing
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from faust.types.tuples import TP
from kafka import TopicPartition

from deploy.brokers import EmbeddedBroker, KafkaBroker, open_admin
from hotline.accept import Accepted
from hotline.holding import LEASE_S, READ_LEASE_S, Hold
from sinks.logs import register_logs
from streams.roll import stored
from streams.roll.going_on import obstacle
from streams.roll.publishing import Publisher
from streams.roll.scopes import Scopes
from streams.roll.state import Read, State
from streams.roll.stored import TRIES_MAX, UnsteadyError, read_stored, repairs
from tests.deploy.stacks import wait_until
from tests.sinks.sinking import PARTITIONS, START, ZONE, SinkProcess, Stack, stack_on
from tests.streams.rolled import merged
from tests.ten_records import ten_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.settings import Settings

AT_S = int(START.timestamp())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack on a broker of its own, because topic names are fixed."""
    folder = tmp_path_factory.mktemp("roll")
    with EmbeddedBroker(folder / "broker") as broker, stack_on(broker, folder) as started:
        yield started


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    with stack.engine.client() as made:
        yield made


@pytest.fixture(scope="module")
def started(stack: Stack) -> Iterator[SinkProcess]:
    """Start a sink, and have it store an output of every partition."""
    made = stack.sink()
    made.start()
    stack.send(stack.outputs.round())
    stack.await_stored(made)
    yield made
    stack.end_sinks()


@pytest.fixture
def sink(started: SinkProcess) -> SinkProcess:
    """Give the sink; started again where a test ended it."""
    assert started.process is not None
    if started.process.poll() is not None:
        started.start()
    return started


class Watched:
    """A client that does something before each statement."""

    def __init__(self, client: Client, before: Callable[[], None]) -> None:
        self._client, self._before = client, before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)

        def called(*given: Any, **named: Any) -> Any:
            self._before()
            return found(*given, **named)

        return called


def free(sink: SinkProcess) -> bool:
    """Whether somebody else could hold the sink now; it is let go at once."""
    status, answer = sink.post("/hold", {"seconds": 30})
    if status == http.client.OK:
        sink.post("/release", {"lease": answer["lease"]})
    else:
        assert status == http.client.CONFLICT, answer
    return bool(status == http.client.OK)


def values(state: State) -> Any:
    return merged([Publisher(state).everything(AT_S * 1000)])


def test_the_tables_are_read_while_the_sink_is_held_and_it_goes_on_afterwards(
    stack: Stack, client: Client, sink: SinkProcess
) -> None:
    before = read_stored(sink.settings, client, AT_S)
    (end,) = {read.offset for read in before.read.values()}
    assert end > 0
    assert values(before)
    frees: list[bool] = []

    def look() -> None:
        if not frees:
            stack.send(stack.outputs.round())
        frees.append(free(sink))

    found = read_stored(sink.settings, Watched(client, look), AT_S)  # type: ignore[arg-type]
    assert len(frees) > 5
    assert not any(frees), "statements that found the sink free to go on"
    assert (found.read, values(found)) == (before.read, values(before))
    assert free(sink)
    stack.await_stored(sink)
    assert {read.offset for read in read_stored(sink.settings, client, AT_S).read.values()} == {end + 1}


def test_the_tables_are_read_again_when_the_sink_went_on_meanwhile(client: Client, sink: SinkProcess) -> None:
    statements: list[int] = []

    def another_sink() -> None:
        statements.append(len(statements))
        if len(statements) == 2:
            sink.kill()
            sink.start()

    expected = read_stored(sink.settings, client, AT_S)
    whole: list[None] = []
    read_stored(sink.settings, Watched(client, lambda: whole.append(None)), AT_S)  # type: ignore[arg-type]
    found = read_stored(sink.settings, Watched(client, another_sink), AT_S)  # type: ignore[arg-type]
    assert len(statements) == 2 * len(whole)
    assert (found.read, values(found)) == (expected.read, values(expected))


def test_roll_does_not_start_from_tables_that_nobody_holds(
    client: Client, sink: SinkProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.kill()
    monkeypatch.setattr(Hold, "to_read", partial(Hold, sink_wait_s=0.0))
    statements: list[None] = []
    watched = Watched(client, lambda: statements.append(None))
    with pytest.raises(UnsteadyError, match="the sink could not be held: the sink is down"):
        read_stored(sink.settings, watched, AT_S)  # type: ignore[arg-type]
    assert len(statements) % TRIES_MAX == 0


def test_who_reads_keeps_the_sink_still_for_long_and_whoever_is_killed_meanwhile_for_a_moment(
    sink: SinkProcess,
) -> None:
    """A lease begins anew by itself while its holder lives, but no longer than it may be kept."""
    reading = multiprocessing.get_context("spawn").Process(target=reads_for_ever, args=(sink.settings,))
    reading.start()
    wait_until(lambda: not free(sink), "the tables are read")
    until = time.monotonic() + READ_LEASE_S + 2
    while time.monotonic() < until:
        assert not free(sink)
        time.sleep(0.2)
    reading.kill()
    killed = time.monotonic()
    wait_until(lambda: free(sink), "the lease of one who was killed has ended")
    assert time.monotonic() - killed < LEASE_S / 4
    too_long = Hold(sink.settings, lease_s=1.0, kept_s=0.5)
    with too_long():
        wait_until(lambda: free(sink), "the sink goes on although its holder lives")
    assert "the sink went on" in too_long.notes[0]


def reads_for_ever(settings: Settings) -> None:
    """As roll reads tables that are too many to come to an end."""
    stored._read = lambda *_: time.sleep(3600)  # type: ignore[assignment]
    read_stored(settings, None, AT_S)  # type: ignore[arg-type]


def test_a_renewal_that_is_not_answered_once_ends_no_lease(sink: SinkProcess) -> None:
    """The sink's door stands still for a part of the lease, and the holder asks again."""
    hold = Hold(sink.settings, lease_s=4.0, kept_s=60.0)
    assert sink.process
    with hold():
        sink.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        sink.process.send_signal(signal.SIGCONT)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            assert not free(sink)
            time.sleep(0.2)
    assert hold.notes == []


def why_not(settings: Settings, client: Client, state: State) -> str:
    return asyncio.run(obstacle(settings, client, state, [TP(*at) for at in state.read]))


def with_read(state: State, *, repairs: int | None = None, **changed: Any) -> State:
    """Another state, of which the first partition is read otherwise."""
    first, *_ = state.read
    read = state.read | {first: msgspec.structs.replace(state.read[first], **changed)}
    times = state.repairs if repairs is None else repairs
    return State(ZoneInfo(ZONE), AT_S, Scopes(), read, repairs=times)


def test_a_snapshot_is_gone_on_from_only_where_the_topics_hold_what_follows_and_nothing_else_came(
    client: Client, sink: SinkProcess
) -> None:
    state = read_stored(sink.settings, client, AT_S)
    first, *_ = state.read
    end = state.read[first].offset
    assert end > 0
    for changed in ({}, {"offset": 0}, {"offset": end}):
        assert why_not(sink.settings, client, with_read(state, **changed)) == ""
    assert "have other numbers" in why_not(sink.settings, client, with_read(state, log=2))
    beyond = why_not(sink.settings, client, with_read(state, offset=end + 1))
    assert beyond == f"{first[0]}/{first[1]} holds offsets 0 to {end}, not {end + 1}"
    assert "repaired or filled" in why_not(sink.settings, client, with_read(state, repairs=state.repairs + 1))
    others = [TP(topic, partition) for topic, partition in state.read if partition < PARTITIONS - 1]
    assert "other partitions" in asyncio.run(obstacle(sink.settings, client, state, others))


def test_a_snapshot_that_retention_overtook_is_not_gone_on_from(
    client: Client, sink: SinkProcess, kafka_broker: KafkaBroker
) -> None:
    topic = ten_records(kafka_broker)
    register_logs(client, [topic])
    settings = msgspec.structs.replace(sink.settings, bootstrap=kafka_broker.bootstrap)

    def at(offset: int) -> str:
        read = {(topic, 0): Read(log=1, offset=offset, accepted=Accepted())}
        return why_not(settings, client, State(ZoneInfo(ZONE), AT_S, Scopes(), read, repairs=repairs(client)))

    assert [at(3), at(4)] == ["", ""]
    with open_admin(kafka_broker.bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, 0): 4})
    assert [at(3), at(4)] == [f"{topic}/0 holds offsets 4 to 10, not 3", ""]
