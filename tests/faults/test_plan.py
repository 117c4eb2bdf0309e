"""A seed that is printed does the same again: the same story, the same faults, the same draws."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from kafka import KafkaConsumer

from streams.app import SETTINGS
from tests.faults.faults import HOURS, PATIENCE_S, PLANS, STOP_S, STOP_SHORT_S
from tests.faults.plan import plan
from tests.faults.story import story
from tests.faults.test_faults import FIXED, plan_of
from tests.soak.kills import FAULTS_A_RUN, Run

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
def test_hours_bring_all_that_a_run_brings_and_stops_longer_than_a_client_waits_for_a_broker(environment: str) -> None:
    """In a run, which has no time for that, clients on lines that break wait for less, and parts stop for longer."""
    assert PLANS[environment].items() <= HOURS[environment].items()
    waits_s = max(SETTINGS["broker_request_timeout"], KafkaConsumer.DEFAULT_CONFIG["request_timeout_ms"] / 1000)
    assert waits_s < STOP_S
    assert STOP_SHORT_S > PATIENCE_S
    of_its_own = {"embedded", "kafka"}
    assert (f"worker-0 stands still for {STOP_S:g} s" in HOURS[environment]) == (environment in of_its_own)
    assert (f"worker-0 stands still for {STOP_SHORT_S:g} s" in PLANS[environment]) == (environment == "lines")
    assert ("kill web" in HOURS[environment]) == (environment == "embedded")


@pytest.mark.parametrize("environment", PLANS)
def test_no_fault_comes_again_before_each_other_came(environment: str) -> None:
    names = set(PLANS[environment])
    steps = [step.name for step in plan(names, 3, 3 * len(names))]
    for first in range(0, len(steps), len(names)):
        assert set(steps[first : first + len(names)]) == names


@pytest.mark.parametrize("environment", HOURS)
def test_runs_of_a_soak_have_every_fault_between_them_and_are_done_again_by_what_they_print(environment: str) -> None:
    seed, most = random.randrange(2**32), len(HOURS[environment])
    runs = [plan_of(environment, f"{seed}/{place}/{FAULTS_A_RUN}") for place in range(-(-most // FAULTS_A_RUN))]
    assert {name for of in runs for name in of} == set(HOURS[environment])
    assert all(len(of) <= FAULTS_A_RUN and of.items() <= HOURS[environment].items() for of in runs)
    run = Run(environment, 5, "2026-03-01", f"{seed}/1/{FAULTS_A_RUN}", [], [])
    asked = dict(one.split("=") for one in run.again.split())
    assert plan_of(environment, asked["FAULTS_OF"]) == plan_of(environment, run.of)
    assert (int(asked["FAULTS_SEED"]), int(asked["FAULTS_TIMES"]), asked["FAULTS_DAY"]) == (5, FAULTS_A_RUN, run.day)


def test_a_seed_and_a_day_tell_the_same_story_twice() -> None:
    once, again, later = (story(9, entities=20, pieces=6, today=day) for day in (DAY, DAY, DAY.replace(day=2)))
    assert [(piece.subject, piece.events_max, piece.events.rows()) for piece in once.pieces] == [
        (piece.subject, piece.events_max, piece.events.rows()) for piece in again.pieces
    ]
    assert once.dead == again.dead
    assert once.lives["calls"].rows() != later.lives["calls"].rows(), "the day decides when it happened"
