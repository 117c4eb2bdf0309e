"""Lines of a file as frames, a chunk at a time, whatever bytes it holds and however long its lines are."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from producers.adapters.errors import TruncatedError

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_BYTES_MAX = 2**20
"""Longest line, its end included. No byte beyond it is ever held."""


def line_frames(pieces: Iterator[bytes], chunk_bytes: int) -> Iterator[pl.DataFrame]:
    """Frames of whole lines, blank ones left out.

    Columns: `line` (counted from 1), `raw` (bytes with the line's end), `text` (without it; null unless UTF-8) and
    `problem` (too_large, undecodable or null). Raises TruncatedError after the last whole line before the cut.
    """
    before = 0
    for block in _blocks(_bounded(pieces), chunk_bytes):
        frame = _frame(block if before else block.removeprefix(codecs.BOM_UTF8), before)
        before += len(frame)
        kept = frame.filter(pl.col("text").is_null() | (pl.col("text") != ""))
        if len(kept):
            yield kept


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give the same bytes without what lines have beyond one byte more than the limit."""
    length = 0  # of the line that is not at its end yet, dropped bytes included
    for piece in pieces:
        first, last = piece.find(b"\n"), piece.rfind(b"\n")
        head = first if first >= 0 else len(piece)
        keep = min(head, max(0, LINE_BYTES_MAX + 1 - length))
        yield piece if keep == head else piece[:keep] + piece[head:]
        length = length + head if first < 0 else len(piece) - last - 1


def _blocks(pieces: Iterator[bytes], chunk_bytes: int) -> Iterator[bytes]:
    """Blocks of whole lines of at least `chunk_bytes`; the last may lack its line end, unless the file was cut.

    An empty piece says that nothing more comes for now: what is whole is given at once.
    """
    held, size = [], 0
    try:
        for piece in _sliced(pieces, chunk_bytes):
            held.append(piece)
            size += len(piece)
            if (size >= chunk_bytes and b"\n" in piece) or not piece:
                whole, rest = _cut(b"".join(held))
                if whole:
                    yield whole
                held, size = [rest], len(rest)
    except TruncatedError:
        whole, _ = _cut(b"".join(held))
        if whole:
            yield whole
        raise
    if size:
        yield b"".join(held)


def _sliced(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) <= size:
            yield piece
        else:
            yield from (piece[start : start + size] for start in range(0, len(piece), size))


def _cut(block: bytes) -> tuple[bytes, bytes]:
    end = block.rfind(b"\n") + 1
    return block[:end], block[end:]


def _frame(block: bytes, before: int) -> pl.DataFrame:
    raw = _raw_lines(block)
    text = _decoded(raw, block).str.strip_chars_end("\r\n")
    frame = pl.DataFrame({"raw": raw, "text": text}).with_row_index("line", before + 1)
    undecodable = pl.col("text").is_null()
    if b"\0" in block:
        undecodable |= pl.col("text").str.contains("\0", literal=True)
    too_large = pl.col("raw").bin.size() > LINE_BYTES_MAX
    return frame.with_columns(
        problem=pl.when(too_large).then(pl.lit("too_large")).when(undecodable).then(pl.lit("undecodable"))
    )


def _decoded(raw: pl.Series, block: bytes) -> pl.Series:
    """Give each line as text, null unless it is UTF-8."""
    try:  # polars' cast fails as a whole on one bad line, strict or not
        block.decode()
    except UnicodeDecodeError:
        return pl.Series([_text_or_none(line) for line in raw], dtype=pl.String)
    return raw.cast(pl.String)


def _text_or_none(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _raw_lines(block: bytes) -> pl.Series:
    """Lines as slices of the block's own memory."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(block):
        ends = np.append(ends, len(block))
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    return pl.Series("raw", pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends), buffers))
