"""Ctrl-C, SIGTERM and a terminal that goes away as a wish to finish, for commands that go on until they are stopped."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producers.waiting import Waiting

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending() -> Iterator[None]:
    """End in order on SIGTERM and when the terminal goes away, as on Ctrl-C."""

    def end(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled((signal.SIGTERM, signal.SIGHUP), end):
        yield


@contextmanager
def stopping(source: "Waiting | None") -> Iterator[None]:
    """Let the first signal stop the source; the second one ends the command as usual. Does nothing without one."""
    if source is None:
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(_: int, __: FrameType | None) -> None:
        source.stop.set()
        os.write(2, b"stopping: what was read is still being stored; once more to give that up\n")
        for number, handler in before.items():
            signal.signal(number, handler)

    with _handled(SIGNALS, stop):
        yield


@contextmanager
def _handled(numbers: Iterable[signal.Signals], handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle signals so for a while, and afterwards as before."""
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
