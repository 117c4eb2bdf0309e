"""What is done to workers from within, by a module for PYTHONPATH that looks into files.

Their clocks jump: to the time is added what a file says, whenever it says so. And roll dies in its next snapshot, where
a file asks for that: when the new state is written, and does not yet stand in the old one's place.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.stacks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_SITECUSTOMIZE = """
import sys
if "streams" in sys.orig_argv:
    import time

    class Clock:
        ahead_s, looked_at = 0, 0.0

        def look(self):
            if time.monotonic() - self.looked_at > 0.05:
                self.looked_at = time.monotonic()
                with open({file!r}) as told:
                    self.ahead_s = int(told.read() or 0)
            return self.ahead_s

    clock, stock_s, stock_ns = Clock(), time.time, time.time_ns
    time.time = lambda: stock_s() + clock.look()
    time.time_ns = lambda: stock_ns() + clock.look() * 10**9

    import os
    import signal

    def watch(event, arguments):
        if event == "os.rename" and os.path.basename(arguments[1]) == "state" and os.path.exists({dying!r}):
            os.unlink({dying!r})
            os.kill(os.getpid(), signal.SIGKILL)

    if os.environ.get("HOTLINE_AGENTS") == "roll":
        sys.addaudithook(watch)
"""
_DYING = "dying"


def pythonpath(folder: Path, file: Path) -> str:
    """Write the module into a folder, and a file that says 0; give the PYTHONPATH with which workers read the file."""
    folder.mkdir()
    set_ahead(file, 0)
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE.format(file=str(file), dying=str(folder / _DYING)))
    return os.pathsep.join([str(folder), str(ROOT)])


def set_ahead(file: Path, seconds: int) -> None:
    """Let the clocks be so many seconds ahead of the time from now on, or behind it."""
    draft = file.with_suffix(".new")
    draft.write_text(str(seconds))
    draft.replace(file)


def dying_in_snapshot(folder: Path) -> None:
    """Have roll die in its next snapshot; `folder` is that of the module."""
    (folder / _DYING).touch()


def is_to_die_in_snapshot(folder: Path) -> bool:
    """Whether it is still to die."""
    return (folder / _DYING).exists()
