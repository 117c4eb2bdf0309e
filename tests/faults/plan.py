"""Which faults a seed brings, in which order, by which draws: the same for the same seed, however long each takes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PAUSE_S_MAX = 0.8
HEALED_EVERY = 3
"""One in so many faults meets a system that works; the others may meet one that still heals from the fault before."""


@dataclass(frozen=True)
class Step:
    """One fault of a plan, the `number`th from 0."""

    seed: int
    number: int
    name: str

    def draw(self) -> random.Random:
        """Give what this fault alone draws from, anew: how often another one drew makes no difference."""
        return random.Random(f"{self.seed}/{self.number}")

    @property
    def meets_health(self) -> bool:
        """Whether all that came before is healed when it happens."""
        return self.number % HEALED_EVERY == 0

    @property
    def is_timed(self) -> bool:
        """Whether it is measured how soon it is healed."""
        return self.number % HEALED_EVERY == HEALED_EVERY - 1


def plan(names: Collection[str], seed: int, times: int) -> list[Step]:
    """Give the faults of a seed, out of these names: none comes again before each of the others came."""
    return [Step(seed, number, name) for number, name in zip(range(times), _shuffled(names, seed), strict=False)]


def share(names: Collection[str], seed: int, place: int, times: int) -> list[str]:
    """Give what the `place`th of some runs, from 0, breaks of these names: runs in a row leave none out."""
    return list(islice(_shuffled(names, seed), place * times, (place + 1) * times))


def _shuffled(names: Collection[str], seed: int) -> Iterator[str]:
    draw = random.Random(f"{seed}/names")
    while True:
        yield from draw.sample(sorted(names), len(names))
