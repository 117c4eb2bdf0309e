"""Batch after batch on one set of logs: one is applied while the next is gathered, and never more."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sinks.writer.applier import Applier
    from sinks.writer.barrier import Barrier
    from sinks.writer.gatherer import Gatherer

LOOK_EVERY_S = 2.0
_WAIT_S = 0.1


class Session:
    """Runs until told to stop, or until the logs may be others.

    `moved_on` (asked every two seconds) says that a log has a new number, `broke` that the broker was away.
    """

    def __init__(
        self,
        gatherer: Gatherer,
        applier: Applier,
        barrier: Barrier,
        stop: threading.Event,
        *,
        moved_on: Callable[[], bool],
        broke: Callable[[], bool],
    ) -> None:
        self._gatherer = gatherer
        self._applier = applier
        self._barrier = barrier
        self._stop = stop
        self._moved_on = moved_on
        self._broke = broke
        self._looked_at = time.monotonic()
        self._in_hand: Future[bool] = Future()
        self._in_hand.set_result(True)

    def run(self) -> None:
        """Run it; at the end no batch is in hand. Raises what gathering and applying raise."""
        with ThreadPoolExecutor(1, thread_name_prefix="apply") as pool:
            try:
                while not self._stop.is_set() and not self._broke() and not self._look():
                    self._step(pool)
            finally:
                if self._stop.is_set():
                    self._barrier.close()  # a batch that waits for a lease has not begun, and is read again
            self._in_hand.result()

    def _step(self, pool: ThreadPoolExecutor) -> None:
        batch = self._gatherer.gather(busy=self._busy, ended=self._stop.is_set)
        while batch and self._busy() and not self._stop.is_set():
            wait([self._in_hand], _WAIT_S)
        if self._busy():
            return
        self._in_hand.result()
        if batch and not self._stop.is_set():
            self._in_hand = pool.submit(self._applier.apply, batch)

    def _busy(self) -> bool:
        return not self._in_hand.done()

    def _look(self) -> bool:
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = time.monotonic()
        return self._moved_on()
