"""Many Arrow IPC streams as one, no value decoded: one schema message, then every other message as it came.

A stream's dictionaries come before its rows and replace those of the stream before it, as the format allows; readers
that know only one dictionary a column would read wrong texts, so a test has ClickHouse read several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What ends an Arrow IPC stream: the mark of a message, and a length of 0."""


class StreamError(ValueError):
    """The bytes are no Arrow IPC stream of plain columns."""


@dataclass(frozen=True)
class Stream:
    """A stream cut in two: the schema's message, and all others. `columns` are the schema's names."""

    schema: bytes
    messages: memoryview
    columns: tuple[str, ...]
    rows: int


def cut(value: bytes) -> Stream:
    """Cut one stream. Raises StreamError for bytes that are none."""
    try:
        buffer = pa.py_buffer(value)
        messages = pa.ipc.MessageReader.open_stream(buffer)
        schema = messages.read_next_message().serialize().to_pybytes()
        size = sum(_size(message) for message in messages)
        rows, columns = _counted(buffer)
    except (pa.ArrowException, OSError, ValueError, EOFError, StopIteration) as error:
        raise StreamError(f"not an Arrow IPC stream: {error}") from error
    if not value.startswith(schema) or len(value) - len(schema) - size not in {0, len(_END)}:
        raise StreamError("an Arrow IPC stream in another framing; write it with 8-byte alignment")
    return Stream(schema, memoryview(value)[len(schema) : len(schema) + size], columns, rows)


def join(streams: Iterable[Stream]) -> bytes:
    """One stream of all rows of streams that share their schema."""
    parts = list(streams)
    return b"".join([parts[0].schema, *(part.messages for part in parts), _END])


def _size(message: pa.Message) -> int:
    if message.type not in {"dictionary", "record batch"}:
        raise StreamError(f"a {message.type} message between the rows; write rows and their dictionaries only")
    return int(message.serialize().size)


def _counted(buffer: pa.Buffer) -> tuple[int, tuple[str, ...]]:
    """Rows and names of columns; only the first column is unpacked for it."""
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    with pa.ipc.open_stream(buffer, options=options) as reader:
        rows = sum(batch.num_rows for batch in reader)
    with pa.ipc.open_stream(buffer) as reader:
        return rows, tuple(reader.schema.names)
