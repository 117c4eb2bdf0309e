"""The agent `roll`: takes the measured outputs of all partitions and publishes the current values."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client
from faust.types.tuples import TP

from hotline.accept import DeploymentError, GapError
from hotline.filled import FILLED_SQL, columns, without_value
from hotline.health import Fact
from hotline.live import Live, written
from hotline.names import CONTENT_TYPE, KPIS_TOPIC, LIVE
from hotline.settings import Settings
from streams.app import StreamsApp
from streams.clock import EngineClock
from streams.connecting import connect
from streams.ending import end_if_it_fails, end_process, end_when
from streams.handling import send_alone
from streams.roll.clock import Clock, EventClock
from streams.roll.going_on import obstacle
from streams.roll.pace import keep_pace
from streams.roll.publishing import Publisher
from streams.roll.snapshot import restored, save, take
from streams.roll.state import AstrayError, State
from streams.roll.stored import read_stored, repairs
from streams.same_log import moved

log = logging.getLogger("streams.roll")

SAVE_AFTER_S, SAVE_EVERY_S = 2.0, 60.0


class Roll:
    """All of roll. `app` must be set before it starts."""

    app: StreamsApp

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.folder.roll_state
        self._one_by_one = ThreadPoolExecutor(max_workers=1, thread_name_prefix="roll")  # the state is for one thread
        self._changed = asyncio.Event()
        self._next_offset: int | None = None
        self._state: State
        self._client: Client
        self._clock: Clock
        self._publisher: Publisher

    # -- starting --------------------------------------------------------------------------------------------------

    async def resume_from(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Find the state, from the snapshot or from ClickHouse; the next offset of each measured partition."""
        client = await self._in_turn(connect, self._settings)
        by_events = self._settings.clock == "events"
        wall = None if by_events else await self._in_turn(EngineClock, self._settings)
        at_s = wall.now_ms() // 1000 if wall else None
        state = await self._found(client, partitions, at_s)
        self._state, self._client = state, client
        without = without_value(columns((await self._in_turn(client.query, FILLED_SQL)).result_rows))
        self._clock, self._publisher = wall or EventClock(state), Publisher(state, without)
        self._start({topic: read.log for (topic, _), read in state.read.items()})
        return self.reached()

    async def _found(self, client: Client, partitions: Collection[TP], at_s: int | None) -> State:
        """The state in the snapshot, if one can go on from it, else in the tables; the log says which."""
        state: State | None = await self._in_turn(restored, self._file, ZoneInfo(self._settings.zone), at_s)
        why_not = "there is none of this zone and catalogue"
        if state is not None and not (why_not := await obstacle(self._settings, client, state, partitions)):
            log.warning("roll goes on from its snapshot, at %s", written(state.positions))
            return state
        found: State = await self._in_turn(read_stored, self._settings, client, at_s)
        log.warning("roll starts from the tables, at %s; its snapshot: %s", written(found.positions), why_not)
        return found

    def reached(self) -> Mapping[TP, int]:
        """The next output of each measured partition."""
        return {TP(*at): read.offset for at, read in list(self._state.read.items())}

    def facts(self) -> list[Fact]:
        """Nothing else."""
        return []

    # -- running ---------------------------------------------------------------------------------------------------

    def _start(self, numbers: Mapping[str, int]) -> None:
        work = (
            keep_pace(self._publish, self._changed),
            self._save_now_and_then(),
            end_when(self._repaired),
            end_when(partial(moved, self._client, numbers)),
        )
        self._tasks = [asyncio.create_task(task) for task in work]
        for task in self._tasks:
            end_if_it_fails(task, "roll")

    async def handle(self, event: Any) -> None:
        """Take one output in. A gap, or one that is astray, means that the state and the log do not belong together."""
        message = event.message
        try:
            await self._in_turn(self._state.take, (message.topic, message.partition), message.offset, message.value)
        except (AstrayError, GapError, DeploymentError) as error:
            self._file.unlink(missing_ok=True)
            end_process("roll starts again from the tables", error=error)
        self._changed.set()

    async def _publish(self, full: bool) -> None:  # noqa: FBT001 the pace says which
        record = await self._in_turn(self._record, full)
        if record:
            await self._send(record)

    def _record(self, full: bool) -> Live | None:  # noqa: FBT001 an executor takes no keywords
        as_of_ms = self._clock.now_ms()
        self._state.move(as_of_ms // 1000)
        return self._publisher.everything(as_of_ms) if full else self._publisher.changed(as_of_ms)

    async def _send(self, record: Live) -> None:
        headers = [(CONTENT_TYPE, LIVE)]
        offset = await send_alone(
            self.app, topic=KPIS_TOPIC, partition=0, value=record.encode(), headers=headers, due=self._next_offset
        )
        self._next_offset = offset + 1
        if record.full and record.values:
            self._publisher.values_offset = offset

    async def _save_now_and_then(self) -> None:
        """Soon after the start, then about once a minute, when something changed; written beside the work."""
        saved, wait_s = -1, SAVE_AFTER_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = SAVE_EVERY_S
            if self._state.changes != saved:
                saved = self._state.changes
                await self._save()

    async def _save(self) -> None:
        """Save what is known now. A disk that does not take it costs time at the next start, and nothing else."""
        taken = await self._in_turn(take, self._state)
        try:
            await asyncio.to_thread(save, self._file, taken, self._settings.zone)
        except OSError as error:
            log.error("roll goes on, but its snapshot %s is not kept (%s): give the disk room", self._file, error)  # noqa: TRY400 no trace of ours tells more

    def _repaired(self) -> str:
        """Whether sums were added to the tables that stood in no output: a reason to start again from these."""
        if repairs(self._client) == self._state.repairs:
            return ""
        self._file.unlink(missing_ok=True)
        return "the stored sums were repaired, filled or found lacking: roll starts again from the tables"

    async def _in_turn(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._one_by_one, function, *args)
