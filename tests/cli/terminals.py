"""A command on a terminal of its own: what it draws, keys, sizes, and whether it leaves the terminal as it was."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_S = 60.0
_TAKES_THE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A pseudo-terminal with a process that it belongs to."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        size: tuple[int, int],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._master, self._slave = os.openpty()
        self.written = ""
        self.width, self.height = size
        self.resize(*size)
        self.before = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKES_THE_TERMINAL, *command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**env, "TERM": "xterm-256color"},
            cwd=cwd,
        )

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller, which its process is told."""
        self.width, self.height = width, height
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        """Press keys; what Ctrl-C does is the terminal's own doing."""
        os.write(self._master, keys.encode())

    def read(self, timeout_s: float = 0.1) -> None:
        """Take what was drawn."""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if ready:
            with contextlib.suppress(OSError):  # hung up
                self.written += os.read(self._master, 1 << 16).decode(errors="replace")

    def wait(self, *parts: str, gone: Sequence[str] = ()) -> list[str]:
        """Wait until all parts stand on the screen, and `gone` do not; its lines."""
        deadline = time.monotonic() + self._patience_s
        while True:
            self.read()
            shown = self.screen()
            text = "\n".join(shown)
            if all(part in text for part in parts) and not any(part in text for part in gone):
                return shown
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{parts} did not come (exit code {self.process.poll()}):\n{text}")

    def end(self) -> int:
        """Wait for the process to end; its exit code."""
        deadline = time.monotonic() + self._patience_s
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < deadline, "it does not end"
        self.read(0.2)
        return int(self.process.returncode)

    def screen(self) -> list[str]:
        """The lines of the last picture: everything since the cursor went home."""
        whole = self.written.rpartition("\x1b[?1049l")[0] or self.written
        last = whole.rpartition("\x1b[H")[2]
        return [line.rstrip() for line in re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", last).split("\r\n")]

    @property
    def restored(self) -> bool:
        """Whether the mode is as it was, the alternate screen was left, and the cursor is seen again."""
        alternate = self.written.count("\x1b[?1049h") == self.written.count("\x1b[?1049l") == 1
        shown = self.written.rfind("\x1b[?25h") > self.written.rfind("\x1b[?25l")
        return alternate and shown and termios.tcgetattr(self._slave) == self.before

    def close(self) -> None:
        """Kill what is left and hang up."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)


@contextlib.contextmanager
def terminal(*arguments: Any, **given: Any) -> Iterator[Terminal]:
    """A terminal for the duration of the block."""
    made = Terminal(*arguments, **given)
    try:
        yield made
    finally:
        made.close()


def widest(lines: Sequence[str]) -> int:
    """Cells of the widest line."""
    return max(map(cell_len, lines))
