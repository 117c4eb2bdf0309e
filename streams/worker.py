"""The process around an app: how it starts, and how it stops."""

import asyncio
import os
import signal
import sys
from typing import Any, NoReturn

import faust

from streams.app import StreamsApp
from streams.broker_logs import limit_driver_logs
from streams.ending import end_process, tell_known_end

FINISH_WITHIN_S = 1.0


class StreamsWorker(faust.Worker):  # type: ignore[misc]
    """Faust's worker without its two-second farewell: there is nothing to flush, so a signal ends the process."""

    async def start(self) -> None:
        """Run until the end; what goes wrong on the way ends the process with a remedy."""
        try:
            await super().start()
        except Exception as error:  # noqa: BLE001
            end_process(
                f"the worker failed (broker {self.app.conf.broker}). If it never started: is the broker up? "
                "A wrong password shows as a time-out, too.",
                error=error,
            )

    def _on_sigterm(self) -> None:
        self._leave()

    def _on_sigint(self) -> None:
        self._leave()

    def _leave(self) -> None:
        if not self.app.stopping:
            self.app.stopping = True
            self._leaving = asyncio.ensure_future(_finish(self.app), loop=self.loop)


async def _finish(app: StreamsApp) -> None:
    deadline = asyncio.get_running_loop().time() + FINISH_WITHIN_S
    while app.in_hand and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - once, and soon over
        await asyncio.sleep(0.005)
    _exit()


def _exit(*_: Any) -> NoReturn:
    tell_known_end()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run_worker(app: StreamsApp, *, loglevel: str = "warn") -> NoReturn:
    """Run the app until a signal ends the process; log to stderr.

    SIGTERM and SIGINT: the records in hand get a second to finish, then the process exits with 0. A record that did
    not finish has no ack and is read again. Anything unexpected: `EXIT_UNEXPECTED`.
    """
    signal.signal(signal.SIGTERM, _exit)  # until the worker's loop has its own
    limit_driver_logs()
    worker = StreamsWorker(app, loglevel=loglevel, logfile=sys.stderr, redirect_stdouts=False, quiet=True)
    worker.spinner = None
    worker.execute_from_commandline()
    end_process("the worker returned without a signal")
