"""Asking for something again and again on a thread of its own, so that the board never waits for an answer."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Polled(Generic[T]):
    """The last answer to a question that is asked every `interval_s` seconds while it is wanted."""

    def __init__(self, ask: Callable[[], T | None], *, interval_s: float, retry_s: float, wanted: bool = True) -> None:
        """`ask` gives None, or raises a StackError, when there is no answer now: it is asked again `retry_s` later."""
        self._ask = ask
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="polling", daemon=True)
        self._failure: Exception | None = None
        self._answer: T | None = None
        if wanted:
            self._wanted.set()

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End it; a question that is being asked is not waited for long."""
        self._stop.set()
        self._wanted.set()
        self._thread.join(timeout=1)

    def want(self, wanted: bool) -> None:  # noqa: FBT001  it is its whole argument
        """Ask on, or pause."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def answer(self) -> T | None:
        """The last answer, None before the first. Raises what went wrong unexpectedly."""
        if self._failure:
            raise self._failure
        return self._answer

    def _go_on(self) -> None:
        from deploy.stack.errors import StackError

        try:
            while not self._stop.is_set():
                self._wanted.wait()
                if self._stop.is_set():
                    return
                try:
                    found = self._ask()
                except StackError:
                    found = None
                if found is not None:
                    self._answer = found
                self._stop.wait(self._interval_s if found is not None else self._retry_s)
        except Exception as error:  # noqa: BLE001  the board's own thread raises it
            self._failure = error
