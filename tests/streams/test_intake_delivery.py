"""Intake as a process on a real broker: whatever dies, each event that was acknowledged leaves in a block."""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from faust.types.tuples import TP
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.brokers import create_topics, delete_topics, open_admin
from deploy.processes import Child
from hotline.blocks import decode
from hotline.names import BLOCK_ID, EVENTS_TOPICS, INTAKE_TOPIC, intake_group
from hotline.settings import Settings, load
from hotline.subjects import SUBJECTS
from producers.intake_position import ends_of_events, forwarded
from streams.bundles import Bundle
from streams.intake import agent, witnesses
from streams.intake.agent import Intake, Opened
from streams.intake.marking import Marking
from streams.intake.marks import BrokerMarks
from streams.intake.witnesses import Mark
from streams.positions import Record, read_range
from tests.sinks.sinking import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deploy.brokers import Broker, KafkaBroker
    from streams.app import StreamsApp

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("intake_worker.py")
PARTITIONS = 2
PATIENCE_S = 120.0
MORNING = "2023-11-14T09:00:00+08:00"


class Pipe:
    """The topics of intake, empty, and workers on them."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.log = uuid.uuid4().int % 2**31  # a group of its own, as every log has
        self.workers: list[Child] = []
        self._begin_anew(INTAKE_TOPIC, *EVENTS_TOPICS.values())

    def _begin_anew(self, *topics: str) -> None:
        delete_topics(self.broker.bootstrap, topics)
        create_topics(self.broker.bootstrap, dict.fromkeys(topics, PARTITIONS))

    def by_senders_clocks(self) -> None:
        """Begin the log of single events anew, with the times that senders state; its marks are forgotten."""
        self._begin_anew(INTAKE_TOPIC)
        with open_admin(self.broker.bootstrap) as admin:
            times = {"message.timestamp.type": "CreateTime"}
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, INTAKE_TOPIC, times)])

    def produce(self, events: list[dict[str, Any]], at_ms: int | None = None) -> None:
        """Send as any program would: partitions as they come, no header."""
        with KafkaProducer(bootstrap_servers=self.broker.bootstrap, reconnect_backoff_max_ms=500) as producer:
            for number, event in enumerate(events):
                given = {"value": msgspec.json.encode(event), "partition": number % PARTITIONS, "timestamp_ms": at_ms}
                producer.send(INTAKE_TOPIC, **given)
            producer.flush()

    async def marks(self, written: Mapping[int, Mark] | None = None) -> dict[int, Mark]:
        """The marks of intake; after writing these, if any."""
        marks = BrokerMarks(self.broker.bootstrap, intake_group(self.log))
        found = await marks.start(range(PARTITIONS))
        if written:
            await marks.write(written)
        await marks.stop()
        return found

    def start(self, **settings: Any) -> Child:
        """Start one more worker; `settings` by their names, None for what the product sets."""
        given = {
            "data": self.folder / "d",
            "bootstrap": self.broker.bootstrap,
            "broker": self.broker.profile.name,
            "partitions": PARTITIONS,
            "intake_block_ms": 20,
            **settings,
        }
        env = {f"HOTLINE_{name.upper()}": str(value) for name, value in given.items() if value is not None}
        log = self.folder / f"worker-{len(self.workers)}.log"
        self.workers.append(
            Child([sys.executable, str(WORKER), str(self.log)], log=log, env=env | {"PYTHONPATH": str(ROOT)})
        )
        self.workers[-1].start()
        return self.workers[-1]

    def position(self) -> int:
        """How many events are marked as forwarded."""
        return sum(forwarded(self.broker.bootstrap, self.log, range(PARTITIONS)).values())

    def blocks(self) -> list[Any]:
        """Every block of both topics."""
        return asyncio.run(self._blocks())

    async def _blocks(self) -> list[Any]:
        return [
            decode(subject, record.value, block_id=(record.header(BLOCK_ID) or b"").decode(), partition=partition)
            for name, subject in SUBJECTS.items()
            for partition in range(PARTITIONS)
            async for record in read_range(self.broker.bootstrap, EVENTS_TOPICS[name], partition, 0)
        ]

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for a condition; fails with the workers' logs when it takes too long or no worker is left."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            logs = "\n".join(worker.log_tail() for worker in self.workers)
            assert time.monotonic() < deadline, f"no {what}:\n{logs}"
            assert any(worker.alive() for worker in self.workers), f"no {what}, no worker runs:\n{logs}"
            time.sleep(0.05)


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Callable[[Broker], Pipe]]:
    made: list[Pipe] = []

    def make(broker: Broker) -> Pipe:
        made.append(Pipe(broker, tmp_path))
        return made[-1]

    yield make
    for worker in (worker for pipe in made for worker in pipe.workers):
        worker.kill()


@pytest.fixture
def pipe(broker: Broker, pipes: Callable[[Broker], Pipe]) -> Pipe:
    return pipes(broker)


def events(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Created and handled in turn; `handled` states no birth, and lies in the other partition."""
    types = ("ticket.created", "ticket.handled")
    return [
        {"type": types[n % 2], "source": "crm", "entity": str(n // 2), "id": str(n), "occurred_at": MORNING}
        for n in range(start, start + count)
    ]


def ids(pipe: Pipe) -> Counter[str]:
    return Counter(str(found) for block in pipe.blocks() for found in block.events["id"])


def test_no_event_is_lost_when_workers_are_killed_in_the_middle(pipe: Pipe) -> None:
    moments = random.Random(7)
    positions = []
    for kill in range(4):
        pipe.produce(events(400, start=400 * kill))
        before = pipe.position()
        worker = pipe.start(intake_block_ms=100)
        if kill:  # the first is killed wherever it is in its start
            pipe.wait_until(lambda at=before: pipe.position() > at or sum_of_blocks(pipe) > at, "work")  # type: ignore[misc]
        time.sleep(moments.uniform(0.0, 0.3))
        worker.kill()
        assert worker.exit_code == -9
        positions.append(pipe.position())
    pipe.produce(events(400, start=1600))
    pipe.start()
    pipe.wait_until(lambda: pipe.position() == 2000, "the end")
    found = ids(pipe)
    assert set(found) == {str(number) for number in range(2000)}
    assert positions == sorted(positions)
    births = {str(birth) for block in pipe.blocks() for birth in block.events["born_at"].unique()}
    assert births == {"2023-11-14 01:00:00+00:00"}


def sum_of_blocks(pipe: Pipe) -> int:
    return sum(ends_of_events(pipe.broker.bootstrap, range(PARTITIONS)).values())


def test_nothing_is_marked_before_its_blocks_are_acknowledged(
    pipes: Callable[[Broker], Pipe], embedded_broker: Broker, tmp_path: Path
) -> None:
    """The broker that takes the blocks is held by hand, since no real one keeps its word back so exactly."""
    pipe = pipes(embedded_broker)
    env = {"HOTLINE_BOOTSTRAP": embedded_broker.bootstrap, "HOTLINE_PARTITIONS": str(PARTITIONS)}
    settings = load(tmp_path / "d", env)[0]
    settings.folder.make()
    intake = Intake(settings, lambda _: Opened(pipe.log, lambda _: [], lambda _: [], time.time))
    sent, acknowledged, at = asyncio.Event(), asyncio.Event(), TP(INTAKE_TOPIC, 0)

    async def send_and_wait(*_: Any) -> None:
        sent.set()
        await acknowledged.wait()

    intake.app = cast("StreamsApp", SimpleNamespace(producer=SimpleNamespace(send_and_wait=send_and_wait)))
    records = [Record(number, msgspec.json.encode(event), ()) for number, event in enumerate(events(4)[::2])]

    async def run() -> None:
        assert await intake.resume_from([at]) == {}
        await intake.handle(SimpleNamespace(value=Bundle(at.topic, at.partition, records)))
        await asyncio.wait_for(sent.wait(), PATIENCE_S)
        assert intake.reached() == {}
        acknowledged.set()
        await asyncio.to_thread(wait_until, lambda: pipe.position() == len(records))
        for task in intake._tasks:
            task.cancel()
        await intake._marks.stop()

    asyncio.run(run())
    assert intake.reached() == {at: len(records)}


def test_the_mark_of_a_quiet_partition_is_written_again_beside_a_busy_one(
    pipes: Callable[[Broker], Pipe], embedded_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour is a fraction of a second here; the broker has forgotten the mark of partition 1, and 0 never rests."""
    pipe = pipes(embedded_broker)
    pipe.produce(events(60))
    quiet = Mark(20)
    asyncio.run(pipe.marks({1: quiet}))
    env = {"HOTLINE_BOOTSTRAP": embedded_broker.bootstrap, "HOTLINE_PARTITIONS": str(PARTITIONS)}
    settings = load(tmp_path / "d", env)[0]
    settings.folder.make()
    intake = Intake(settings, lambda _: Opened(pipe.log, lambda _: [], lambda _: [], time.time))
    intake.app = cast("StreamsApp", SimpleNamespace(producer=SimpleNamespace(send_and_wait=_taken)))
    monkeypatch.setattr(agent, "MARK_EVERY_S", 0.02)
    monkeypatch.setattr(agent, "Marking", partial(Marking, again_s=0.2))
    busy = [Record(number, msgspec.json.encode(event), ()) for number, event in enumerate(events(600)[::2])]

    async def run() -> None:
        at = [TP(INTAKE_TOPIC, partition) for partition in range(PARTITIONS)]
        assert await intake.resume_from(at) == {at[1]: quiet.offset}
        await pipe.marks({1: Mark(1)})  # as good as forgotten: it would be read nearly from its start
        for record in busy:
            await intake.handle(SimpleNamespace(value=Bundle(INTAKE_TOPIC, 0, [record])))
            await asyncio.sleep(0.01)
            if record.offset % 50 == 49 and (await pipe.marks())[1] == quiet:
                break
        for task in intake._tasks:
            task.cancel()
        await intake._marks.stop()

    asyncio.run(run())
    assert asyncio.run(pipe.marks())[1] == quiet
    assert intake.reached()[TP(INTAKE_TOPIC, 0)] > 0


async def _taken(*_: Any) -> None:
    """Acknowledge what is sent."""


def test_what_came_together_is_one_bundle_and_what_comes_one_by_one_leaves_a_few_times_a_second(pipe: Pipe) -> None:
    """By the settings of the product, and another worker goes on where this one marked."""
    pipe.produce(events(300))
    first = pipe.start(intake_block_ms=None)
    pipe.wait_until(lambda: pipe.position() == 300, "the first events")
    assert first.log_tail(1000).count("a bundle of 150") == PARTITIONS
    gathered_s = Settings(data=pipe.folder).intake_block_ms / 1000
    assert 0.1 <= gathered_s <= 0.25
    before, began = sum_of_blocks(pipe), time.monotonic()
    with KafkaProducer(bootstrap_servers=pipe.broker.bootstrap) as producer:
        for number, event in enumerate(events(300, start=300)):
            producer.send(INTAKE_TOPIC, value=msgspec.json.encode(event), partition=number % PARTITIONS)
            producer.flush()
    pipe.wait_until(lambda: pipe.position() == 600, "the events one by one")
    times = (time.monotonic() - began) / gathered_s
    assert sum_of_blocks(pipe) - before <= PARTITIONS * (times + 1)
    first.kill()
    pipe.produce(events(100, start=600))
    pipe.start()
    pipe.wait_until(lambda: pipe.position() == 700, "the later events")
    assert ids(pipe) == Counter({str(number): 1 for number in range(700)})


async def reconnected(pipe: Pipe, known: Mapping[int, Mark], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was cut off meanwhile ends where another record stands, and where none does."""
    ended: list[str] = []
    monkeypatch.setattr(witnesses, "end_process", ended.append)
    newest, *_, oldest = known[0].witnesses
    for asked in (newest, oldest, newest._replace(offset=10_000)):
        await witnesses.end_if_not_same(pipe.broker.bootstrap, 0, asked)
    assert [said.partition("at ")[2].partition(" ")[0] for said in ended] == ["199", "10000"]


def test_a_log_that_was_cut_and_grew_past_the_mark_is_read_again_from_where_it_agrees(
    kafka_broker: KafkaBroker, pipes: Callable[[Broker], Pipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its offsets go on as before, and single events have no ids of blocks by which a worker could tell."""
    pipe = pipes(kafka_broker)
    pipe.by_senders_clocks()  # so that a test can write the same records again
    first, then_ms = pipe.start(), int(time.time() * 1000)
    for start in (0, 200):
        pipe.produce(events(200, start=start), at_ms=then_ms + start)
        pipe.wait_until(lambda end=start + 200: pipe.position() == end, "the first events")  # type: ignore[misc]
    first.kill()
    known = asyncio.run(pipe.marks())
    pipe.by_senders_clocks()
    pipe.produce(events(200), at_ms=then_ms)  # the part that was not cut
    pipe.produce(events(400, start=400))
    asyncio.run(pipe.marks(known))
    asyncio.run(reconnected(pipe, known, monkeypatch))
    pipe.start()
    pipe.wait_until(lambda: pipe.position() == 600, "the events that stand where others were")
    found = ids(pipe)
    assert found.keys() == {str(number) for number in range(800)}
    assert set(found.values()) == {1}, "what agrees was not read again"
    assert pipe.workers[-1].log_tail().count("is another log than intake read up to 200") == PARTITIONS


def test_an_event_that_waits_holds_the_mark_and_comes_again_after_a_crash(pipe: Pipe) -> None:
    created, handled = events(2)
    pipe.produce([handled])
    first = pipe.start(unknown_ticket_wait_s=600)
    pipe.produce([dict(created, entity="other", id="other")])
    pipe.wait_until(lambda: ids(pipe) == {"other": 1}, "the other ticket")
    time.sleep(1.5)  # longer than it takes to mark
    assert pipe.position() <= 1
    first.kill()
    pipe.produce([created])
    pipe.start(unknown_ticket_wait_s=600)
    pipe.wait_until(lambda: {"0", "1"} <= set(ids(pipe)), "both events of the ticket")
    pipe.wait_until(lambda: pipe.position() == 3, "the mark")


def test_a_record_that_is_no_event_leaves_as_a_row_with_its_reason_and_the_rest_is_not_held_up(pipe: Pipe) -> None:
    with KafkaProducer(bootstrap_servers=pipe.broker.bootstrap, max_request_size=1 << 22) as producer:
        for value in (b"", None, b"{", b"\xff", b"[1]", b"x" * 1_100_000, msgspec.json.encode(events(1)[0])):
            producer.send(INTAKE_TOPIC, key=b"any", value=value, partition=1, headers=[("content-type", b"text/plain")])
        producer.flush()
    pipe.start()
    pipe.wait_until(lambda: pipe.position() == 7, "all records")
    rows = [row for block in pipe.blocks() for row in block.events.select("problem", "origin", "id").rows()]
    origins = {origin: problem for problem, origin, _ in rows if problem}
    reasons = ["undecodable"] * 5 + ["too_large"]
    assert origins == {f"hotline.intake/1/{pipe.log}/{offset}": reason for offset, reason in enumerate(reasons)}
    assert [found for problem, _, found in rows if not problem] == ["0"]


class AnyName(str):
    """A header's name as some programs write it: in bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff" + super().encode()


def test_events_are_read_however_their_producer_packs_them_and_names_its_headers(pipe: Pipe) -> None:
    packings = (None, "gzip", "lz4", "zstd")
    for number, packing in enumerate(packings):
        given = {"bootstrap_servers": pipe.broker.bootstrap, "compression_type": packing}
        with KafkaProducer(**given) as producer:
            event = msgspec.json.encode({**events(1)[0], "id": str(number)})
            for headers in ([], [(AnyName("trace"), b"1")]):
                producer.send(INTAKE_TOPIC, value=event, partition=0, headers=headers)
            producer.flush()
    pipe.start()
    pipe.wait_until(lambda: pipe.position() == 2 * len(packings), "all records")
    assert ids(pipe) == {str(number): 2 for number in range(len(packings))}
