"""What a target is: it makes the case of a number, and judges it."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hotline.dead_letters import REASONS


class FaultError(AssertionError):
    """A claim of the fuzz does not hold for a case."""


@dataclass(frozen=True)
class Case:
    """What one case hands to the product."""

    records: int
    """How many mutated records it holds."""
    value: bytes
    """The bytes that are kept when it fails."""
    more: Any = None
    """What else the target needs."""


class Stopwatch:
    """CPU seconds spent, and seconds passed while it need not wait for a core, inside `with`, since `begin`."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew."""
        self.spent_s = 0.0
        self.passed_s = 0.0

    def __enter__(self) -> None:
        self._since_s, self._at_s = time.process_time(), _passed_s()

    def __exit__(self, *_: object) -> None:
        self.spent_s += time.process_time() - self._since_s
        self.passed_s += _passed_s() - self._at_s


def _passed_s() -> float:
    """A clock that stands still while others have the cores; the kernel tells that of a thread, in nanoseconds."""
    _, waited_ns, _ = Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()
    return time.perf_counter() - int(waited_ns) / 1e9


class Target(Protocol):
    """One door of the product."""

    records_per_case: int
    """About so many mutated records stand in a case."""
    cpu_s_max: float
    """CPU seconds that the product may take for one case."""
    passed_s_max: float
    """Seconds that may pass meanwhile; where a busy machine holds a case up, it is judged again."""
    watch: Stopwatch
    """What the product took, the checks left out."""

    def opened(self) -> AbstractContextManager[None]:
        """What must run while cases are judged."""

    def case(self, draw: random.Random) -> Case:
        """Make a case; the same one for the same draw."""

    def judge(self, case: Case) -> Counter[str]:
        """Hand it over: how many records ended how. Raises FaultError; whatever else it raises is a fault, too."""


def draw_of(seed: int, target: str, number: int) -> random.Random:
    """The draw of one case."""
    return random.Random(f"{seed}/{target}/{number}")


def claim(holds: object, told: str) -> None:
    """Raise FaultError unless it holds."""
    if not holds:
        raise FaultError(told)


def claim_closed(reasons: Counter[str]) -> None:
    """Raise FaultError for a reason that is not of the closed list."""
    strange = reasons.keys() - REASONS.keys()
    claim(not strange, f"reasons outside the closed list: {sorted(map(str, strange))}")
