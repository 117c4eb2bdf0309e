"""Faults by the hundred, in every environment: runs of the laboratory, each with a seed of its own."""

from __future__ import annotations

import multiprocessing
import random
import sys
import traceback
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.faults.recovery import Diary
from tests.faults.test_faults import ENVIRONMENTS, broken, plan_of, today

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

FAULTS_A_RUN = 25


class Run(msgspec.Struct, frozen=True):
    """One run of the laboratory: what was done, and how it ended. `failure` is None when the database was right."""

    environment: str
    seed: int
    day: str
    of: str
    """Which share of the environment's faults: seed of the soak, run, faults a run."""
    faults: list[str]
    recoveries: list[tuple[str, float]]
    """Fault, and seconds until what was sent after it was stored; not after each."""
    failure: str | None = None
    killed: dict[str, int] = {}
    """Part → how many of its processes were killed."""
    bites: dict[str, int] = {}
    """Fault → how often it met something that it broke."""

    @property
    def again(self) -> str:
        """What does it again."""
        return f"FAULTS_SEED={self.seed} FAULTS_TIMES={FAULTS_A_RUN} FAULTS_DAY={self.day} FAULTS_OF={self.of}"

    @property
    def kills(self) -> int:
        """Processes killed."""
        return sum(self.killed.values())


def kills(folder: Path, *, times: int, seed: int, at_once: int) -> Iterator[Run]:
    """Break things until so many processes were killed, environment by environment in turn, so many runs at once.

    Stacks wait for one another's parts most of the time: three at once keep two cores busy.
    """
    draw = random.Random(seed)
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as pool:
        runs = (
            pool.submit(_run, environment, draw.randrange(2**32), f"{seed}/{place}/{FAULTS_A_RUN}", folder)
            for place in count()
            for environment in ENVIRONMENTS
        )
        for run in until(times, runs, at_once):
            sys.stdout.write(f"{run.environment} {run.again}: {run.failure or 'right'}\n")
            yield run


def until(times: int, runs: Iterator[Future[Run]], at_once: int) -> Iterator[Run]:
    """Begin runs, so many at once, until so many processes were killed; those that go on then end as well.

    None begins after a run that killed nobody: it failed at its beginning, and so would the next ones.
    """
    going: set[Future[Run]] = set()
    left = times
    while left > 0 or going:
        if left > 0:
            going.update(islice(runs, at_once - len(going)))
        done, going = wait(going, return_when=FIRST_COMPLETED)
        for run in (each.result() for each in done):
            left = left - run.kills if run.kills else 0
            yield run


def _run(environment: str, seed: int, of: str, folder: Path) -> Run:
    diary, day, failure = Diary(), today(), None
    at = folder / f"{environment}-{seed}"
    at.mkdir(parents=True)
    try:
        broken(environment, seed, FAULTS_A_RUN, at, diary, day=day, of=plan_of(environment, of))
    except Exception as error:  # noqa: BLE001 the others go on, and the report names the seed
        *_, where = traceback.extract_tb(error.__traceback__)
        failure = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}"[:2000]
    return Run(
        environment, seed, day, of, diary.faults, diary.recoveries, failure, dict(diary.killed), dict(diary.bites)
    )
