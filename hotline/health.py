"""What a process tells of itself now and then: records of `hotline.health`, and rows of the table of that name.

A record is MessagePack. It says nothing about the hotline: it is not counted, and one that cannot be read is passed
over.
"""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
import pyarrow as pa

from hotline import ipc

HEALTH_VERSION = 1
FACTS_MAX = 10_000
"""Facts of a record."""
TELL_EVERY_S = 15
"""How often each process tells. All do at whole multiples of it, so that what they say is stored at once."""

LAG_RECORDS, MEMORY_BYTES, RESIDENT_BYTES = "lag_records", "memory_bytes", "resident_bytes"
BATCHES, APPLY_S, EVENTS = "batches", "apply_s", "events"
FACTS = {
    LAG_RECORDS: "records of a partition that are written and not yet taken in by who reads it",
    MEMORY_BYTES: "estimated bytes of the calls and tickets of a partition that measure has at hand",
    RESIDENT_BYTES: "memory that the process has of the machine's",
    BATCHES: "batches that the sink stored since it started",
    APPLY_S: "seconds that it spent on them",
    EVENTS: "events of a topic that it stored since it started; repeats are none",
}


Name = Annotated[str, msgspec.Meta(max_length=200)]


class Fact(msgspec.Struct, frozen=True):
    """One number; `topic` and `partition` where it is of one."""

    what: Name
    value: float
    topic: Name = ""
    partition: Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)] = 0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One record."""

    version: int = HEALTH_VERSION
    process: Name
    life: Name
    """Another one after each start of the process."""
    facts: Annotated[list[Fact], msgspec.Meta(max_length=FACTS_MAX)]

    def encode(self) -> bytes:
        """The record's value."""
        return _ENCODER.encode(self)

    def rows(self) -> bytes:
        """Its facts as rows of the table: an Arrow IPC stream."""
        same = {"process": self.process, "life": self.life}
        rows = [{**same, **msgspec.structs.asdict(fact)} for fact in self.facts]
        return ipc.encode_table(pa.Table.from_pylist(rows, _COLUMNS), small=True)


class Teller:
    """Makes the records of one process, from its start to its end."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._life = uuid.uuid4().hex

    def tell(self, facts: list[Fact]) -> Told:
        """A record of now."""
        return Told(process=self._process, life=self._life, facts=facts)


def until_next_s(now_s: float) -> float:
    """Seconds from an instant of the machine's clock until all processes tell again."""
    return TELL_EVERY_S - now_s % TELL_EVERY_S


def decode(value: bytes) -> Told:
    """The record in a value. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(value)


_COLUMNS = pa.schema(
    [
        ("process", pa.string()),
        ("life", pa.string()),
        ("what", pa.string()),
        ("topic", pa.string()),
        ("partition", pa.uint16()),
        ("value", pa.float64()),
    ]
)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Told)
