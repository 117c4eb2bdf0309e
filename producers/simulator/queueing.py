"""Calls in a queue: first come, first served, by the operators on shift; who waits longer than he will gives up.

A call rings at the operator who has been free the longest; ringing and talking keep him busy. An operator whose shift
ends finishes his call.
"""

from __future__ import annotations

import bisect
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producers.simulator.draws import I64, Mask


@dataclass(frozen=True)
class Demand:
    """Calls in the order in which they began to wait; whole seconds."""

    queued: I64
    patience: I64
    ring: I64
    talk: I64


@dataclass(frozen=True)
class Served:
    """What became of each call."""

    wait: I64
    """Seconds until it was answered or its caller gave up."""
    answered: Mask
    desk: I64
    """Where it rang, -1 for nowhere."""
    rang: I64
    """Seconds until it rang there; as long as the wait for nowhere."""


class Roster:
    """Desks on duty in equal parts of a day: with n operators on shift, desks 0 to n - 1."""

    def __init__(self, bounds_s: tuple[int, int], on_shift: Sequence[int] | I64) -> None:
        if min(on_shift) < 1:
            raise ValueError(
                f"{min(on_shift)} operators on shift: somebody must be there, or the last callers never end"
            )
        start, end = bounds_s
        self.on_shift = [int(count) for count in on_shift]
        parts = len(self.on_shift)
        self._starts = [start + (end - start) * part // parts for part in range(parts)]

    def part_of(self, at_s: int) -> int:
        """Which part of the day holds the instant; what is after its end belongs to the last part."""
        return max(0, bisect.bisect_right(self._starts, at_s) - 1)

    def desks(self) -> list[tuple[int, int]]:
        """When each desk is first on duty."""
        return sorted((self.next_duty(desk, self._starts[0]), desk) for desk in range(max(self.on_shift)))

    def next_duty(self, desk: int, from_s: int) -> int:
        """Find the first instant from `from_s` on at which the desk is on duty; never again is very late."""
        part = self.part_of(from_s)
        if desk < self.on_shift[part]:
            return from_s
        later = (at for at in range(part + 1, len(self.on_shift)) if desk < self.on_shift[at])
        return next((self._starts[at] for at in later), _NEVER_S)


_NEVER_S = 2**60


def serve(calls: Demand, roster: Roster) -> Served:
    """Take the calls one by one. Exact, also where the number on shift changes while callers wait."""
    free = roster.desks()
    heapq.heapify(free)
    took = [_take(free, roster, *call) for call in zip(*_lists(calls), strict=True)]
    wait, answered, desk, rang = np.array(took, np.int64).reshape(-1, 4).T
    return Served(wait, answered.astype(np.bool_), desk, rang)


def _lists(calls: Demand) -> tuple[list[int], ...]:
    return tuple(column.tolist() for column in (calls.queued, calls.patience, calls.ring, calls.talk))


def _take(
    free: list[tuple[int, int]], roster: Roster, queued: int, patience: int, ring: int, talk: int
) -> tuple[int, bool, int, int]:
    """Give a call to the desk that is free first, and say what became of it, in the order of `Served`."""
    while True:
        free_at, desk = free[0]
        begun = max(queued, free_at)
        on_duty = roster.next_duty(desk, begun)
        if on_duty == begun:
            break
        heapq.heapreplace(free, (on_duty, desk))  # its shift was over before anybody rang
    rang = begun - queued
    if rang > patience:
        return patience, False, -1, patience
    if rang + ring > patience:
        heapq.heapreplace(free, (queued + patience, desk))
        return patience, False, desk, rang
    heapq.heapreplace(free, (begun + ring + talk, desk))
    return rang + ring, True, desk, rang
