"""The barrier: a lease during which the sink stores nothing, for whoever must read a state that stands still."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEASE_SECONDS_MAX = 600.0


class BarrierError(RuntimeError):
    """The barrier cannot be taken or given back now; the message says why."""


class Barrier:
    """One lease at a time, each with an end: who took it and died does not stop the line."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lease = ""
        self._ends = 0.0
        self._applying = False
        self._closed = False
        self.leases = 0
        """How many were given."""

    def hold(self, seconds: float) -> str:
        """Wait for the batch in hand, then keep the next from starting for `seconds`; the lease.

        Raises BarrierError while somebody else holds it, or when the batch is not finished within `seconds`.
        """
        _check(seconds)
        with self._changed:
            if self._held():
                raise BarrierError(f"held by another lease for {self._ends - time.monotonic():.1f} s more")
            lease = self._lease = secrets.token_hex(8)
            self._ends = time.monotonic() + seconds
            if not self._changed.wait_for(lambda: not self._applying, seconds):
                self._lease = ""
                raise BarrierError(f"the batch in hand was not stored within {seconds:g} s")
            self._ends = time.monotonic() + seconds
            self.leases += 1
            return lease

    def renew(self, lease: str, seconds: float) -> None:
        """Let a lease begin anew, for `seconds`. Raises BarrierError when it has ended."""
        _check(seconds)
        with self._changed:
            self._require(lease)
            self._ends = time.monotonic() + seconds

    def release(self, lease: str) -> None:
        """Give it back. Raises BarrierError when the lease has ended: what was read under it may have moved."""
        with self._changed:
            self._require(lease)
            self._lease = ""
            self._changed.notify_all()

    def close(self) -> None:
        """Let whoever waits go: the process ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def batch(self) -> Iterator[bool]:
        """Wait until nobody holds it and keep it while the block runs. Gives False when it was closed meanwhile."""
        with self._changed:
            while self._held() and not self._closed:
                self._changed.wait(max(0.0, self._ends - time.monotonic()))
            self._applying = not self._closed
        try:
            yield self._applying
        finally:
            with self._changed:
                self._applying = False
                self._changed.notify_all()

    def _held(self) -> bool:
        return bool(self._lease) and time.monotonic() < self._ends

    def _require(self, lease: str) -> None:
        if not self._held() or not secrets.compare_digest(lease.encode(), self._lease.encode()):
            raise BarrierError("there is no such lease, or it has ended")


def _check(seconds: float) -> None:
    if not 0 < seconds <= LEASE_SECONDS_MAX:
        raise BarrierError(f"a lease lasts more than 0 and at most {LEASE_SECONDS_MAX:g} seconds, not {seconds:g}")
