"""What is searched: which faults, how many, on which broker; and what each fence is tried against."""

from __future__ import annotations

import os
from typing import NamedTuple

from tests.faults.model import faults, fences
from tests.faults.model.fences import AGAINST_CUT_TAILS
from tests.faults.model.invariants import COUNTED_TWICE, ROWS_WRONG, STANDS, SUMS_WRONG, WRONG_NUMBERS
from tests.faults.model.rules import EVERY_FENCE, Rules
from tests.faults.model.search import Found, search

DEPTH = int(os.environ.get("HOTLINE_MODEL_DEPTH", "0"))
"""How many faults more than usual. Such searches end at `STATES_MAX` states where they would be larger."""
STATES_MAX = 1_500_000
MOVES_MAX = 1_000

OF_WORKERS = frozenset({faults.RESENT, faults.WORKER_DIES, faults.WORKER_HANGS, faults.DEPLOYED, faults.FORGOTTEN})
OF_ENGINES = frozenset({faults.ANSWER_LOST, faults.INSERT_TORN, faults.TOKENS_FORGOTTEN})
OF_SINKS = OF_ENGINES | {faults.SINK_DIES, faults.SINK_HANGS}
EVERYWHERE = OF_WORKERS | OF_SINKS
DIES, LOST, CUT = (frozenset({kind}) for kind in (faults.WORKER_DIES, faults.LOG_LOST, faults.TAILS_CUT))
CHAIN = frozenset({fences.CHAIN})
WHILE_TAILS_STAND = EVERY_FENCE - AGAINST_CUT_TAILS | CHAIN
"""Fences that stand where no tail is cut: the others cost states and do nothing there."""


class Scenario(NamedTuple):
    """One search."""

    faults_max: int
    rules: Rules
    blocks: str = "AB"
    moves_max: int = MOVES_MAX
    """Longest traces that are followed, where all of them would take minutes."""

    def searched(self) -> Found:
        """Search it, `DEPTH` faults deeper."""
        moves_max = MOVES_MAX if DEPTH else self.moves_max
        return search(self.blocks, self.faults_max + DEPTH, self.rules, moves_max=moves_max, states_max=STATES_MAX)


def embedded(*kinds: frozenset[str], slices: bool = False, without: frozenset[str] = frozenset()) -> Rules:
    """The rules of a stack with the embedded broker."""
    return Rules(durable=False, faults=frozenset().union(*kinds), fences=WHILE_TAILS_STAND - without, slices=slices)


def durable(*kinds: frozenset[str], without: frozenset[str] = frozenset()) -> Rules:
    """The rules of a stack on Kafka."""
    found = frozenset().union(*kinds)
    fenced = EVERY_FENCE if found >= CUT else WHILE_TAILS_STAND
    return Rules(durable=True, faults=found, fences=fenced - without)


SCENARIOS = {
    "any fault, embedded broker": Scenario(1, embedded(EVERYWHERE, LOST)),
    "any fault, durable broker": Scenario(1, durable(EVERYWHERE)),
    "any fault, three blocks": Scenario(1, embedded(EVERYWHERE, LOST), blocks="ABC"),
    "any fault, outputs in slices": Scenario(1, embedded(EVERYWHERE, LOST, slices=True)),
    "three faults of sinks": Scenario(3, embedded(OF_SINKS - {faults.INSERT_TORN})),
    "two faults of sinks and logs": Scenario(2, embedded(OF_SINKS, LOST)),
    "two faults of workers": Scenario(2, durable(DIES | {faults.WORKER_HANGS})),
    "two faults of workers and logs": Scenario(2, embedded(DIES, LOST)),
    "a tail that is cut": Scenario(1, durable(CUT), moves_max=25),
    "a tail that is cut and a worker that dies": Scenario(2, durable(CUT, DIES), moves_max=16),
}
"""Name → search in which nothing may be wrong."""
if DEPTH:
    SCENARIOS["a tail that is cut, in every trace"] = Scenario(1 - DEPTH, durable(CUT))


class Removal(NamedTuple):
    """A fence to be removed, what goes wrong then, and the faults that it takes."""

    kind: str
    rules: Rules
    faults_max: int = 1
    story: tuple[str, ...] = ()
    """Moves that come before the search, where it takes too many to find them."""

    def searched(self, fence: str) -> Found:
        """Search without the fence."""
        rules = self.rules._replace(fences=self.rules.fences - {fence})
        return search("AB", self.faults_max, rules, story=self.story)

    def fenced(self, moves_max: int) -> Found:
        """Search with it, as far."""
        return search("AB", self.faults_max, self.rules, moves_max=moves_max, story=self.story)


CHAINED = (fences.OFFSET, fences.SPOOL_FIRST, fences.CONNECTION)
"""Fences whose work the chain does, too, with workers that end when they are refuted."""
AN_OUTPUT_TWICE_ON_ITS_WAY = (
    *("produce A", "produce B", "a sink starts", "a worker starts at output 0"),
    *("the worker measures A of 1/0", "the worker has its output at 0", "the worker measures B of 1/1"),
    "FAULT the worker dies, its output still on its way",
    *("a worker starts at output 1", "the worker measures B of 1/1"),
    "FAULT the broker is left with 2 inputs and 0 outputs",
)
REMOVALS = {
    fences.SET: Removal(COUNTED_TWICE, durable(), faults_max=0),
    fences.OLD_ROW: Removal(SUMS_WRONG, durable(frozenset({faults.DEPLOYED}))),
    fences.ACCEPT: Removal(COUNTED_TWICE, durable(DIES)),
    fences.OFFSET: Removal(SUMS_WRONG, durable(frozenset({faults.DEPLOYED}), without=CHAIN)),
    fences.TOKEN: Removal(COUNTED_TWICE, durable(frozenset({faults.ANSWER_LOST}))),
    fences.PARTS: Removal(SUMS_WRONG, durable(frozenset({faults.INSERT_TORN}))),
    fences.MARK: Removal(COUNTED_TWICE, durable(frozenset({faults.SINK_DIES}))),
    fences.EPOCH: Removal(COUNTED_TWICE, durable(frozenset({faults.SINK_HANGS}))),
    fences.SPOOL: Removal(ROWS_WRONG, durable(frozenset({faults.SINK_DIES}))),
    fences.SPOOL_FIRST: Removal(COUNTED_TWICE, embedded(LOST, without=CHAIN)),
    fences.CONNECTION: Removal(STANDS, embedded(LOST, without=CHAIN)),
    fences.BLOCK_ID: Removal(STANDS, durable(CUT)),
    fences.DIGEST: Removal(STANDS, durable(CUT)),
    fences.CHAIN: Removal(COUNTED_TWICE, durable(CUT)._replace(kinds=WRONG_NUMBERS)),
    fences.REFUTED: Removal(STANDS, durable(CUT, DIES), faults_max=2, story=AN_OUTPUT_TWICE_ON_ITS_WAY),
    fences.LOOK: Removal(STANDS, durable(CUT)),
}
"""Fence → what happens without it."""
