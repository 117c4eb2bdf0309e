"""Where JSON objects start and end in a stream of bytes, without reading what they hold."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from producers.adapters.lines import LINE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

# A whole string, a bracket, or the start of a string whose end is not here yet. Nothing is ever tried a second time
# (the possessive plus and star), so that a long string costs no memory.
_INSIDE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_OUTSIDE = re.compile(_INSIDE.pattern + rb'|[^\s,:\[\]{}"]+', re.DOTALL)
"""The same, and words and numbers, which have no business where objects should stand."""
_QUOTE = 0x22
_BACKSLASHES = re.compile(rb"\\*\Z")


class Raw(NamedTuple):
    """An object as it stands in the file, or something that stands in an object's place; its line counts from 1."""

    line: int
    raw: bytes
    problem: str | None


class Layout:
    """Finds the objects of a document, piece by piece; holds the object that is open, up to LINE_BYTES_MAX of it.

    Objects are sought outside of everything, in the outermost list, and in lists under one of the names in `lists`.
    """

    def __init__(self, lists: frozenset[str]) -> None:
        self._lists = {f'"{name}"'.encode() for name in lists}
        self._data = b""
        """From the start of the open object, or else from what was not looked at yet."""
        self._at = 0
        """What of `_data` was looked at."""
        self._open: list[bool] = []
        """For each open bracket: whether objects straight inside it are sought."""
        self._start: int | None = None
        self._depth = 0
        self._before = b""
        self._lost = False
        """The open object is too large; only its start is held."""
        self._line, self._counted = 1, 0
        self.line = 1
        """Where the last object began."""

    @property
    def inside(self) -> bool:
        """Whether an object, a list or a string is open."""
        return bool(self._open) or bool(self._data[self._at :].strip())

    @property
    def depth(self) -> int:
        """How many brackets are open."""
        return len(self._open)

    def feed(self, piece: bytes) -> Iterator[Raw]:
        """Give the objects that end in this piece of the document."""
        self._data += piece
        going_on = True
        while going_on:
            found, going_on = self._scan()
            yield from found
        self._forget()

    def _scan(self) -> tuple[list[Raw], bool]:
        """Read on until an object begins or ends: what was found, and whether there is more to read."""
        inside = self._start is not None
        found: list[Raw] = []
        for token in (_INSIDE if inside else _OUTSIDE).finditer(self._data, self._at):
            text = token.group()
            if self._open_ended(text, token.end()):
                return found, False
            if text[0] != _QUOTE or not inside:
                found += self._token(text, token.start(), token.end())
            self._at, self._before = token.end(), text
            if (self._start is not None) != inside:
                return found, True
        return found, False

    def _open_ended(self, text: bytes, end: int) -> bool:
        """Tell whether the rest of a string or a word may come with the next piece."""
        return text == b'"' or (end == len(self._data) and text[:1] not in b'"[]{}')

    def _token(self, text: bytes, start: int, end: int) -> Iterator[Raw]:
        if text == b"[":
            listed = self._before in self._lists
            if listed:
                self._start = None  # what is open is no object that is sought, but holds them
            self._open.append(listed or not self._open)
        elif text == b"{":
            if self._sought:
                self._start, self._depth, self.line = start, len(self._open), self._line_at(start)
            self._open.append(False)
        elif text in b"]}" and self._open:
            self._open.pop()
            if self._start is not None and len(self._open) == self._depth:
                yield self._object(end)
        elif self._sought and text != codecs.BOM_UTF8:
            yield Raw(self._line_at(start), text, "undecodable")

    @property
    def _sought(self) -> bool:
        return self._start is None and (not self._open or self._open[-1])

    def _object(self, end: int) -> Raw:
        raw = self._data[self._start : end]
        problem = "too_large" if self._lost or len(raw) > LINE_BYTES_MAX else None
        self._start, self._lost = None, False
        return Raw(self.line, raw[: LINE_BYTES_MAX + 1], problem)

    def _line_at(self, place: int) -> int:
        self._line += self._data.count(b"\n", self._counted, place)
        self._counted = place
        return self._line

    def _forget(self) -> None:
        """Let go of what is before the open object, and of most of an object that is too large."""
        first = self._at if self._start is None else self._start
        self._line_at(max(first, self._counted))
        self._data, self._at, self._counted = self._data[first:], self._at - first, self._counted - first
        self._start = None if self._start is None else 0
        if len(self._data) > 2 * LINE_BYTES_MAX:
            kept, rest = self._data[:LINE_BYTES_MAX], self._data[max(self._at, LINE_BYTES_MAX) :]
            self._line_at(len(self._data) - len(rest))
            if len(rest) > LINE_BYTES_MAX:  # a string without an end: all but its being open can go
                self._line_at(len(self._data))
                rest = b'"' + (_BACKSLASHES.search(rest) or [b""])[0]
            self._lost = self._start is not None
            self._data = (kept if self._lost else b"") + rest
            self._at = self._counted = len(self._data) - len(rest)
