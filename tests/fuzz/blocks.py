"""Arrow blocks against measure's line: decoder, rules, sets, sums and output, as the agent runs them."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from hotline import ipc
from hotline.accept import Accepted
from hotline.blocks import complete
from hotline.measured import Measured
from hotline.measured import decode as decode_measured
from hotline.names import DEAD_LETTERS_TABLE, RECORD_BYTES_MAX
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import recent_from
from streams.handling import ENVELOPE_BYTES
from streams.measure.agent import _block_id
from streams.measure.line import Line, Place
from streams.measure.memory import Memory
from streams.measure.store import NothingStored
from tests.fuzz import odd_streams, odd_tables
from tests.fuzz.plain_reading import breach
from tests.fuzz.spoilt_bytes import ODD_INTEGERS, spoilt
from tests.fuzz.targets import Case, Stopwatch, claim, claim_closed
from tests.hotline.random_rows import life

ZONE = "Asia/Shanghai"
MEMORY_BYTES_MAX = 4 << 20
ROWS_MAX = 40
BOMBS = 0.002
BLOCK_IDS: tuple[Any, ...] = (None, b"", b"\0", b"\xff\xfe", b"a" * 200, b"b" * (1 << 20), "吴".encode(), b'"\r\n')


@dataclass(frozen=True)
class Message:
    """What Faust's driver hands on of a record."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Any
    timestamp: float | None
    key: bytes | None = None


@functools.cache
def pool(name: str) -> pa.Table:
    """Sound events of a subject, as a block has them."""
    subject, draw = SUBJECTS[name], random.Random(7)
    events = [event for entity in range(400) for event in life(subject, draw, str(entity))]
    frame = complete(subject, pl.DataFrame(events, schema={k: subject.columns[k] for k in events[0]}))
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _slice(draw: random.Random, name: str) -> pa.Table:
    table = pool(name)
    return table.slice(draw.randrange(table.num_rows), draw.randrange(1, ROWS_MAX))


def _stream(draw: random.Random, table: pa.Table) -> bytes:
    try:
        return odd_streams.encoded(
            table, compression=draw.choice(("lz4", "lz4", "zstd", None)), rows_per_batch=draw.choice((None, 1, 7))
        )
    except (pa.ArrowException, NotImplementedError):
        return odd_streams.encoded(_slice(draw, "calls"))


def value_of(draw: random.Random, name: str) -> bytes | None:
    """The value of a mutated record."""
    chance = draw.random()
    if chance < BOMBS:
        return odd_streams.bomb(draw)
    if chance < 0.01:
        return draw.choice((None, b"", b"\0", b"{}", draw.randbytes(draw.randrange(1, 3000))))
    table = _slice(draw, name)
    kind = draw.random()
    if kind < 0.5:
        table = odd_tables.mutated(draw, table)
    value = _stream(draw, table)
    other = _stream(draw, _slice(draw, draw.choice(list(SUBJECTS))))
    if 0.4 < kind < 0.75:
        value = odd_streams.mutated(draw, value, other)
    return spoilt(draw, value, other) if kind > 0.75 else value


class Blocks:
    """Each case is one record on a topic of events."""

    cpu_s_max = passed_s_max = 1.0
    records_per_case = 1

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self._lines: dict[str, Line] = {}
        self._offset = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Nothing runs but the line."""
        yield

    def case(self, draw: random.Random) -> Case:
        """Make a record."""
        name = draw.choice(list(SUBJECTS))
        value = value_of(draw, name)
        odd = draw.random() < 0.1
        headers: Any = [("block-id", draw.choice(BLOCK_IDS) if odd else b"a block")]
        if odd:
            headers = draw.choice((headers, None, [], [*headers, ("content-type", b"\xff"), ("schema", b"-1")]))
        sent_s = draw.choice([n / 1000 for n in ODD_INTEGERS]) if draw.random() < 0.05 else 1_700_000_000.0
        message = Message(
            f"hotline.{name}",
            draw.choice((0, 0, 0, 0, 0, 0, 0, 1, 2)),
            0,
            value,
            headers,
            sent_s,
            draw.choice((None, b"\xff")),
        )
        return Case(1, value or b"", message)

    def judge(self, case: Case) -> Counter[str]:
        """Measure it, and look at every output."""
        message: Message = case.more
        subject = SUBJECTS[message.topic.removeprefix("hotline.")]
        line = self._line(subject, message.partition)
        self._offset += 1
        verdicts: Counter[str] = Counter()
        places: list[tuple[int, int, bool]] = []
        outputs = self._outputs(line, message)
        while True:
            with self.watch:
                output = next(outputs, None)
                value = b"" if output is None else output.encode()
            if output is None:
                break
            claim(len(value) <= RECORD_BYTES_MAX - ENVELOPE_BYTES, f"an output of {len(value)} bytes cannot be sent")
            line.sent(len(value))
            places.append((output.source.first, output.source.last, output.source.final))
            verdicts.update(looked_at(subject, decode_measured(value)))
        line.stored(line.next_output)
        claim_whole(places)
        if "undecodable" not in verdicts and "too_large" not in verdicts:
            claim_all_read(message.value or b"", places[-1][1])
        return verdicts + Counter({"blocks": 1})

    def _outputs(self, line: Line, message: Message) -> Iterator[Measured]:
        minutes_from = recent_from(int(message.timestamp or 0), ZONE)
        yield from line.measure(self._offset, _block_id(message), message.value, minutes_from=minutes_from)

    def _line(self, subject: Subject, partition: int) -> Line:
        name = f"{subject.name}/{partition}"
        if name not in self._lines:
            partitions = 1 if not partition else 3
            place = Place(subject, f"hotline.{subject.name}", partition, partitions, log=1, deployment=1, zone=ZONE)
            memory = Memory(subject, partition, NothingStored(), bytes_max=MEMORY_BYTES_MAX)
            self._lines[name] = Line(place, memory, Accepted(), next_output=0, output_log=1)
        return self._lines[name]


def claim_whole(places: list[tuple[int, int, bool]]) -> None:
    """The outputs of a record follow one another without a hole, and the last says that it is the last."""
    claim(places, "no output at all")
    claim([first for first, _, _ in places] == [0, *(last for _, last, _ in places[:-1])], f"holes: {places}")
    claim([final for _, _, final in places] == [False] * (len(places) - 1) + [True], f"no end: {places}")


def claim_all_read(value: bytes, read: int) -> None:
    """As many events were read as the stream holds rows."""
    rows = pa.ipc.open_stream(value).read_all().num_rows
    claim(read == rows, f"the stream has {rows} rows, {read} were read")


def looked_at(subject: Subject, output: Measured) -> Counter[str]:
    """The verdicts of an output, which must be those of its tables."""
    told, source = output.verdicts, output.source
    claim(told.read == source.last - source.first, f"{told.read} verdicts on {source.last - source.first} events")
    tables = {name: ipc.decode(stream) for name, stream in output.tables.items()}
    letters = tables.get(DEAD_LETTERS_TABLE, pl.DataFrame({"reason": []}, schema={"reason": pl.String}))
    reasons = Counter(letters["reason"].to_list())
    claim_closed(reasons)
    claim(dict(reasons) == told.reasons, f"letters {dict(reasons)}, verdicts {told.reasons}")
    claim(len(letters) == told.dead, f"{len(letters)} letters of {told.dead} dead events")
    fresh = tables.get(subject.events_table, pl.DataFrame())
    claim(len(fresh) == told.counted + told.revised, f"{len(fresh)} new members of {told}")
    for event in fresh.iter_rows(named=True):
        wrong = breach(subject, {name: value for name, value in event.items() if name != "partition"})
        claim(wrong is None, f"a counted event breaks a rule: {wrong}")
    counts = {"counted": told.counted, "seen": told.seen, "revised": told.revised}
    return Counter(told.reasons) + Counter(counts)
