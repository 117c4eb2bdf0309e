"""What is searched: which faults, how many, on which broker; and what each fence is tried against."""

from __future__ import annotations

import os
from typing import NamedTuple

from tests.faults.model import faults, fences
from tests.faults.model.fences import AGAINST_CUT_TAILS
from tests.faults.model.invariants import COUNTED_TWICE, ROWS_WRONG, STANDS, SUMS_WRONG
from tests.faults.model.rules import EVERY_FENCE, Rules
from tests.faults.model.search import Found, search

DEPTH = int(os.environ.get("HOTLINE_MODEL_DEPTH", "0"))
"""How many faults more than usual. Such searches end at `STATES_MAX` states where they would be larger."""
STATES_MAX = 1_500_000
MOVES_MAX = 1_000

OF_WORKERS = frozenset({faults.RESENT, faults.WORKER_DIES, faults.WORKER_HANGS, faults.DEPLOYED, faults.FORGOTTEN})
OF_SINKS = frozenset({faults.SINK_DIES, faults.ANSWER_LOST, faults.TOKENS_FORGOTTEN, faults.SINK_HANGS})
EVERYWHERE = OF_WORKERS | OF_SINKS
DIES, LOST, CUT = (frozenset({kind}) for kind in (faults.WORKER_DIES, faults.LOG_LOST, faults.TAILS_CUT))
WHILE_TAILS_STAND = EVERY_FENCE - AGAINST_CUT_TAILS


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


def embedded(*kinds: frozenset[str], slices: bool = False) -> Rules:
    """The rules of a stack with the embedded broker."""
    return Rules(durable=False, faults=frozenset().union(*kinds), fences=WHILE_TAILS_STAND, slices=slices)


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
    "three faults of sinks": Scenario(3, embedded(OF_SINKS)),
    "two faults of sinks and logs": Scenario(2, embedded(OF_SINKS, LOST)),
    "two faults of workers": Scenario(2, durable(DIES | {faults.WORKER_HANGS})),
    "two faults of workers and logs": Scenario(2, embedded(DIES, LOST)),
    "a tail that is cut": Scenario(1, durable(CUT), moves_max=21),
    "a tail that is cut and a worker that dies": Scenario(2, durable(CUT, DIES), moves_max=15),
}
"""Name → search in which nothing may be wrong."""


class Removal(NamedTuple):
    """A fence to be removed, what goes wrong then, and the faults that it takes."""

    kind: str
    rules: Rules
    faults_max: int = 1

    def searched(self, fence: str) -> Found:
        """Search without the fence."""
        return search("AB", self.faults_max, self.rules._replace(fences=self.rules.fences - {fence}))


REMOVALS = {
    fences.SET: Removal(COUNTED_TWICE, durable(), faults_max=0),
    fences.OLD_ROW: Removal(SUMS_WRONG, durable(frozenset({faults.DEPLOYED}))),
    fences.ACCEPT: Removal(COUNTED_TWICE, durable(DIES)),
    fences.OFFSET: Removal(SUMS_WRONG, durable(frozenset({faults.DEPLOYED}))),
    fences.TOKEN: Removal(COUNTED_TWICE, durable(frozenset({faults.ANSWER_LOST}))),
    fences.MARK: Removal(COUNTED_TWICE, durable(frozenset({faults.SINK_DIES}))),
    fences.EPOCH: Removal(COUNTED_TWICE, durable(frozenset({faults.SINK_HANGS}))),
    fences.SPOOL: Removal(ROWS_WRONG, durable(frozenset({faults.SINK_DIES}))),
    fences.SPOOL_FIRST: Removal(COUNTED_TWICE, embedded(LOST)),
    fences.CONNECTION: Removal(STANDS, embedded(LOST)),
    fences.BLOCK_ID: Removal(STANDS, durable(CUT)),
    fences.DIGEST: Removal(STANDS, durable(CUT)),
    fences.CHAIN: Removal(SUMS_WRONG, durable(CUT)),
}
"""Fence → what happens without it."""
