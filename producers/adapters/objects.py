"""JSON objects of a file, a chunk at a time: one a line, one after the other, or in a list, however it is laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from producers.adapters.errors import TruncatedError
from producers.adapters.layout import Layout, Raw
from producers.adapters.lines import LINE_BYTES_MAX, line_frames
from producers.adapters.values import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.adapters.opening import Input

LOOK_BYTES = 64 * 1024
"""How much of the start decides how a file is laid out."""


class Found(NamedTuple):
    """An object: the line at which it starts, its bytes, and what it holds, or the reason why that cannot be read."""

    line: int
    raw: bytes
    problem: str | None
    value: dict[str, Any]

    def check(self) -> None:
        """Raise RefusedError for what cannot be read."""
        if self.problem:
            raise RefusedError(self.problem)


def objects(source: Input, chunk_bytes: int, lists: frozenset[str]) -> Iterator[list[Found]]:
    """Give the file's objects in chunks, in constant memory; broken ones with their problem.

    An object is an element of the outermost list, of a list that stands under one of the names in `lists`, or an
    object that is in no list. Raises TruncatedError after the last whole object of a file that ends inside one.
    """
    head, pieces = _head(source)
    if _in_lines(head, lists):
        for frame in line_frames(pieces, chunk_bytes):
            yield [_of_line(row) for row in frame.iter_rows(named=True)]
    else:
        yield from _chunks(source.name, pieces, chunk_bytes, lists)


def _head(source: Input) -> tuple[bytes, Iterator[bytes]]:
    """Read enough to see how the file is laid out; and all of it again."""
    rest = source.pieces()
    held: list[bytes] = []
    size = 0
    cut: TruncatedError | None = None
    try:
        for piece in rest:
            held.append(piece)
            size += len(piece)
            if size >= LOOK_BYTES or (not piece and size):
                break
    except TruncatedError as error:
        cut = error

    def pieces() -> Iterator[bytes]:
        yield from held
        if cut:
            raise cut
        yield from rest

    return b"".join(held), pieces()


def _in_lines(head: bytes, lists: frozenset[str]) -> bool:
    """Whether each line is an object by itself, as far as the start tells."""
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    if not lines or lines[0].lstrip().startswith(b"["):
        return not lines
    if lines[0].lstrip().startswith(b"{"):
        first = _decoded(lines[0])
        # A first line that is broken does not hide that the next ones are whole.
        return not lists & first.keys() if first else any(_decoded(line) for line in lines[1:] if line[:1] == b"{")
    return True


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _of_line(row: dict[str, Any]) -> Found:
    value = None if row["problem"] else _decoded(row["raw"])
    problem = row["problem"] or (None if value is not None else "undecodable")
    return Found(row["line"], row["raw"], problem, value or {})


def _chunks(source: str, pieces: Iterator[bytes], chunk_bytes: int, lists: frozenset[str]) -> Iterator[list[Found]]:
    """Objects of a file that is laid out in any other way; gives what there is when nothing more comes for now."""
    layout = Layout(lists)
    held: list[Found] = []
    size = 0
    cut: TruncatedError | None = None
    try:
        for piece in pieces:
            for raw in layout.feed(piece):
                held.append(_of_layout(raw))
                size += len(raw.raw)
            _check_depth(source, layout)
            if held and (size >= chunk_bytes or not piece):
                yield held
                held, size = [], 0
    except TruncatedError as error:
        cut = error
    if held:
        yield held
    if cut:
        raise cut
    if layout.inside:
        raise TruncatedError(source, f"the JSON ends too early, inside what begins at line {layout.line}")


def _check_depth(source: str, layout: Layout) -> None:
    """Raise TruncatedError for more open brackets than an object has bytes: each of them is remembered."""
    if layout.depth > LINE_BYTES_MAX:
        raise TruncatedError(source, f"brackets nest without end, at line {layout.line} and after it")


def _of_layout(raw: Raw) -> Found:
    value = None if raw.problem else _decoded(raw.raw)
    problem = raw.problem or (None if value is not None else "undecodable")
    return Found(raw.line, raw.raw, problem, value or {})
