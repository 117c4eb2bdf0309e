"""The agent `measure`: takes blocks, sends one output for each, and remembers it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from faust.types.tuples import TP

from hotline.acceptances import Stop
from hotline.health import MEMORY_BYTES, Fact
from hotline.marks import LOGS_SQL, MARKS_SQL, Mark, Partition, log_number, logs, marks
from hotline.names import BLOCK_ID, CONTENT_TYPE, EVENTS_TOPICS, MEASURED, MEASURED_TOPICS, REFOLD, block_id
from hotline.settings import Settings
from hotline.stops import Stops
from hotline.subjects import SUBJECTS
from hotline.windows import ALL_MINUTES, recent_from
from hotline.working_time import load_working_time
from streams.app import StreamsApp
from streams.connecting import connect
from streams.ending import at_known_end, end_if_it_fails, end_process, end_when
from streams.gaps import refusal
from streams.handling import send_alone
from streams.in_hand import InHand
from streams.measure.careful import carefully
from streams.measure.line import Line, Place
from streams.measure.look_ups import StoredRows
from streams.measure.memory import Memory
from streams.measure.stopping import Stopping
from streams.positions import read_range
from streams.reading import Reached
from streams.same_log import end_if_another, end_if_output_gone, moved

MARKS_EVERY_S, MARKS_AWAITED_EVERY_S = 1.0, 0.25
"""How often the sink's marks are read: each look costs the engine milliseconds, so oftener only while a line waits."""
LOOK_EVERY_S = 10.0
"""How often the last output of a line is looked for while the sink comes to none of its outputs."""
WAITING_RECORDS_MAX = 2
"""Input records waiting for a line besides the one in hand."""
_SUBJECT_OF = {topic: name for name, topic in EVENTS_TOPICS.items()}


class Gap(NamedTuple):
    """All records before an offset are gone, and given up."""

    next_offset: int


class Measure:
    """All lines of one worker. `app` must be set before it starts."""

    app: StreamsApp

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._working = load_working_time(settings)
        self._lines: dict[TP, Line] = {}
        self._queues: dict[TP, asyncio.Queue[Any]] = {}
        self._in_hand: dict[TP, InHand] = {}
        self._stopping: dict[TP, Stopping] = {}
        self._stops = Stops(settings.folder.stops(settings.process))
        self._stored: dict[TP, int] = {}
        self._moved, self._awaited, self._sent = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="measure")
        self._tasks: list[asyncio.Task[None]] = []

    # -- starting --------------------------------------------------------------------------------------------------

    async def resume_from(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Build the lines from the sink's marks and the outputs behind them; the next input offset of each."""
        client = await self._in_thread(connect, self._settings)
        numbers, stored = await self._in_thread(_read_logs, client), await self._in_thread(_read_marks, client)
        for tp in sorted(partitions):
            self._lines[tp] = await self._line(tp, numbers, stored)
            self._queues[tp] = asyncio.Queue(WAITING_RECORDS_MAX)
            self._in_hand[tp] = InHand(self._settings.folder.in_hand(*tp))
            at_known_end(self._in_hand[tp].let_go)
            self._stopping[tp] = Stopping(self._settings, tp, self._lines[tp], self._stops)
        known = {topic: numbers[topic] for topic in (*EVENTS_TOPICS.values(), *MEASURED_TOPICS.values())}
        self._start(partial(moved, client, known))
        return self.reached()

    def reached(self) -> Mapping[TP, int]:
        """The next input of each line."""
        return {tp: line.next_input for tp, line in self._lines.items()}

    def facts(self) -> list[Fact]:
        """How much each line remembers."""
        return [Fact(MEMORY_BYTES, line.memory_bytes, *tp) for tp, line in self._lines.items()]

    async def _line(self, tp: TP, numbers: dict[str, int], stored: dict[Partition, Mark]) -> Line:
        subject = SUBJECTS[_SUBJECT_OF[tp.topic]]
        measured = MEASURED_TOPICS[subject.name]
        mark = stored.get((measured, tp.partition), Mark())
        start = mark.position if mark.log == log_number(numbers, measured) else 0
        place = Place(
            subject=subject,
            topic=tp.topic,
            partition=tp.partition,
            partitions=self._settings.partitions,
            log=log_number(numbers, tp.topic),
            deployment=self._settings.deployment,
            zone=self._settings.zone,
            working=self._working,
        )
        share = self._settings.warm_bytes_max // (len(SUBJECTS) * self._settings.partitions)
        store = StoredRows(await self._in_thread(connect, self._settings))
        memory = await self._in_thread(lambda: Memory(subject, tp.partition, store, bytes_max=share))
        line = Line(place, memory, mark.accepted, next_output=start, output_log=log_number(numbers, measured))
        async for record in read_range(self._settings.bootstrap, measured, tp.partition, start):
            await self._in_thread(line.recall, record.value)
        if line.accepted.log == place.log and line.accepted.offset >= 0:
            await end_if_another(self._settings.bootstrap, tp, line.accepted.offset, line.accepted.block_id)
        return line

    async def on_reconnect(self, reached: Mapping[TP, Reached]) -> None:
        """Look whether the inputs are the logs they were, before more is taken from them; else the process ends."""
        for tp, (due, headers) in reached.items():
            if tp in self._lines and headers is not None:
                known = block_id(dict(headers).get(BLOCK_ID), tp.topic, tp.partition, due - 1)
                await end_if_another(self._settings.bootstrap, tp, due - 1, known)

    async def on_gap(self, tp: TP, due: int, first: int) -> str:
        """Why a line stands still before records that are gone; empty when they were given up."""
        place = self._lines[tp].place
        stop = Stop(place.topic, place.partition, place.log, due)
        why = await self._in_thread(refusal, self._settings, stop, first, self._stops)
        if not why:
            self._queues[tp].put_nowait(Gap(first))
        return str(why)

    # -- running ---------------------------------------------------------------------------------------------------

    def _start(self, logs_moved: Callable[[], str]) -> None:
        """Start the lines' tasks and the watches on the sink's marks and on the logs."""
        watches = self._watch_marks(), self._watch_outputs(), end_when(logs_moved)
        self._tasks = [asyncio.create_task(task) for task in (*map(self._run, self._lines), *watches)]
        for task in self._tasks:
            end_if_it_fails(task, "measure")

    async def handle(self, event: Any) -> None:
        """Hand a record to its line. What is not yet sent when the process dies is read again from the marks."""
        message = event.message
        await self._queues[TP(message.topic, message.partition)].put(message)

    async def _run(self, tp: TP) -> None:
        line, queue = self._lines[tp], self._queues[tp]
        while True:
            message = await queue.get()
            if isinstance(message, Gap):
                await self._send(tp, line, line.give_up(message.next_offset).encode())
                continue
            await self._wait_for_sink(tp, line)
            recent = self._recent_from(message)
            records = line.refold if _asks_to_refold(message) else line.measure
            outputs = carefully(
                line,
                self._in_hand[tp],
                records,
                offset=message.offset,
                block_id=_block_id(message),
                value=message.value,
                minutes_from=recent,
            )
            while (made := await self._in_thread(next, outputs, None)) is not None:
                await self._stopping[tp].pass_on(made.record, _came_s(message))
                await self._send(tp, line, made.value)
                await self._wait_for_sink(tp, line)  # a record may have many outputs

    def _recent_from(self, message: Any) -> int:
        """Where recent minutes begin, by when the record came; of a replay, whose events may be old, all are."""
        if self._settings.clock == "events":
            return ALL_MINUTES
        return recent_from(_came_s(message), self._settings.zone)

    async def _send(self, tp: TP, line: Line, value: bytes) -> None:
        topic = MEASURED_TOPICS[line.place.subject.name]
        headers = [(CONTENT_TYPE, MEASURED)]
        await send_alone(
            self.app, topic=topic, partition=tp.partition, value=value, headers=headers, due=line.next_output
        )
        line.sent(len(value))
        self._sent.set()

    async def _wait_for_sink(self, tp: TP, line: Line) -> None:
        """Pause while too much of this line is not yet stored."""
        await self._in_thread(line.stored, self._stored.get(tp, 0))
        while line.unstored_bytes > self._settings.unstored_bytes_max // len(self._lines):
            self._moved.clear()
            self._awaited.set()
            await self._moved.wait()
            await self._in_thread(line.stored, self._stored.get(tp, 0))

    async def _watch_marks(self) -> None:
        client = await asyncio.to_thread(connect, self._settings)  # not among the lines' threads: they may be busy
        while True:
            await self._something_unstored()
            try:
                stored = await asyncio.to_thread(_read_marks, client)
            except Exception:  # noqa: BLE001 the engine is away: the lines pause by themselves
                stored = {}
            for tp, line in self._lines.items():
                mark = stored.get((MEASURED_TOPICS[line.place.subject.name], tp.partition), Mark())
                if mark.log == line.output_log:
                    self._stored[tp] = mark.position
                    _end_if_refuted(line, mark)
            self._moved.set()
            await self._pause()

    async def _watch_outputs(self) -> None:
        """Look for the last output of each line that the sink does not come to: the log may have lost its end."""
        before: dict[TP, int | None] = {}
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = {tp: line.unconfirmed.first for tp, line in self._lines.items()}
            for tp, line in self._lines.items():
                if now[tp] is not None and now[tp] == before.get(tp):
                    await self._look_for_output(tp, line)
            before = now

    async def _look_for_output(self, tp: TP, line: Line) -> None:
        measured = TP(MEASURED_TOPICS[line.place.subject.name], tp.partition)
        with contextlib.suppress(KafkaError, TimeoutError):  # the broker is away: another time
            await end_if_output_gone(self._settings.bootstrap, measured, line.next_output - 1, line.last_written)

    async def _something_unstored(self) -> None:
        """Until an output was sent that is not known to be stored: nobody asks the engine on a quiet day."""
        while not any(line.unconfirmed for line in self._lines.values()):
            self._sent.clear()
            await self._sent.wait()

    async def _pause(self) -> None:
        """Until the marks are to be read again."""
        self._awaited.clear()
        await asyncio.sleep(MARKS_AWAITED_EVERY_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awaited.wait(), MARKS_EVERY_S - MARKS_AWAITED_EVERY_S)

    async def _in_thread(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _read_logs(client: Client) -> dict[str, int]:
    return logs(client.query(LOGS_SQL).result_rows)


def _read_marks(client: Client) -> dict[Partition, Mark]:
    return marks(client.query(MARKS_SQL).result_rows)


def _end_if_refuted(line: Line, mark: Mark) -> None:
    """End the process when the sink passed over what this line wrote: whoever starts goes on from what it accepted."""
    place = line.place
    if line.unconfirmed.refuted(mark):
        end_process(
            f"{place.topic}/{place.partition}: of the outputs before {mark.position} the sink accepted another one "
            "last than this worker: their log lost its end, or somebody else wrote there. They are measured again"
        )


def _came_s(message: Any) -> int:
    """When the broker took a record, where it says so."""
    return int(message.timestamp or 0)


def _asks_to_refold(message: Any) -> bool:
    return (CONTENT_TYPE, REFOLD) in (message.headers or ())


def _block_id(message: Any) -> str:
    return block_id(dict(message.headers or {}).get(BLOCK_ID), message.topic, message.partition, message.offset)
