"""What is in hand while it may crash this process: stated in a file before, taken back afterwards.

A native decoder that crashes takes its process along, and every successor that reads the same record. Whoever starts
finds here what the process before it died over, and how many did so in a row. A file a partition, written without
fsync: a kill of a process leaves what was written, and a power cut loses a count and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Span(NamedTuple):
    """Records of one log, from offset `first` up to `next`."""

    log: int
    first: int
    next: int

    def meets(self, other: Span) -> bool:
        """Whether some record is in both."""
        return self.log == other.log and self.first < other.next and other.first < self.next


_NOTHING = Span(0, 0, 0)
_LAYOUT = struct.Struct("<7q")
"""What is in hand, what somebody died over, and how many did."""


class InHand:
    """What one partition has in hand. Not for two threads at once, but for `let_go`."""

    def __init__(self, file: Path) -> None:
        """Take up what the process before left: if it had something in hand, it died over that. Raises OSError."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        self._held, self._suspect, self._deaths = self._read()
        if self._held != _NOTHING:
            self._deaths = self._deaths + 1 if self._held.meets(self._suspect) else 1
            self._suspect = self._held
            self.let_go()

    def deaths(self, span: Span) -> int:
        """How many processes in a row died over some of these records."""
        return self._deaths if span.meets(self._suspect) else 0

    def begin(self, span: Span) -> None:
        """State what is in hand from now on."""
        self._held = span
        self._write()

    def let_go(self) -> None:
        """Nothing is in hand: if this process ends now, no record is to blame. Any thread may call it."""
        self._held = _NOTHING
        self._write()

    def done(self) -> None:
        """What was in hand is over, and this process lives: whoever died over it did not die of it."""
        held, suspect = self._held, self._suspect
        if held.log != suspect.log or held.next >= suspect.next:
            self._suspect, self._deaths = _NOTHING, 0
        elif held.next > suspect.first:
            self._suspect = suspect._replace(first=held.next)
        self.let_go()

    def close(self) -> None:
        """Let go of the file, and say nothing."""
        os.close(self._file)

    def _read(self) -> tuple[Span, Span, int]:
        found = os.pread(self._file, _LAYOUT.size, 0)
        if len(found) < _LAYOUT.size:
            return _NOTHING, _NOTHING, 0
        numbers = _LAYOUT.unpack(found)
        return Span(*numbers[:3]), Span(*numbers[3:6]), numbers[6]

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # a full disk: the count stands still, and the line goes on
            os.pwrite(self._file, _LAYOUT.pack(*self._held, *self._suspect, self._deaths), 0)
