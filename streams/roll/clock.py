"""What time it is: by the hotline's one clock, or in a replay by the events themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from streams.roll.state import watermark

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from streams.roll.state import State

SET_EVERY_S = 60.0
_NOW_SQL = "SELECT toUnixTimestamp64Milli(now64(3))"


class Clock(Protocol):
    """Tells the instant of the values, in epoch milliseconds."""

    def now_ms(self) -> int:
        """The instant."""
        ...

    def set(self) -> None:
        """Look at what it goes by, now and then."""
        ...


class EngineClock:
    """The engine's clock, carried on by a counter that nobody sets: a worker whose own clock is wrong does no harm."""

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._ahead_ms = 0.0
        self._set_at = -SET_EVERY_S
        self._set()

    def now_ms(self) -> int:
        """The engine's time."""
        return int(self._monotonic() * 1000 + self._ahead_ms)

    def set(self) -> None:
        """Set it again once a minute; an engine that is away leaves it as it is."""
        if self._monotonic() - self._set_at < SET_EVERY_S:
            return
        try:
            self._set()
        except Exception:  # noqa: BLE001 whatever an absent engine shows as: the counter goes on
            self._set_at = self._monotonic()

    def _set(self) -> None:
        before = self._monotonic()
        told = int(self._client.query(_NOW_SQL).result_rows[0][0])
        self._set_at = self._monotonic()
        self._ahead_ms = told - (before + self._set_at) / 2 * 1000


class EventClock:
    """The watermark of what was read."""

    def __init__(self, state: State) -> None:
        self._state = state

    def now_ms(self) -> int:
        """The watermark; 0 before the first event."""
        return watermark(self._state.read) * 1000

    def set(self) -> None:
        """Nothing to look at."""
