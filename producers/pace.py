"""When to ask what is stored: soon for a little, and for a lot at the rate at which it is being stored."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ASK_AFTER_S, ASK_AFTER_S_MAX = 0.05, 0.4
"""The soonest and the latest to ask again. An account costs the engine ten milliseconds, which a load should not pay
ten times a second."""


class Pace:
    """Asks halfway to when all that waits should be stored, so oftener towards the end; then ever more rarely.

    `clock` gives seconds. Until a first rate is known it expects what waits at once.
    """

    def __init__(self, soonest_s: float = ASK_AFTER_S, *, clock: Callable[[], float] = monotonic) -> None:
        self._soonest_s, self._clock = soonest_s, clock
        self.begin()

    def begin(self) -> None:
        """From now on something waits, of which nobody knows how fast it is stored."""
        self._asked_at = self._stored_at = self._expected_at = self._clock()
        self.after_s = self._soonest_s
        """Seconds between the last question and the next."""

    @property
    def due(self) -> bool:
        """Whether it is time to ask."""
        return self._clock() - self._asked_at >= self.after_s

    @property
    def quiet_s(self) -> float:
        """Seconds in which nothing was found stored."""
        return self._clock() - self._stored_at

    def asked(self) -> None:
        """Somebody asks now."""
        self._asked_at = self._clock()

    def found(self, stored_bytes: int, waiting_bytes: int) -> None:
        """Take in what the question found stored since the last time, and what still waits."""
        now = self._clock()
        if stored_bytes:
            self._expected_at = now + waiting_bytes * (now - self._stored_at) / stored_bytes
            self._stored_at, self.after_s = now, self._soonest_s
        halfway_s = (self._expected_at - now) / 2 if self._expected_at > now else self.after_s * 2
        self.after_s = max(self._soonest_s, min(halfway_s, ASK_AFTER_S_MAX))
