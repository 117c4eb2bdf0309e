"""The one way a worker gives up: say why, then end at once, so that a supervisor starts it again from its marks."""

import asyncio
import os
import sys
import traceback
from typing import NoReturn

EXIT_UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h


def end_process(why: str, *, error: BaseException | None = None) -> NoReturn:
    """Write `why` (and the traceback of `error`) to stderr and end the process with `EXIT_UNEXPECTED`.

    May be called from any thread. Nothing is flushed, committed or awaited: an orderly stop would wait for the very
    record that failed, and a record without an output is simply read again after the restart.
    """
    if error is not None:
        sys.stderr.write("".join(traceback.format_exception(error)))
    sys.stderr.write(f"FATAL {why}\n")
    sys.stderr.flush()
    os._exit(EXIT_UNEXPECTED)


def end_if_it_fails(task: asyncio.Task[None], what: str) -> None:
    """End the process when a task of the agent `what` raises; one that is cancelled does not matter."""

    def look(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and done.exception() is not None:
            end_process(f"{what} failed", error=done.exception())

    task.add_done_callback(look)
