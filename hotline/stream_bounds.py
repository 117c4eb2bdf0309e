"""What an Arrow IPC stream states of its own size, looked at before anything of it is unpacked.

A few bytes can state a great deal: packed zeros, rows of a kind that takes no bytes, a length of 2^62. Whoever unpacks
such a thing dies of it, and would again after each restart. Layouts: Arrow's `Message.fbs`, and the FlatBuffers binary
format; that the bytes are sound FlatBuffers was verified by the reader of messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_PAIR_BYTES = 16
"""Of a field node (rows, nulls) and of a buffer (place, length): two numbers of 64 bits."""
_LENGTH_BYTES = 8
"""Before a packed buffer stands how long it is unpacked; -1 says that it is not packed."""


class BoundsError(ValueError):
    """The stream holds more than anybody may send."""


def check_bounds(stream: bytes, *, rows_max: int, bytes_max: int) -> None:
    """Raise BoundsError for more rows, or more bytes once unpacked; pa.ArrowException for what is no stream."""
    rows = unpacked_bytes = 0
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(stream)):
        metadata, body = message.metadata.to_pybytes(), message.body
        try:
            for batch in _batches(metadata):
                nodes = list(_pairs(metadata, batch, 1))
                rows += max((_number(metadata, batch, 0, "<q"), *(length for length, _ in nodes)))
                unpacked_bytes += sum(_lengths(metadata, batch, memoryview(body or b"")))
        except struct.error as error:
            raise pa.ArrowInvalid("a message points outside of itself") from error
        if rows > rows_max:
            raise BoundsError(f"{rows} rows; {rows_max} are the most, split it")
        if unpacked_bytes > bytes_max:
            raise BoundsError(f"{unpacked_bytes} bytes when unpacked; {bytes_max} are the most, split it")


def _batches(metadata: bytes) -> Iterator[int]:
    """The table of the batch of rows in a message, if there is one."""
    message = _at(metadata, 0, "<I")
    kind = _number(metadata, message, 1, "<B")
    header = _target(metadata, message, 2)
    if kind == _RECORD_BATCH and header:
        yield header
    elif kind == _DICTIONARY_BATCH and header and (batch := _target(metadata, header, 1)):
        yield batch


def _lengths(metadata: bytes, batch: int, body: memoryview) -> Iterator[int]:
    """Bytes of each buffer, unpacked. Raises pa.ArrowInvalid for a length that cannot be."""
    packed = bool(_target(metadata, batch, 3))
    for place, length in _pairs(metadata, batch, 2):
        if place < 0 or length < 0 or place + length > len(body):
            raise pa.ArrowInvalid("a buffer lies outside of its message")
        stated = struct.unpack_from("<q", body, place)[0] if packed and length >= _LENGTH_BYTES else -1
        if stated < -1:
            raise pa.ArrowInvalid("a packed buffer states a length below 0")
        yield length if stated < 0 else stated


def _field(metadata: bytes, table: int, field: int) -> int:
    """Where a field of a table stands; 0 when it is left out."""
    layout = table - _at(metadata, table, "<i")
    entry = 4 + 2 * field
    if entry + 2 > _at(metadata, layout, "<H"):
        return 0
    offset = _at(metadata, layout + entry, "<H")
    return table + offset if offset else 0


def _number(metadata: bytes, table: int, field: int, form: str) -> int:
    place = _field(metadata, table, field)
    return _at(metadata, place, form) if place else 0


def _target(metadata: bytes, table: int, field: int) -> int:
    """Where the table or vector stands that a field points to; 0 when it is left out."""
    place = _field(metadata, table, field)
    return place + _at(metadata, place, "<I") if place else 0


def _pairs(metadata: bytes, table: int, field: int) -> Iterator[tuple[int, int]]:
    vector = _target(metadata, table, field)
    if not vector:
        return
    count = _at(metadata, vector, "<I")
    end = vector + 4 + count * _PAIR_BYTES
    if end > len(metadata):
        raise struct.error
    yield from struct.iter_unpack("<qq", metadata[vector + 4 : end])


def _at(metadata: bytes, place: int, form: str) -> int:
    if place < 0:
        raise struct.error
    return int(struct.unpack_from(form, metadata, place)[0])
