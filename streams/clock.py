"""The hotline's one clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from hotline.settings import Settings
from streams.connecting import connect

LOOK_EVERY_S = 60.0
ANSWER_WITHIN_S = 2
_NOW_SQL = "SELECT toUnixTimestamp64Milli(now64(3))"


def since_boot_s() -> float:
    """Seconds by a counter that nobody sets, which goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class EngineClock:
    """The engine's clock, carried on by a counter: a worker whose own clock is wrong does no harm."""

    def __init__(self, settings: Settings, counter_s: Callable[[], float] = since_boot_s) -> None:
        """Look at the engine's clock. Raises what its client raises."""
        self._client = connect(settings, answer_within_s=ANSWER_WITHIN_S)
        self._counter_s = counter_s
        self._looked_at = self._ahead_ms = 0.0
        self._look()

    def now_ms(self) -> int:
        """The engine's time in epoch milliseconds; about once a minute it is looked at again."""
        if self._counter_s() - self._looked_at >= LOOK_EVERY_S:
            self._look_again()
        return int(self._counter_s() * 1000 + self._ahead_ms)

    def _look_again(self) -> None:
        """Look, unless the engine is away: then the counter goes on as it was."""
        try:
            self._look()
        except Exception:  # noqa: BLE001 whatever an absent engine shows as
            self._looked_at = self._counter_s()

    def _look(self) -> None:
        before = self._counter_s()
        told_ms = int(self._client.query(_NOW_SQL).result_rows[0][0])
        self._looked_at = self._counter_s()
        self._ahead_ms = told_ms - (before + self._looked_at) / 2 * 1000
