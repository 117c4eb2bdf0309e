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
from hotline import refold as refolding
from hotline.accept import Accepted, Decision, accept, advance
from hotline.blocks import Block, UndecodableError, decode
from hotline.fold import folded_by, folded_by_versions
from hotline.measured import UNKNOWN, Measured, Source, new_output_id
from hotline.measured import decode as decode_measured
from hotline.names import BLOCK_EVENTS, OUTPUT_BYTES_MAX
from hotline.subjects import Subject
from hotline.windows import NO_MINUTES
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.beyond import Beyond
from streams.measure.ids import with_member_keys, with_row_keys
from streams.measure.memory import Memory
from streams.measure.output import covered_days, given_up, output, undecodable
from streams.measure.portions import Portion, nothing, portions, refolded
from streams.measure.remembered import Tables
from streams.measure.step import Step, step
from streams.measure.unconfirmed import Unconfirmed


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
        self.unconfirmed = Unconfirmed()
        self.last_written = UNKNOWN
        """Id of the output before `next_output`, whoever wrote it."""
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

    @property
    def memory_bytes(self) -> int:
        """Bytes of what is remembered."""
        return self._memory.bytes

    def recall(self, value: bytes) -> None:
        """Take in one of this line's own outputs from behind the sink's mark. Raises GapError, DeploymentError."""
        record = decode_measured(value)
        if accept(self.accepted, record) is Decision.TAKE:
            self.accepted = advance(record)
            again = functools.partial(tables, self.place.subject, record)
            self._memory.remember(*again(), again)
        self.sent(len(value))
        self.last_written = record.source.output_id

    def measure(
        self, offset: int, block_id: str, value: bytes | None, *, minutes_from: int = NO_MINUTES
    ) -> Iterator[Measured]:
        """The outputs of one input record; each must be sent, and `sent` called, before the next is asked for."""
        try:
            block = decode(self.place.subject, value, block_id=block_id, partition=self.place.partition)
        except UndecodableError as error:
            yield self._dead(offset, block_id, value, error.reason)
            return
        yield from self._slices(offset, block, self.next_first, minutes_from)

    def refold(
        self, offset: int, block_id: str, value: bytes | None, *, minutes_from: int = NO_MINUTES
    ) -> Iterator[Measured]:
        """The outputs of one request to fold again, under the same rule as those of `measure`."""
        try:
            asked = refolding.decode(value)
        except refolding.RefoldError:
            yield self._dead(offset, block_id, value, "undecodable")
            return
        place, first = self.place, self.next_first
        able = folded_by(place.subject, place.working) >= folded_by_versions(
            place.subject, asked.fold, asked.rule, asked.calendar
        )
        for whole in portions(self._memory, asked, first) if able else [nothing(self._memory, first, asked.end)]:
            for part, record in self._parts(whole, offset, block_id, asked.end, minutes_from):
                self._take(part, record)
                yield record

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
        self.last_written = self.accepted.output_id
        self.unconfirmed.note(self.next_output, self.last_written)

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
            record = self._output(done, source, days, minutes_from)
            if _is_large(record) and last - first > 1:
                events_max = (last - first + 1) // 2
                continue
            self._take(done, record)
            self._covered.update(days)
            yield record
            first = last
            if record.source.final:
                return

    def _parts(
        self, whole: Portion, offset: int, block_id: str, end: int, minutes_from: int
    ) -> Iterator[tuple[Step, Measured]]:
        """What folding a portion again gives, in as many outputs as it takes."""
        place, left = self.place, [whole]
        while left:
            part = left.pop()
            done = refolded(place.subject, part, place.zone, place.working, minutes_from)
            source = self._source(offset, block_id, part.first, part.last, final=part.last >= end)
            record = self._output(done, source, [], minutes_from)
            halves = part.halves() if _is_large(record) else []
            if halves:
                left += reversed(halves)
                continue
            self._beyond.look_at(done.rows)
            yield done, record

    def _output(self, done: Step, source: Source, days: list[date], minutes_from: int) -> Measured:
        return output(
            done,
            self.place.subject,
            source,
            deployment=self.place.deployment,
            days=days,
            working=self.place.working,
            minutes_from=minutes_from,
        )

    def _take(self, done: Step, record: Measured) -> None:
        """Remember what an output brings, and how far it is."""
        self._memory.remember(done.fresh, done.rows, functools.partial(tables, self.place.subject, record))
        self.accepted = advance(record)

    def _dead(self, offset: int, block_id: str, value: bytes | None, reason: str) -> Measured:
        """The output of a record that cannot be read."""
        record = self._undecodable(reason, value or b"", self._source(offset, block_id, 0, 1, final=True))
        self.accepted = advance(record)
        return record

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
            output_id=new_output_id(),
            upon=self.accepted.upon,
        )


def tables(subject: Subject, record: Measured) -> Tables:
    """New members and changed rows of an output, as measure had them."""
    empty = pl.DataFrame(schema=subject.columns | {"digest": pl.UInt64()})
    fresh = _frame(record.tables.get(subject.events_table), empty)
    rows = _frame(record.tables.get(subject.rows_table), pl.DataFrame())
    return with_member_keys(subject, fresh), with_row_keys(rows.drop("partition")) if len(rows) else rows


def _is_large(record: Measured) -> bool:
    return sum(map(len, record.tables.values())) > OUTPUT_BYTES_MAX


def _frame(stream: bytes | None, empty: pl.DataFrame) -> pl.DataFrame:
    return ipc.decode(stream) if stream else empty
