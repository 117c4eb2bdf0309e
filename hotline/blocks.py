"""Blocks: many events of one subject and partition in one record, as an Arrow IPC stream.

A block has the subject's columns, `digest` (what the sender stated), and four more for what could not be read as an
event: `problem` (a reason of `dead_letters.REASONS`), `detail` (the field, what it holds, what to send instead),
`original` (the bytes) and `origin` (file and line, or topic, partition, log and offset). Such a row travels with the
events around it and gets its verdict with them, so that nothing needs a second way in.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from hotline import ipc
from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.events import SCHEMA, keys
from hotline.kinds import check_kinds
from hotline.names import BLOCK_EVENTS, BLOCK_ROWS_MAX, BLOCK_UNPACKED_BYTES_MAX
from hotline.stream_bounds import BoundsError, check_bounds
from hotline.subjects import Subject

BLOCK_VERSION = "1"
"""Version of the layout below. Readers take any column set: what is absent is null, what is unknown is ignored."""

REJECT_COLUMNS: dict[str, pl.DataType] = {
    "problem": pl.String(),
    "original": pl.Binary(),
    "origin": pl.String(),
    "detail": pl.String(),
}
DEFAULTS: dict[str, int] = {"revision": 0, "schema": SCHEMA}


_NO_BLOCK = (
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # which is no Exception
    OSError,
    ValueError,
    TypeError,
    OverflowError,
    RuntimeError,
)


class UndecodableError(ValueError):
    """The bytes are no block of this subject; `reason` is one of `dead_letters.REASONS`."""

    def __init__(self, told: str, *, reason: str = "undecodable") -> None:
        super().__init__(told)
        self.reason = reason


@dataclass(frozen=True)
class Block:
    """Events of one partition, under a random id that a repeated sending keeps."""

    block_id: str
    subject: Subject
    partition: int
    events: pl.DataFrame

    def encode(self) -> bytes:
        """The record's value: an Arrow IPC stream, lz4, no dictionaries."""
        return ipc.encode(self.events)


def columns(subject: Subject) -> dict[str, pl.DataType]:
    """Columns of a block of this subject."""
    return {**subject.columns, "digest": pl.UInt64(), **REJECT_COLUMNS}


def complete(subject: Subject, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with all columns of a block in order: absent ones null or their default, digests computed if absent."""
    wanted = columns(subject)
    present = set(frame.columns)
    full = frame.select(
        *(
            _column(name, dtype) if name in present else pl.lit(DEFAULTS.get(name), dtype=dtype).alias(name)
            for name, dtype in wanted.items()
            if name != "digest" or name in present
        )
    )
    if "digest" not in present:
        full = full.with_columns(pl.Series("digest", keys.digests(full, subject.stated)))
    return full.select(list(wanted))


def _column(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name).cast(dtype)
    return column.fill_null(DEFAULTS[name]) if name in DEFAULTS else column


def pack(subject: Subject, frame: pl.DataFrame, partitions: int, *, events_max: int = BLOCK_EVENTS) -> Iterator[Block]:
    """Blocks of all rows of `frame`, by partition, in the frame's order. Rows without an entity go with partition 0."""
    full = complete(subject, frame)
    home = pl.Series("partition", keys.partitions(keys.entity_keys(full), partitions))
    home = home.set(full["entity"].is_null() | full["source"].is_null(), 0) if full["entity"].null_count() else home
    for partition in range(partitions):
        mine = full.filter(home == partition)
        for piece in mine.iter_slices(events_max):
            yield Block(uuid.uuid4().hex, subject, partition, piece)


def decode(subject: Subject, value: bytes | None, *, block_id: str, partition: int) -> Block:
    """The block in a record's value. Raises UndecodableError for anything that is no Arrow stream of such columns.

    An event of a type or schema that is not known here keeps all it states, as JSON in `original`.
    """
    try:
        frame = _kept_whole(subject, ipc.frame_of(_table(subject, value or b"")))
        return Block(block_id, subject, partition, complete(subject, frame))
    except BoundsError as error:
        raise UndecodableError(str(error), reason="too_large") from error
    except _NO_BLOCK as error:
        raise UndecodableError(f"no Arrow IPC stream of a block's columns: {error}") from error


def _table(subject: Subject, value: bytes) -> pa.Table:
    """The table in a stream, of sound arrays only: what lies would crash the next reader, not raise in it."""
    check_bounds(value, rows_max=BLOCK_ROWS_MAX, bytes_max=BLOCK_UNPACKED_BYTES_MAX)
    table = ipc.read(value)
    table.validate(full=True)
    if not set(table.schema.names) & set(columns(subject)):
        raise ValueError("it has no column of this subject")
    if any("\0" in name for name in table.schema.names):
        raise ValueError("a column's name holds a NUL")  # which ends it on the way from one library to the other
    check_kinds(table, bytes_max=BLOCK_UNPACKED_BYTES_MAX)
    return table


def _kept_whole(subject: Subject, frame: pl.DataFrame) -> pl.DataFrame:
    """Write what strange events state in columns that no block has into `original`: it will be their dead letter."""
    known = columns(subject)
    if not set(frame.columns) - set(known):
        return frame
    judged = complete(subject, frame).select("original", strange=_is_strange(subject))
    originals, strange = judged["original"].to_list(), judged["strange"].to_list()
    for place in (place for place, here in enumerate(strange) if here and originals[place] is None):
        stated = {name: value for name, value in _row(frame, place).items() if value is not None}
        originals[place] = msgspec.json.encode(stated, enc_hook=str)[:ORIGINAL_BYTES_MAX]
    return frame.with_columns(pl.Series("original", originals, pl.Binary))


def _row(frame: pl.DataFrame, place: int) -> dict[str, Any]:
    """What a row states; times of years that Python does not have as the numbers that they are."""
    try:
        return frame.row(place, named=True)
    except (pl.exceptions.PanicException, OverflowError, ValueError):
        numbers = frame.select(pl.col(pl.Datetime, pl.Date, pl.Duration, pl.Time).to_physical())
        return frame.with_columns(numbers).row(place, named=True)


def _is_strange(subject: Subject) -> pl.Expr:
    return ~pl.col("type").is_in(subject.types).fill_null(value=False) | (pl.col("schema") > SCHEMA)


def schema_of(subject: Subject) -> pa.Schema:
    """The Arrow schema of a block of this subject, for documents and other languages."""
    return pl.DataFrame(schema=columns(subject)).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
