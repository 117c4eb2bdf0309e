"""One partition in memory: measure's real line, the real rule to accept, and a sink and logs that may go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from hotline import ipc
from hotline.accept import Accepted, Decision, accept, advance
from hotline.blocks import Block
from hotline.marks import Mark
from hotline.measured import Measured, decode
from hotline.refold import Refold
from hotline.subjects import Subject
from hotline.working_time import NO_WORKING_TIME
from streams.measure.line import Line, Place, tables
from streams.measure.memory import Memory
from tests.hotline.test_contributions import as_cells
from tests.streams.test_measure_step import ZONE, Kept

STEPS_MAX = 2_000
"""Far more than the longest life needs to come to its end."""


class LifelikeLine:
    """Everything between a producer and the tables. What is done to it comes from outside, move by move."""

    def __init__(self, subject: Subject, blocks: Sequence[Block], *, bytes_max: int) -> None:
        self.subject, self.blocks, self.bytes_max = subject, blocks, bytes_max
        self.inputs: list[Block | Refold] = list(blocks)
        self.working, self.deployment = NO_WORKING_TIME, 1
        self.outputs: list[bytes] = []
        self.late: list[bytes] = []
        self.store = Kept()
        self.sums: Counter[object] = Counter()
        self.stored: list[Measured] = []
        self.log, self.position, self.accepted = 1, 0, Accepted()
        self.line: Line | None = None
        self.gone = 0
        self.moves: dict[str, Callable[[], object]] = {
            "measure": self.measure,
            "measure much": self.measure_much,
            "store": lambda: self.apply(1),
            "store much": lambda: self.apply(6),
            "tell": self.tell,
            "die": self.die,
            "die late": lambda: self.die(late=True),
            "arrive": self.arrive,
            "resend": self.resend,
            "retention": self.retention,
            "cut": self.cut,
            "cut deep": lambda: self.cut(3),
        }

    # -- measure ---------------------------------------------------------------------------------------------------

    def start(self) -> Line:
        """Begin at the mark, with what stands behind it."""
        place = Place(
            subject=self.subject,
            topic="t",
            partition=0,
            partitions=1,
            log=1,
            deployment=self.deployment,
            zone=ZONE,
            working=self.working,
        )
        memory = Memory(self.subject, 0, self.store, bytes_max=self.bytes_max)
        line = Line(place, memory, self.accepted, next_output=self.position, output_log=self.log)
        for value in self.outputs[self.position :]:
            line.recall(value)
        self._slices: Iterator[Measured] = iter(())
        self._sending: bytes | None = None
        return line

    def measure(self) -> None:
        """Start when there is no line; make the next output, or send the one that is made."""
        self.line = self.line or self.start()
        if self._sending is not None:
            self._send(self.line, self._sending)
        elif (made := next(self._slices, None)) is not None:
            self._sending = made.encode()
        elif self.line.next_input < self.gone:
            self._slices = iter([self.line.give_up(self.gone)])
        elif (offset := self.line.next_input) < len(self.inputs):
            given = self.inputs[offset]
            if isinstance(given, Refold):
                self._slices = self.line.refold(offset, f"refold {offset}", given.encode())
            else:
                self._slices = self.line.measure(offset, given.block_id, given.encode())

    def measure_much(self) -> None:
        """Measure for a while."""
        for _ in range(6):
            self.measure()

    def _send(self, line: Line, value: bytes) -> None:
        self.outputs.append(value)
        self._sending = None
        if len(self.outputs) - 1 != line.next_output:
            self.line = None  # as the worker does: somebody else wrote
        else:
            line.sent(len(value))

    def tell(self) -> None:
        """The line hears what is stored, and ends when that is not what it wrote."""
        if self.line:
            self.line.stored(self.position)
            mark = Mark(log=self.log, position=self.position, accepted=self.accepted)
            if mark.log == self.line.output_log and self.line.unconfirmed.refuted(mark):
                self.line = None

    def die(self, *, late: bool = False) -> None:
        """The line is gone; the output on its way may arrive later."""
        if self.line and self._sending is not None and late:
            self.late.append(self._sending)
        self.line = None

    def arrive(self) -> None:
        """An output of a dead line is written."""
        if self.late:
            self.outputs.append(self.late.pop(0))

    def resend(self) -> None:
        """A producer sends one of its blocks again."""
        self.inputs.append(self.blocks[len(self.inputs) % len(self.blocks)])

    def retention(self) -> None:
        """The next two records are deleted, read or not; a line finds that when it starts."""
        self.gone = min(len(self.inputs), max(self.gone, self.accepted.next_offset) + 2)
        self.line = None

    def look(self) -> None:
        """The line looks for its last output, and ends when that is not there."""
        if self.line and (last := self.line.next_output) and self.line.last_written:
            found = [decode(value).source.output_id for value in self.outputs[last - 1 : last]]
            if found != [self.line.last_written]:
                self.line = None

    def cut(self, outputs: int = 1) -> None:
        """The broker loses its newest outputs; where it had told the sink of them, that makes it another log."""
        self.outputs = self.outputs[:-outputs]
        if self.position > len(self.outputs):
            self.log, self.position, self.line = self.log + 1, 0, None

    # -- the sink --------------------------------------------------------------------------------------------------

    def apply(self, records_max: int) -> None:
        """Store the next outputs."""
        for value in self.outputs[self.position : self.position + records_max]:
            record = decode(value)
            if accept(self.accepted, record) is Decision.TAKE:
                self._keep(record)
                self.accepted = advance(record)
            self.position += 1

    def _keep(self, record: Measured) -> None:
        self.stored.append(record)
        if self.subject.sums_table in record.tables:
            self.sums.update(as_cells(ipc.decode(record.tables[self.subject.sums_table])))
        fresh, rows = tables(self.subject, record)
        if len(fresh):
            stored = [name for name in (*self.subject.columns, "digest") if name in fresh.columns]
            self.store.events.append(fresh.select(stored))
        if len(rows):
            self.store.rows.append(rows.drop("entity_key", "eid"))

    def finish(self) -> None:
        """Let everything come to its end, without further harm."""
        while self.late:
            self.arrive()
        for _ in range(STEPS_MAX):
            if self.position == len(self.outputs) and self.accepted.next_offset == len(self.inputs):
                return
            self.measure()
            self.apply(1)
            self.tell()
            self.look()
        raise AssertionError(f"the line stands at {self.accepted} of {len(self.inputs)} inputs")


def cut(subject: Subject, frame: pl.DataFrame, sizes: Sequence[int]) -> list[Block]:
    """Blocks of these sizes, again and again, of all rows of a frame."""
    found: list[Block] = []
    at = 0
    while at < len(frame):
        size = sizes[len(found) % len(sizes)]
        found.append(Block(f"block {len(found)}", subject, 0, frame[at : at + size]))
        at += size
    return found
