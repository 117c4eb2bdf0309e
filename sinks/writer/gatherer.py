"""Records into batches: what is readable over all partitions, as the one rule to accept says."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from hotline import health, live
from hotline.accept import Decision, DeploymentError, GapError, accept
from hotline.marks import Mark, Partition
from hotline.measured import decode
from hotline.names import HEALTH_TABLE, HEALTH_TOPIC, KEPT_TOPICS
from sinks.writer.batch import Batch, Check, Gathering, StreamError
from sinks.writer.store import ColumnsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sinks.writer.health import Health
    from sinks.writer.options import Options
    from sinks.writer.reader import Reader

log = logging.getLogger("sinks.writer")

POLL_S, POLL_IDLE_S = 0.05, 0.5
"""How long a poll waits for records: longer as long as nothing came, for it ends with the first record anyway."""
BULK_EVENTS = 5_000
"""A batch whose records hold this many events on average is a load or replay, not live traffic."""
BULK_PATIENCE, BULK_QUIET = 5, 2
"""How many times longer such a batch is gathered, and how many times as long without a record end it: who sent all
of a load waits for its last batch."""


class LineStoppedError(RuntimeError):
    """A record that must not be stored and must not be skipped: somebody has to look."""


class Gatherer:
    """Reads from where the marks say and cuts batches. Every batch starts where the one before it ended."""

    def __init__(self, reader: Reader, options: Options, health: Health, check: Check) -> None:
        """Go on from the marks that `health` knows as stored; `check` is asked about every new kind of stream."""
        self._reader = reader
        self._options = options
        self._health = health
        self._check = check
        self._closed = dict(health.stored)
        """Marks as the last closed batch leaves them."""
        self._reached: dict[Partition, Mark] = {}
        self._stopped: LineStoppedError | None = None

    def start(self, logs: Mapping[str, int]) -> None:
        """Seek every partition to its mark, or to the start of a log that began since."""
        for at in self._reader.partitions:
            self._reached[at] = _resumed(self._closed.get(at, Mark()), logs[at[0]], at)
            if at[0] in KEPT_TOPICS:  # old ones may be gone before they were stored: that is no reason to stop
                begins = max(self._reader.begins(at), self._reached[at].position)
                self._reached[at] = msgspec.structs.replace(self._reached[at], position=begins)
        self._reader.seek({at: mark.position for at, mark in self._reached.items()})
        self._tell()

    def gather(self, *, busy: Callable[[], bool], ended: Callable[[], bool]) -> Batch | None:
        """Gather the next batch: until it is full, or its time is up and the sink not `busy` with the one before.

        None when nothing came in time, or when `ended` says so. Raises LineStoppedError, after the batch that holds
        all that came before the record in question.
        """
        if self._stopped:
            raise self._stopped
        gathering = Gathering(self._check)
        begun = came = time.monotonic()
        while not (ended() or self._full(gathering)) and (
            self._early(gathering, begun, came) or (gathering and busy())
        ):
            try:
                if self._poll(gathering):
                    came = time.monotonic()
            except LineStoppedError as error:
                self._stopped = error
                break
        self._tell()
        if ended() or not gathering:
            if self._stopped:
                raise self._stopped
            return None
        if told := self._health.due_to_tell():
            gathering.add({HEALTH_TABLE: told.rows()})
        batch = gathering.close(self._closed)
        self._closed |= {(move.topic, move.partition): move.after for move in batch.moves}
        return batch

    def _poll(self, gathering: Gathering) -> bool:
        """Take in the next records; whether there were any."""
        found = self._reader.poll(POLL_S if gathering else POLL_IDLE_S)
        for at, records in found:
            for record in records:
                self._judge(gathering, at, record)
        return bool(found)

    def _early(self, gathering: Gathering, begun: float, came: float) -> bool:
        """Whether there is time to gather on: longer for bulk, which nobody watches and which makes fewer parts so."""
        now, wait_s = time.monotonic(), self._options.gather_seconds
        if gathering.rows < BULK_EVENTS * max(1, gathering.records):
            return now - begun < wait_s
        return now - begun < wait_s * BULK_PATIENCE and now - came < wait_s * BULK_QUIET

    def _full(self, gathering: Gathering) -> bool:
        return gathering.bytes >= self._options.batch_bytes_max or gathering.rows >= self._options.batch_rows_max

    def _judge(self, gathering: Gathering, at: Partition, record: Any) -> None:
        mark = self._reached[at]
        place = f"{at[0]}[{at[1]}] offset {record.offset}"
        if record.offset != mark.position:
            raise LineStoppedError(f"{place} came where {mark.position} was due: the log lost records")
        try:
            if at[0] in KEPT_TOPICS:
                self._reached[at] = _kept(gathering, at, mark, record)
                return
            output = decode(record.value or b"")
            decision = accept(mark.accepted, output)
            if decision is Decision.TAKE:
                self._reached[at] = gathering.take(at, mark, output, offset=record.offset)
            else:
                after = msgspec.structs.replace(mark, position=record.offset + 1)
                self._reached[at] = gathering.pass_over(at, mark, after)
            if decision is Decision.STRAY:
                log.warning("%s follows an output that was not accepted: it is passed over", place)
        except (GapError, DeploymentError, ColumnsError, StreamError, msgspec.DecodeError) as error:
            raise LineStoppedError(f"{place}: {error}") from error
        gathering.read(at, record.value)
        self._health.records[decision.value] += 1

    def _tell(self) -> None:
        self._health.reached = {at: mark.position for at, mark in self._reached.items()}
        self._health.ends = self._reader.ends()


def _kept(gathering: Gathering, at: Partition, mark: Mark, record: Any) -> Mark:
    """Take in a record that stands for itself; one without rows makes no batch, and is read again after a start."""
    tables = _told(at, record) if at[0] == HEALTH_TOPIC else live.decode(record.value or b"").tables
    after = msgspec.structs.replace(mark, position=record.offset + 1)
    if not tables:
        return after
    gathering.add(tables)
    gathering.read(at, record.value)
    return gathering.pass_over(at, mark, after)


def _told(at: Partition, record: Any) -> Mapping[str, bytes]:
    """What a process tells of itself; nothing where it cannot be read, which is no reason for the line to stop."""
    try:
        return {HEALTH_TABLE: health.decode(record.value or b"").rows()}
    except (msgspec.MsgspecError, ValueError) as error:
        log.warning("%s[%d] offset %d tells nothing: %s", *at, record.offset, error)
        return {}


def _resumed(mark: Mark, log_number: int, at: Partition) -> Mark:
    if mark.log == log_number:
        return mark
    if mark.log > log_number:
        raise LineStoppedError(f"{at[0]}[{at[1]}]: stored up to log {mark.log}, but its current log is {log_number}")
    return Mark(log=log_number, position=0, accepted=mark.accepted)
