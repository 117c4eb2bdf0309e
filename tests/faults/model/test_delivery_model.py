"""The delivery protocol, searched: nothing is wrong as designed, and something is as soon as one fence is removed."""

from __future__ import annotations

import pytest

from tests.faults.model import faults
from tests.faults.model.fences import AGAINST_CUT_TAILS, CHAIN, FENCES, REFUTED
from tests.faults.model.invariants import COUNTED_TWICE, WRONG_NUMBERS
from tests.faults.model.scenarios import CHAINED, CUT, DEPTH, MOVES_MAX, REMOVALS, SCENARIOS, Scenario, durable
from tests.faults.model.search import search


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_no_state_is_wrong_and_everything_is_stored_once_in_the_end(scenario: Scenario) -> None:
    found = scenario.searched()
    assert found.violation is None, f"\n{found}"
    assert found.quiet, "no trace was followed to its end"
    assert found.complete or scenario.moves_max < MOVES_MAX or DEPTH * scenario.faults_max, "a search was broken off"


@pytest.mark.parametrize("fence", FENCES)
def test_without_this_fence_a_wrong_state_is_found(fence: str) -> None:
    removal = REMOVALS[fence]
    without = removal.searched(fence)
    assert without.violation is not None, f"{FENCES[fence]}: nothing is wrong without it"
    assert without.violation.kind == removal.kind, f"\n{without}"
    fenced = removal.fenced(len(without.trace))
    assert fenced.violation is None, f"\n{fenced}"


@pytest.mark.parametrize("fence", CHAINED)
def test_what_this_fence_keeps_out_the_chain_keeps_out_without_it(fence: str) -> None:
    rules = REMOVALS[fence].rules
    found = search("AB", 1, rules._replace(fences=rules.fences - {fence} | {CHAIN, REFUTED}))
    assert found.complete
    assert found.violation is None, f"\n{found}"


def test_without_the_fences_against_cut_tails_numbers_are_wrong_and_not_only_late() -> None:
    rules = durable(CUT, without=AGAINST_CUT_TAILS)._replace(kinds=WRONG_NUMBERS)
    found = search("AB", 1, rules)
    assert found.violation is not None
    assert found.violation.kind == COUNTED_TWICE, f"\n{found}"


def test_a_sink_that_is_replaced_in_the_middle_of_a_batch_needs_its_spool() -> None:
    found = search("AB", 1, durable(frozenset({faults.SINK_MOVES})))
    assert found.violation is not None
    assert found.violation.kind == COUNTED_TWICE, f"\n{found}"


def test_a_trace_reads_as_a_story_and_is_a_shortest_one() -> None:
    found = REMOVALS["token"].searched("token")
    assert found.trace[-3:] == (
        "the sink inserts events",
        "FAULT the answer to the insert of events is lost",
        "the sink inserts events",
    )
    assert str(found).splitlines()[-1].startswith("==> counted twice: the tables hold the events a a b b")
    shorter = search("AB", 1, REMOVALS["token"].rules, moves_max=len(found.trace) - 1)
    assert shorter.violation is None
