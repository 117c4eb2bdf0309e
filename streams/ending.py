"""The one way a worker gives up: say why, then end at once, so that a supervisor starts it again from its marks."""

import asyncio
import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from hotline.ends import EXIT_UNEXPECTED

ASK_EVERY_S = 10.0
OUTAGES = (OSError, HTTPError, ClickHouseError, KafkaError)
"""What an engine or a broker that is away shows as."""

_KNOWN_END: list[Callable[[], None]] = []


def at_known_end(call: Callable[[], None]) -> None:
    """Have `call` called when this process ends for a reason that lies in no record: on a signal, in an outage."""
    _KNOWN_END.append(call)


def tell_known_end() -> None:
    """Call all who want to know that this process is about to end for such a reason."""
    for call in _KNOWN_END:
        call()


def end_process(why: str, *, error: BaseException | None = None, code: int = EXIT_UNEXPECTED) -> NoReturn:
    """Write `why` (and the traceback of `error`) to stderr and end the process with `code`.

    May be called from any thread. Nothing is flushed, committed or awaited: an orderly stop would wait for the very
    record that failed, and a record without an output is simply read again after the restart.
    """
    if error is None or isinstance(error, OUTAGES):
        tell_known_end()
    trace = "" if error is None else "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError):  # the disk that has no room for it may be why
        sys.stderr.write(f"{trace}FATAL {why}\n")
        sys.stderr.flush()
    os._exit(code)


async def end_when(why: Callable[[], str]) -> None:
    """Ask `why` in a thread every ten seconds, for ever, and end the process when it has a reason.

    What it raises is no reason: the engine it asks may be away, and what reads and writes there waits by itself.
    """
    while True:
        await asyncio.sleep(ASK_EVERY_S)
        with contextlib.suppress(Exception):
            if reason := await asyncio.to_thread(why):
                end_process(reason)


def end_if_it_fails(task: asyncio.Task[None], what: str) -> None:
    """End the process when a task of the agent `what` raises; one that is cancelled does not matter."""

    def look(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and done.exception() is not None:
            end_process(f"{what} failed", error=done.exception())

    task.add_done_callback(look)
