"""A sample of the mutated records, under one seed that stays and one that is new; `make soak` has a million of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hotline.dead_letters import REASONS
from tests.fuzz.child import target_named
from tests.fuzz.faulty import KINDS, Faulty
from tests.fuzz.flight import Summary, fly
from tests.fuzz.targets import draw_of

if TYPE_CHECKING:
    from pathlib import Path

FIXED_SEED = 20230501
SAMPLE = {"intake": 1500, "blocks": 150, "adapters": 400, "door": 150}
"""Records of each target under the seed that stays, and half as many under the other: blocks take longest by far."""
GOOD = {"intake": "good", "blocks": "counted", "adapters": "lines with events", "door": "status 200"}
FAULTY_SEED, FAULTY_CASES = 190, 14
"""A seed under which that many cases have every fault."""
FAULTY = "tests.fuzz.faulty:Faulty"


@pytest.mark.parametrize("seed", [FIXED_SEED, None], ids=["the fixed seed", "a new seed"])
@pytest.mark.parametrize("target", SAMPLE)
def test_whatever_a_record_holds_it_is_accounted_for_and_nothing_dies_hangs_or_grows(
    target: str, seed: int | None, tmp_path: Path
) -> None:
    chosen = random.SystemRandom().randrange(2**31) if seed is None else seed
    records = SAMPLE[target] // (2 if seed is None else 1)
    summary = fly(target, seed=chosen, records=records, folder=tmp_path)
    assert not summary.faults, summary.told()
    assert summary.records >= records
    assert summary.verdicts[GOOD[target]] > 0, summary.told()
    others = [name for name in summary.verdicts if name in REASONS or name.startswith("status 4")]
    assert len(others) >= 3, summary.told()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return fly(FAULTY, seed=FAULTY_SEED, records=FAULTY_CASES, folder=tmp_path_factory.mktemp("faulty"), hang_cpu_s=0.5)


def test_a_process_that_dies_hangs_or_lies_is_found_and_the_rest_is_judged(faulty: Summary) -> None:
    drawn = [Faulty().case(draw_of(FAULTY_SEED, FAULTY, number)).more for number in range(FAULTY_CASES)]
    bad = [(number, kind) for number, kind in enumerate(drawn) if kind != "good"]
    assert {kind for _, kind in bad} == set(KINDS) - {"good"}, "another seed is needed"
    assert faulty.records == FAULTY_CASES
    for fault, (number, _) in zip(faulty.faults, bad, strict=True):
        assert f"--seed {FAULTY_SEED} --case {number}\n" in fault


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("dies", "the process ended with -6"),
        ("ends", "the process ended with 3"),
        ("hangs", "it hangs"),
        ("is slow", "s of CPU; 0.1 s are the most"),
        ("waits", "4 times; 0.4 s are the most"),
        ("raises", "ValueError: as drawn"),
        ("panics", "PanicError"),
        ("breaks a claim", "FaultError: as drawn"),
    ],
)
def test_each_kind_of_fault_is_told_with_the_record_that_makes_it(faulty: Summary, kind: str, said: str) -> None:
    number = next(n for n in range(FAULTY_CASES) if Faulty().case(draw_of(FAULTY_SEED, FAULTY, n)).more == kind)
    (fault,) = [one for one in faulty.faults if f"--case {number}\n" in one]
    assert said in fault
    assert f"-{number}.bin" in fault


def test_memory_that_grows_is_found(tmp_path: Path) -> None:
    summary = Summary("any", 1, resident=[200 << 20] * 300 + [500 << 20] * 300)
    assert summary.growth_bytes == 300 << 20
    assert Summary("any", 1, resident=[200 << 20] * 600).growth_bytes == 0


@pytest.mark.parametrize("target", SAMPLE)
def test_a_record_follows_from_its_seed_and_number_alone(target: str) -> None:
    for number in range(20):
        one, again = (target_named(target).case(draw_of(3, target, number)) for _ in range(2))
        assert (one.value, one.records) == (again.value, again.records)
    assert (
        target_named(target).case(draw_of(4, target, 0)).value != target_named(target).case(draw_of(3, target, 0)).value
    )
