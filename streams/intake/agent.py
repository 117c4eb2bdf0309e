"""The agent `intake`: takes bundles of single events, sends blocks, and marks what is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError
from faust.types.tuples import TP

from hotline.acceptances import Stop
from hotline.blocks import Block
from hotline.health import Fact
from hotline.marks import LOGS_SQL, log_number, logs
from hotline.names import (
    ARROW_STREAM,
    BLOCK_BYTES_MAX,
    BLOCK_EVENTS,
    BLOCK_ID,
    CONTENT_TYPE,
    EVENTS_TOPICS,
    INTAKE_TOPIC,
    intake_group,
)
from hotline.settings import Settings, pseudonym_key
from hotline.stops import Stops
from streams.app import StreamsApp
from streams.clock import EngineClock
from streams.connecting import connect
from streams.ending import end_if_it_fails
from streams.gaps import refusal, store
from streams.handling import send
from streams.intake.arriving import Arrival
from streams.intake.careful import CarefulDesk
from streams.intake.desk import RECHECK_S, Desk, Done, LookUp, Rules
from streams.intake.look_ups import StoredBirths
from streams.intake.marking import Marking
from streams.intake.marks import BrokerMarks
from streams.intake.recalling import StoredLetters
from streams.intake.witnesses import Mark, Witness, agreed, end_if_not_same, with_newer, witness
from streams.reading import Reached

log = logging.getLogger("streams.intake")

MARK_EVERY_S = 0.5
"""How often the position is written, when it moved; after a crash the events of that time come again."""
GATHERED_BYTES_MAX = 64 << 20


class Opened(NamedTuple):
    """What intake has of ClickHouse."""

    log: int
    """Number of the log of `INTAKE_TOPIC`."""
    births: LookUp
    letters: Callable[[Collection[int]], Iterable[tuple[Arrival, float]]]
    """Dead letters `unknown_ticket` of partitions, with their ages (`StoredLetters`)."""
    now_s: Callable[[], float]
    """The hotline's time, epoch seconds."""


def open_store(settings: Settings) -> Opened:
    """Ask ClickHouse for all of it. Raises UnknownLogError, or what the client raises."""
    client = connect(settings)
    clock = EngineClock(settings)
    log = log_number(logs(client.query(LOGS_SQL).result_rows), INTAKE_TOPIC)
    return Opened(log, StoredBirths(client), StoredLetters(client), lambda: clock.now_ms() / 1000)


class Intake:
    """The intake of one worker, for all its partitions of `INTAKE_TOPIC`. `app` must be set before it starts."""

    app: StreamsApp

    def __init__(self, settings: Settings, store: Callable[[Settings], Opened] = open_store) -> None:
        self._settings, self._store = settings, store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
        self._gathered: list[Any] = []
        self._bytes = self._records = 0
        self._came, self._room, self._moved = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._positions: dict[int, int] = {}
        self._witnesses: dict[int, tuple[Witness, ...]] = {}
        self._resumed: dict[TP, int] = {}
        self._stops = Stops(settings.folder.stops(settings.process))
        self._tasks: list[asyncio.Task[None]] = []

    async def resume_from(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """The next offset of each partition, by the marks at the broker; starts the tasks."""
        opened: Opened = await self._in_thread(self._store, self._settings)
        self._now_s, self._log = opened.now_s, opened.log
        self._marks = BrokerMarks(self._settings.bootstrap, intake_group(opened.log))
        marks = await self._marks.start({tp.partition for tp in partitions})
        self._desk = Desk(self._rules(opened.log), opened.births)
        await self._in_thread(self._recall, opened, {tp.partition for tp in partitions})
        self._careful = CarefulDesk(self._desk, opened.log, partial(self._settings.folder.in_hand, INTAKE_TOPIC))
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._mark())]
        for task in self._tasks:
            end_if_it_fails(task, "intake")
        self._resumed = {TP(INTAKE_TOPIC, partition): at for partition, at in (await self._agreed(marks)).items()}
        self._moved.set()  # what was marked long ago is marked again
        return self._resumed

    def _recall(self, opened: Opened, partitions: Collection[int]) -> None:
        self._desk.recall(opened.letters(partitions), time.monotonic())

    async def _agreed(self, marks: Mapping[int, Mark]) -> dict[int, int]:
        """The next offset of each partition as far as its log is the one that was read; none where nothing is."""
        bootstrap = self._settings.bootstrap
        found = {partition: await agreed(bootstrap, partition, mark) for partition, mark in marks.items()}
        if moved := {partition: mark for partition, mark in found.items() if mark != marks[partition]}:
            await self._marks.write(moved)  # at once: who waits for an event goes by them
        self._witnesses = {partition: mark.witnesses for partition, mark in found.items()}
        return {partition: mark.offset for partition, mark in found.items() if mark != Mark()}

    async def on_reconnect(self, reached: Mapping[TP, Reached]) -> None:
        """Look whether what was read last still stands in its place, before more is taken; else the process ends."""
        newest = {partition: kept[0] for partition, kept in self._witnesses.items() if kept}
        for partition, known in newest.items():
            if TP(INTAKE_TOPIC, partition) in reached:
                await end_if_not_same(self._settings.bootstrap, partition, known)

    def reached(self) -> Mapping[TP, int]:
        """The next event of each partition that is not yet forwarded."""
        forwarded = {TP(INTAKE_TOPIC, partition): offset for partition, offset in self._positions.items()}
        return self._resumed | forwarded

    def facts(self) -> list[Fact]:
        """Nothing else."""
        return []

    async def on_gap(self, tp: TP, due: int, first: int) -> str:
        """Why intake stands still before events that are gone; empty when they were given up."""
        return str(await self._in_thread(self._give_up, Stop(tp.topic, tp.partition, self._log, due), first))

    def _give_up(self, due: Stop, first: int) -> str:
        why = refusal(self._settings, due, first, self._stops)
        if not why:
            store(self._settings, due, first)
        return why

    def _rules(self, number: int) -> Rules:
        settings = self._settings
        return Rules(
            partitions=settings.partitions,
            log=number,
            key=pseudonym_key(settings.data),
            future_skew_s=settings.future_skew_s,
            unknown_ticket_wait_s=settings.unknown_ticket_wait_s,
            known_entities_max=settings.known_entities_max,
            waiting_events_max=settings.waiting_events_max,
            waiting_bytes_max=settings.waiting_bytes_max,
        )

    async def handle(self, event: Any) -> None:
        """Gather a bundle; wait while enough is gathered. What is not yet marked is read again after a crash."""
        bundle = event.value
        self._gathered.append(bundle)
        self._records += len(bundle.records)
        self._bytes += sum(len(record.value or b"") for record in bundle.records)
        self._came.set()
        while self._full:
            self._room.clear()
            await self._room.wait()

    @property
    def _full(self) -> bool:
        return self._records >= BLOCK_EVENTS or self._bytes >= GATHERED_BYTES_MAX

    async def _run(self) -> None:
        """Send what came as blocks, every few hundred milliseconds; for ever."""
        while True:
            await self._wait_for_work()
            bundles = [] if self._desk.must_pause else self._take_gathered()
            done: Done = await self._in_thread(self._take, bundles)
            await self._send(done.blocks)
            self._goes_on(done.positions.keys() - self._positions.keys())
            self._positions.update(done.positions)
            for bundle in bundles:
                kept = self._witnesses.get(bundle.partition, ())
                self._witnesses[bundle.partition] = with_newer(kept, witness(bundle.records[-1]))
            self._moved.set()

    def _goes_on(self, partitions: Collection[int]) -> None:
        """Take back what the process before may have told of partitions that are read for the first time."""
        for partition in partitions:
            self._stops.over(f"{INTAKE_TOPIC}/{partition}")

    def _take(self, bundles: list[Any]) -> Done:
        return self._careful.take(bundles, now=self._now_s(), timer=time.monotonic())

    async def _wait_for_work(self) -> None:
        """Until records came and were gathered for a while, or something waits to be looked for again."""
        if self._desk.must_pause:
            await asyncio.sleep(RECHECK_S)
            return
        try:
            async with asyncio.timeout(self._desk.due_in(time.monotonic())):
                await self._came.wait()
        except TimeoutError:
            return
        if not self._full:
            await asyncio.sleep(self._settings.intake_block_ms / 1000)

    def _take_gathered(self) -> list[Any]:
        taken, self._gathered = self._gathered, []
        self._records = self._bytes = 0
        self._came.clear()
        self._room.set()
        return taken

    async def _send(self, blocks: list[Block]) -> None:
        """Send all blocks, those of each partition in order, and return when every one is acknowledged."""
        lines: dict[tuple[str, int], list[Block]] = {}
        for block in blocks:
            lines.setdefault((block.subject.name, block.partition), []).append(block)
        await asyncio.gather(*(self._send_line(line) for line in lines.values()))

    async def _send_line(self, blocks: list[Block]) -> None:
        for block, value in itertools.chain.from_iterable(map(_encoded, blocks)):
            await send(
                self.app,
                topic=EVENTS_TOPICS[block.subject.name],
                partition=block.partition,
                value=value,
                headers=[(CONTENT_TYPE, ARROW_STREAM), (BLOCK_ID, block.block_id.encode())],
            )

    async def _mark(self) -> None:
        """Write the mark of each partition soon after it moved, and again every hour; for ever."""
        marking, away = Marking(), False
        while True:
            due = marking.due({tp.partition: at for tp, at in self.reached().items()}, time.monotonic())
            try:
                if due:
                    await self._marks.write({of: Mark(at, self._witnesses.get(of, ())) for of, at in due.items()})
                    marking.wrote(due, time.monotonic())
                away = False
            except KafkaError as error:
                if not away:
                    log.warning("the position of intake could not be marked (%r); trying again", error)
                away = True
                self._moved.set()
            await asyncio.sleep(MARK_EVERY_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(marking.due_in(time.monotonic())):
                    await self._moved.wait()
            self._moved.clear()

    async def _in_thread(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)


def _encoded(block: Block) -> Iterator[tuple[Block, bytes]]:
    """A block as it is sent, in pieces when it is too large for a record."""
    value = block.encode()
    if len(value) <= BLOCK_BYTES_MAX or len(block.events) < 2:
        yield block, value
        return
    half = len(block.events) // 2
    for events in (block.events[:half], block.events[half:]):
        yield from _encoded(replace(block, block_id=uuid.uuid4().hex, events=events))
