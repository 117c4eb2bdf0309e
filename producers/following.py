"""Reads a log on while it grows, through rotations, until it is told to stop.

Nothing is kept of how far it came: who starts again reads the log from its beginning, and the sets absorb repeats.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from producers.adapters.errors import AdapterError
from producers.adapters.growing import Growing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from producers.adapters.adapter import Batch


class Follower:
    """Follows one file. `stop` ends it after what is there is read; `idle` is called now and then while it waits."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.idle: Callable[[], None] = lambda: None
        self._failed = False

    def readings(self, path: Path, read: Callable[[IO[bytes]], Iterator[Batch]]) -> Iterator[Iterator[Batch]]:
        """Give the file's batches, then those of the file that takes its place, and so on."""
        while not self.stop.is_set() and not self._failed:
            yield self._reading(path, read)

    def _idly(self) -> None:
        self.idle()  # which may be set after the file was opened

    def _reading(self, path: Path, read: Callable[[IO[bytes]], Iterator[Batch]]) -> Iterator[Batch]:
        with Growing(path, self.stop, self._idly) as growing:
            if not growing.wait():
                return
            try:
                yield from read(growing)  # type: ignore[arg-type] # a raw stream is all that is asked for
            except AdapterError:
                self._failed = True  # else the same file would be begun again and again
                raise
