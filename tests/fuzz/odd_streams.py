"""Mutations of an Arrow IPC stream: its messages, the numbers in their flatbuffers, and what would unpack to far more.

Layout: the Arrow columnar format, "Encapsulated message format".
"""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Iterator

import pyarrow as pa

from tests.fuzz.spoilt_bytes import ODD_INTEGERS

_PREFIX_BYTES = 8
_CONTINUES = 0xFFFFFFFF


def encoded(table: pa.Table, *, compression: str | None = "lz4", rows_per_batch: int | None = None) -> bytes:
    """A table as a stream."""
    out = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
    with pa.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)
    return bytes(out.getvalue())


def messages(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each message of a sound stream starts, where its body does, and where it ends."""
    at = 0
    while at + _PREFIX_BYTES <= len(stream):
        mark, size = struct.unpack_from("<II", stream, at)
        if mark != _CONTINUES or not size:
            return
        body = at + _PREFIX_BYTES + size
        message = pa.ipc.read_message(pa.py_buffer(stream[at:]))
        end = body + (message.body.size if message.body is not None else 0)
        yield at, body, end
        at = end


def mutated(draw: random.Random, stream: bytes, other: bytes) -> bytes:
    """A sound stream with a number in it changed, or its messages in another order or of another stream."""
    places = list(messages(stream))
    if not places:
        return stream
    kind = draw.random()
    if kind < 0.6:
        return _odd_number(draw, stream, places)
    if kind < 0.75:
        return _odd_body(draw, stream, places)
    pieces = [stream[start:end] for start, _, end in places]
    if kind < 0.85:
        pieces += [other[start:end] for start, _, end in messages(other)]
    if kind < 0.95:
        draw.shuffle(pieces)
    else:
        pieces = pieces + pieces[:1]
    return b"".join(pieces[: draw.randrange(1, len(pieces) + 1)])


def _odd_number(draw: random.Random, stream: bytes, places: list[tuple[int, int, int]]) -> bytes:
    start, body, _ = draw.choice(places)
    width = draw.choice((2, 4, 8, 8))
    at = start + draw.randrange(0, max(1, (body - start) // width)) * width
    before = int.from_bytes(stream[at : at + width], "little")
    odd = draw.choice((*ODD_INTEGERS, before + 1, before - 1, before * 2, before + 64, -before))
    return stream[:at] + (odd & ((1 << 8 * width) - 1)).to_bytes(width, "little") + stream[at + width :]


def _odd_body(draw: random.Random, stream: bytes, places: list[tuple[int, int, int]]) -> bytes:
    """An odd number at the start of a buffer: its unpacked length, or the first offset or value in it."""
    _, body, end = draw.choice(places[1:] or places)
    if end - body < 8:
        return stream
    at = body + draw.randrange((end - body) // 8) * 8
    return stream[:at] + struct.pack("<q", draw.choice(ODD_INTEGERS)) + stream[at + 8 :]


def bomb(draw: random.Random) -> bytes:
    """One of those."""
    return bombs()[draw.randrange(len(bombs()))]


@functools.cache
def bombs() -> list[bytes]:
    """Small streams that state far more than they hold."""
    packed_zeros = pa.table({"type": pa.array([bytes(300 << 20)], pa.large_binary())})
    few = encoded(pa.table({"type": pa.nulls(77_777), "source": pa.nulls(77_777)}))
    rows_without_bytes = [few.replace(struct.pack("<q", 77_777), struct.pack("<q", rows)) for rows in (10**9, 2**40)]
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int8()), pa.array(["x" * 20_000]))
    view = struct.pack("<i4sii", 20_000, b"xxxx", 0, 0) * 200_000
    buffers = [None, pa.py_buffer(view), pa.py_buffer(b"x" * 20_000)]
    views = pa.Array.from_buffers(pa.string_view(), 200_000, buffers)
    long_names = [encoded(pa.table({"source": column})) for column in (codes, views)]
    return [encoded(packed_zeros), *rows_without_bytes, *long_names]
