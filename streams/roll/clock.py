"""What moves the windows: the hotline's clock, or in a replay the events themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streams.roll.state import watermark

if TYPE_CHECKING:
    from streams.roll.state import State


class Clock(Protocol):
    """Tells the instant of the values, in epoch milliseconds."""

    def now_ms(self) -> int:
        """The instant."""
        ...


class EventClock:
    """The highest watermark of what was read: a partition's first event may lie before those of the others."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._highest_s = 0

    def now_ms(self) -> int:
        """The watermark; 0 before the first event."""
        self._highest_s = max(self._highest_s, watermark(self._state.read))
        return self._highest_s * 1000
