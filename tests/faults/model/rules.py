"""What one search takes for granted: the kind of broker, the fences that stand, the faults that may happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotline.measured import UNKNOWN
from tests.faults.model.fences import CHAIN, DIGEST, FENCES, LOOK
from tests.faults.model.invariants import STANDS, WRONG_NUMBERS

if TYPE_CHECKING:
    from tests.faults.model.state import Output

EVERY_FENCE = frozenset(FENCES)
EVERY_KIND = WRONG_NUMBERS | {STANDS}


class Rules(NamedTuple):
    """The rules of one search."""

    durable: bool
    """Whether the broker keeps its log when it dies (Kafka), or begins a new one (embedded)."""
    faults: frozenset[str]
    fences: frozenset[str] = EVERY_FENCE
    kinds: frozenset[str] = EVERY_KIND
    """The kinds of violations that are looked for."""
    slices: bool = False
    """Whether measure cuts a block into an output for each event; every second version does not."""

    def has(self, fence: str) -> bool:
        """Whether a fence stands."""
        return fence in self.fences

    def digest(self, output: Output) -> int:
        """The digest of an output; 0 where nobody would look at it, so that fewer states differ."""
        return abs(hash(output)) if self.fences & {DIGEST, LOOK} else 0

    def output_id(self, output: Output) -> int:
        """Its id; equal outputs have one id here, and in the product each its own."""
        return abs(hash(output)) if CHAIN in self.fences else UNKNOWN
