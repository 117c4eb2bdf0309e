"""The terminal's keys: read one by one, unseen, and everything as it was before when the block ends."""

import os
import re
import select
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import FrameType


class Key(StrEnum):
    """Keys that are no letter."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"


_SEQUENCES = {
    "A": Key.UP,
    "B": Key.DOWN,
    "C": Key.RIGHT,
    "D": Key.LEFT,
    "H": Key.HOME,
    "F": Key.END,
    "1~": Key.HOME,
    "4~": Key.END,
    "5~": Key.PAGE_UP,
    "6~": Key.PAGE_DOWN,
}
_READ_BYTES = 256
_PRESSED = re.compile(r"\x1b[\[O]([0-9;]*[A-Za-z~])|(.)", re.DOTALL)


def decode(typed: bytes) -> list[str]:
    """The keys in what a terminal sent: letters in lower case, other keys by `Key`, unknown ones not at all."""
    found = []
    for sequence, letter in _PRESSED.findall(typed.decode("utf-8", "ignore")):
        key = _SEQUENCES.get(sequence) if sequence else letter.lower()
        if key and key.isprintable():
            found.append(key)
    return found


class Keys:
    """Keys as they are pressed; a change of the terminal's size wakes the one who waits."""

    def __init__(self, terminal: int | None, woken: int) -> None:
        self._terminal = terminal
        self._woken = woken

    def wait(self, timeout_s: float) -> list[str]:
        """Wait for keys, a new size, or the time; return the keys."""
        watched = [fd for fd in (self._terminal, self._woken) if fd is not None]
        ready, _, _ = select.select(watched, [], [], max(0.0, timeout_s))
        if self._woken in ready:
            os.read(self._woken, _READ_BYTES)
        if self._terminal not in ready or self._terminal is None:
            return []
        typed = os.read(self._terminal, _READ_BYTES)
        if not typed:
            self._terminal = None  # hung up: nobody presses anything any more
        return decode(typed)


@contextmanager
def keys(terminal: int | None) -> Iterator[Keys]:
    """Read keys from a terminal, None for none; afterwards it is as it was. Ctrl-C stays KeyboardInterrupt."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def resized(_: int, __: FrameType | None) -> None:
        with suppress(BlockingIOError):  # it is awake already
            os.write(wake, b".")

    before = signal.signal(signal.SIGWINCH, resized)
    mode = termios.tcgetattr(terminal) if terminal is not None else None
    try:
        if terminal is not None:
            _press_by_press(terminal)
        yield Keys(terminal, woken)
    finally:
        if terminal is not None and mode is not None:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, mode)
        signal.signal(signal.SIGWINCH, before)
        os.close(woken)
        os.close(wake)


def _press_by_press(terminal: int) -> None:
    """No line, no echo, and no Ctrl-Z: a board put to sleep would leave the terminal as a board's."""
    tty.setcbreak(terminal)
    mode = termios.tcgetattr(terminal)
    mode[6][termios.VSUSP] = os.fpathconf(terminal, "PC_VDISABLE").to_bytes(1, "little")
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
