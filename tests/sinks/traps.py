"""Traps beside an engine: a port that sees every connection, and a folder that sees every file opened, made or written.

What the kernel reports of the folder (inotify) cannot be missed, however the file was reached.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = "hidden from readers"
_OPEN, _CREATE, _DELETE, _MODIFY, _MOVED_TO = 0x20, 0x100, 0x200, 0x2, 0x80


@dataclass
class Traps:
    """A folder with a secret, a port that answers like a web server, and what both have seen since `calm`."""

    folder: Path
    connections: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.secret.write_text(HIDDEN + "\n")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._watch = _libc().inotify_init1(os.O_NONBLOCK)
        seen = _OPEN | _CREATE | _DELETE | _MODIFY | _MOVED_TO
        assert _libc().inotify_add_watch(self._watch, str(self.folder).encode(), seen) >= 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        os.close(self._watch)

    @property
    def secret(self) -> Path:
        return self.folder / "secret.txt"

    @property
    def written(self) -> Path:
        return self.folder / "written.txt"

    def sprung(self) -> list[str]:
        """Tell what was touched since the last time."""
        found, self.connections[:] = list(self.connections), []
        try:
            found.append(f"{len(os.read(self._watch, 1 << 16))} bytes of events in the folder")
        except BlockingIOError:
            return found
        return found

    def _accept(self) -> None:
        while True:
            try:
                line, peer = self._listener.accept()
            except OSError:
                return
            with line:
                self.connections.append(f"a connection from {peer}")
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n1\n")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
