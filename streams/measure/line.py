"""One line of measure: one subject, one partition; its memory, how far its outputs went, and what is not yet stored."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import msgspec
import polars as pl

from hotline import ipc
from hotline.accept import Accepted, Decision, accept, advance
from hotline.blocks import Block, UndecodableError, decode
from hotline.measured import Measured, Source
from hotline.measured import decode as decode_measured
from hotline.names import BLOCK_EVENTS, OUTPUT_BYTES_MAX
from hotline.subjects import Subject
from hotline.windows import NO_MINUTES
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.beyond import Beyond
from streams.measure.ids import with_member_keys, with_row_keys
from streams.measure.memory import Memory, Tables
from streams.measure.output import covered_days, given_up, output, undecodable
from streams.measure.step import step


@dataclass(frozen=True)
class Place:
    """What a line is for, and what all its outputs carry."""

    subject: Subject
    topic: str
    partition: int
    partitions: int
    log: int
    """Number of the input topic's log."""
    deployment: int
    zone: str
    working: WorkingTime = NO_WORKING_TIME
    """Calendar and rule of the deadlines that no event states."""


@dataclass(frozen=True)
class _Unstored:
    offset: int
    bytes: int
    sequence: int


class Line:
    """Turns the records of one partition into outputs, in order. Not safe for two threads at once."""

    def __init__(self, place: Place, memory: Memory, accepted: Accepted, *, next_output: int, output_log: int) -> None:
        self.place = place
        self.output_log = output_log
        self._memory = memory
        self.accepted = accepted
        """How far the inputs are measured."""
        self.next_output = next_output
        """Offset that the next output must get in the measured topic's log."""
        self._unstored: deque[_Unstored] = deque()
        self._covered: set[date] = set()
        self._beyond = Beyond(place.working)

    @property
    def next_input(self) -> int:
        """Offset of the input record that comes next."""
        return self.accepted.next_offset if self.accepted.log == self.place.log else 0

    @property
    def next_first(self) -> int:
        """Place of its first event that comes next."""
        return self.accepted.next_first if self.accepted.log == self.place.log else 0

    @property
    def unstored_bytes(self) -> int:
        """Bytes of outputs that the sink has not yet stored."""
        return sum(output.bytes for output in self._unstored)

    def recall(self, value: bytes) -> None:
        """Take in one of this line's own outputs from behind the sink's mark. Raises GapError, DeploymentError."""
        record = decode_measured(value)
        if accept(self.accepted, record) is Decision.TAKE:
            self.accepted = advance(record)
            again = functools.partial(tables, self.place.subject, record)
            self._memory.remember(*again(), again)
        self.sent(len(value))

    def measure(
        self, offset: int, block_id: str, value: bytes | None, *, minutes_from: int = NO_MINUTES
    ) -> Iterator[Measured]:
        """The outputs of one input record; each must be sent, and `sent` called, before the next is asked for."""
        first = self.next_first
        try:
            block = decode(self.place.subject, value, block_id=block_id, partition=self.place.partition)
        except UndecodableError as error:
            record = self._undecodable(error.reason, value or b"", self._source(offset, block_id, 0, 1, final=True))
            self.accepted = advance(record)
            yield record
            return
        yield from self._slices(offset, block, first, minutes_from)

    def set_aside(self, offset: int, block_id: str, value: bytes, detail: str) -> Measured:
        """The output of a record that nobody can read and live, or of what is left of one: a dead letter."""
        first = self.next_first
        source = self._source(offset, block_id, first, first + 1, final=True)
        record = self._undecodable("poison", value, source, detail)
        self.accepted = advance(record)
        return record

    def give_up(self, next_offset: int) -> Measured:
        """The output that stands for all records before an offset, which are gone unread."""
        due, first = self.next_input, self.next_first
        source = self._source(due, "", first, first, final=True)
        source = msgspec.structs.replace(source, given_up=next_offset - due)
        record = given_up(self.place.subject, source, deployment=self.place.deployment, working=self.place.working)
        self.accepted = advance(record)
        return record

    def sent(self, size: int) -> None:
        """The last output, of so many bytes, was acknowledged at `next_output`."""
        self._unstored.append(_Unstored(self.next_output, size, self._memory.sequence))
        self.next_output += 1

    def stored(self, position: int) -> None:
        """The sink has stored all outputs before `position`."""
        sequence = 0
        while self._unstored and self._unstored[0].offset < position:
            sequence = self._unstored.popleft().sequence
        if sequence:
            self._memory.stored(sequence)

    def _slices(self, offset: int, block: Block, first: int, minutes_from: int) -> Iterator[Measured]:
        events_max = BLOCK_EVENTS * 2
        while True:
            last = min(first + events_max, len(block.events))
            part = replace(block, events=block.events[first:last])
            place = self.place
            done = step(part, place.partitions, self._memory, place.zone, place.working, minutes_from=minutes_from)
            self._beyond.look_at(done.rows)
            days = [day for day in covered_days(done.fresh, self.place.zone) if day not in self._covered]
            source = self._source(offset, block.block_id, first, last, final=last >= len(block.events))
            record = output(
                done,
                self.place.subject,
                source,
                deployment=self.place.deployment,
                days=days,
                working=self.place.working,
                minutes_from=minutes_from,
            )
            if sum(map(len, record.tables.values())) > OUTPUT_BYTES_MAX and last - first > 1:
                events_max = (last - first + 1) // 2
                continue
            self._memory.remember(done.fresh, done.rows, functools.partial(tables, block.subject, record))
            self.accepted = advance(record)
            self._covered.update(days)
            yield record
            first = last
            if record.source.final:
                return

    def _undecodable(self, reason: str, value: bytes, source: Source, detail: str = "") -> Measured:
        place = self.place
        return undecodable(
            reason, value, place.subject, source, deployment=place.deployment, detail=detail, working=place.working
        )

    def _source(self, offset: int, block_id: str, first: int, last: int, *, final: bool) -> Source:
        return Source(
            log=self.place.log,
            topic=self.place.topic,
            partition=self.place.partition,
            offset=offset,
            first=first,
            last=last,
            final=final,
            block_id=block_id,
        )


def tables(subject: Subject, record: Measured) -> Tables:
    """New members and changed rows of an output, as measure had them."""
    empty = pl.DataFrame(schema=subject.columns | {"digest": pl.UInt64()})
    fresh = _frame(record.tables.get(subject.events_table), empty)
    rows = _frame(record.tables.get(subject.rows_table), pl.DataFrame())
    return with_member_keys(subject, fresh), with_row_keys(rows.drop("partition")) if len(rows) else rows


def _frame(stream: bytes | None, empty: pl.DataFrame) -> pl.DataFrame:
    return ipc.decode(stream) if stream else empty
