"""A seed that is printed does the same again: the same story, the same faults, the same draws."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from tests.faults.faults import PLANS
from tests.faults.plan import plan
from tests.faults.story import story
from tests.faults.test_faults import FIXED

MUST = {
    "embedded": {"kill supervisor", "two sinks", "no room for the spool", "the disk is slow"},
    "kafka": {"kill roll in a snapshot", "partitions move", "two workers", "the engine's disk is full"},
    "lines": {"broker cut_within", "engine mute", "kill sender"},
    "cluster": {"the leader dies"},
}
"""What the fixed runs break, each time that tests run."""
DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("environment", PLANS)
def test_a_seed_gives_the_same_plan_twice(environment: str) -> None:
    seed = random.randrange(2**32)
    once, again = (plan(PLANS[environment], seed, 60) for _ in range(2))
    assert once == again
    assert [step.draw().random() for step in once] == [step.draw().random() for step in again]
    assert len({step.draw().random() for step in once}) == 60, "each fault has draws of its own"
    assert plan(PLANS[environment], seed, 7) == once[:7], "a shorter run is the beginning of a longer one"
    assert plan(PLANS[environment], seed + 1, 60) != once


def test_the_fixed_runs_break_what_they_must() -> None:
    """When faults come or go, other seeds bring these; look for such seeds then."""
    for environment, (seed, times) in FIXED.items():
        assert {step.name for step in plan(PLANS[environment], seed, times)} == MUST[environment]


@pytest.mark.parametrize("environment", PLANS)
def test_no_fault_comes_again_before_each_other_came(environment: str) -> None:
    names = set(PLANS[environment])
    steps = [step.name for step in plan(names, 3, 3 * len(names))]
    for first in range(0, len(steps), len(names)):
        assert set(steps[first : first + len(names)]) == names


def test_a_seed_and_a_day_tell_the_same_story_twice() -> None:
    once, again, later = (story(9, entities=20, pieces=6, today=day) for day in (DAY, DAY, DAY.replace(day=2)))
    assert [(piece.subject, piece.events_max, piece.events.rows()) for piece in once.pieces] == [
        (piece.subject, piece.events_max, piece.events.rows()) for piece in again.pieces
    ]
    assert once.dead == again.dead
    assert once.lives["calls"].rows() != later.lives["calls"].rows(), "the day decides when it happened"
