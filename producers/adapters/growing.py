"""A file that somebody goes on writing, read on until its writer takes another one or until we are stopped."""

from __future__ import annotations

import io
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READ_BYTES = 256 * 1024
LOOK_EVERY_S = 0.2
"""How often a file is looked at: what came in meanwhile becomes a block."""
HELD_BYTES_MAX = 2 * 2**20
"""Bytes of a line without an end that are held back; a longer one is given piece by piece, to be refused."""


class Growing(io.RawIOBase):
    """Whole lines of the file as they come; ends when the path names another file, or this one was cut off.

    A file that was renamed is read to its end once the new one holds something: then its writer is done with it. What
    is written and cut off between two looks is lost. A line that has no end yet when the file was cut off, or when we
    are stopped, is not given: it is no whole line.
    """

    def __init__(self, path: Path, stop: threading.Event, idle: Callable[[], None]) -> None:
        """Open the file; `idle` is called now and then while there is nothing to read. Raises OSError."""
        super().__init__()
        self.name = str(path)
        self._path, self._stop, self._idle = path, stop, idle
        self._file = path.open("rb", buffering=0)
        self._ready = b""
        self._part = b""
        self._behind = True
        self._replaced = False
        self._ended = False
        self._last_byte: int | None = None
        """When we were stopped: where the file ended then."""
        self._looked_at = 0.0

    @property
    def caught_up(self) -> bool:
        """Whether everything that the file held at the last look was given."""
        return not self._ready and not self._behind

    def wait(self) -> bool:
        """Wait for something to read; False when nothing will come."""
        while not self._ready and not self._ended:
            self._look()
        return bool(self._ready)

    def read(self, size: int = -1, /) -> bytes:
        """Give the next bytes, waiting for them; none at the end."""
        self.wait()
        size = len(self._ready) if size < 0 else size
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def seekable(self) -> bool:
        """A file that grows is read once."""
        return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _look(self) -> None:
        if not self._behind:
            self._pause()
        if self._stop.is_set() and self._last_byte is None:
            self._last_byte = os.fstat(self._file.fileno()).st_size
        data = self._file.read(self._size())
        self._behind = len(data) == READ_BYTES
        self._looked_at = time.monotonic()
        if data:
            self._take(data)
        else:
            self._see_whether_more_may_come()

    def _size(self) -> int:
        return READ_BYTES if self._last_byte is None else max(0, min(READ_BYTES, self._last_byte - self._file.tell()))

    def _pause(self) -> None:
        """Let what comes gather until the next look."""
        self._idle()
        self._stop.wait(max(0.0, self._looked_at + LOOK_EVERY_S - time.monotonic()))

    def _take(self, data: bytes) -> None:
        whole, end, rest = (self._part + data).rpartition(b"\n")
        self._ready, self._part = whole + end, rest
        if len(rest) > HELD_BYTES_MAX:
            self._ready, self._part = self._ready + rest, b""

    def _see_whether_more_may_come(self) -> None:
        if self._stop.is_set() or self._cut_off():
            self._ended = True
        elif self._replaced:  # nothing came after the new file was begun
            self._ended, self._ready, self._part = True, self._part, b""
        else:
            self._replaced = self._writer_moved_on()
            self._behind = self._replaced

    def _cut_off(self) -> bool:
        return os.fstat(self._file.fileno()).st_size < self._file.tell()

    def _writer_moved_on(self) -> bool:
        """Tell whether the path names another file that already holds something."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino) and there.st_size > 0
