"""Traffic at a multiple of real time, cut into pieces every 150 ms."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from producers.simulator.mishaps import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from producers.simulator.timeline import Events
    from producers.simulator.traffic import Traffic

TICK_S = 0.15
"""A live block holds what happened in so many real seconds: short against the second in which a board must show it."""
STEP_S_MAX = 6 * 3600
"""Most simulated seconds in a piece, when there is much to catch up with: a quarter of a day makes full blocks."""


class Pacer:
    """Gives events when their time has come: simulated time runs `speed` times as fast as the clock.

    What was late, because whoever takes the events was busy or the machine slept, comes at once. `stop` ends it before
    `end_s` is reached; either way what was held back is given as well. `idle` is called while nothing is to be done.
    """

    def __init__(
        self,
        traffic: Traffic,
        *,
        speed: float = 1.0,
        start_s: int | None = None,
        clock_s: float | None = None,
        end_s: int | None = None,
        ahead: bool = False,
        delivery: Delivery | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a pacer of the rest of `traffic`.

        The clock shows `clock_s` (epoch seconds) when the simulated time is `start_s`: by default now, when the first
        piece is asked for, and where the traffic stands. `ahead`: simulated time may pass the clock's. Raises
        ValueError for a negative speed.
        """
        if not speed >= 0:
            raise ValueError(f"a speed of {speed} goes nowhere; use a multiple of real time, or 0 for no pace at all")
        self._traffic, self._speed, self._end_s, self._ahead = traffic, speed, end_s, ahead
        self._delivery, self._clock, self._clock_s = delivery or Delivery(), clock, clock_s
        self._start_s = traffic.position_s if start_s is None else start_s
        self.stop = threading.Event()
        self.idle: Callable[[], None] = lambda: None
        self.behind_s = 0.0
        """Real seconds by which the traffic is behind its pace; 0 without a pace."""

    @property
    def simulated_s(self) -> int:
        """Everything before this instant (epoch seconds) was given or is held back as late."""
        return self._traffic.position_s

    def __iter__(self) -> Iterator[Events]:
        """Give pieces that hold something, by subject, until the end or until it is stopped."""
        while not self.stop.is_set() and not self._ended:
            due_s = self._due_s()
            step_s = min(due_s, self.simulated_s + STEP_S_MAX)
            yield from self._piece(step_s)
            if step_s == due_s and not self._ended:
                self.idle()
                self.stop.wait(TICK_S)
        if rest := self._delivery.rest():
            yield rest

    def _piece(self, until_s: float) -> Iterator[Events]:
        if arriving := self._delivery.arriving(self._traffic.until(until_s), until_s):
            yield arriving

    @property
    def _ended(self) -> bool:
        return self._end_s is not None and self.simulated_s >= self._end_s

    def _due_s(self) -> float:
        """How far the traffic should be by now."""
        now = self._clock()
        if self._clock_s is None:
            self._clock_s = now
        due = self._start_s + self._speed * (now - self._clock_s) if self._speed else float("inf")
        if not self._ahead:
            due = min(due, now)
        if self._end_s is not None:
            due = min(due, self._end_s)
        if self._speed:
            self.behind_s = max(0.0, due - self.simulated_s) / self._speed
        return due
