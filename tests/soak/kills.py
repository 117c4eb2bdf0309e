"""Faults by the hundred, in every environment: runs of the laboratory, each with a seed of its own."""

from __future__ import annotations

import random
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.faults.faults import HOURS
from tests.faults.recovery import Diary
from tests.faults.test_faults import ENVIRONMENTS, broken, today

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS_A_RUN = 25


class Run(msgspec.Struct, frozen=True):
    """One run of the laboratory: what was done, and how it ended. `failure` is None when the database was right."""

    environment: str
    seed: int
    day: str
    faults: list[str]
    recoveries: list[tuple[str, float]]
    """Fault, and seconds until what was sent after it was stored; not after each."""
    failure: str | None = None
    killed: dict[str, int] = {}
    """Part → how many of its processes were killed."""
    bites: dict[str, int] = {}
    """Fault → how often it met something that it broke."""

    @property
    def kills(self) -> int:
        """Processes killed."""
        return sum(self.killed.values())


def kills(folder: Path, *, times: int, seed: int) -> Iterator[Run]:
    """Break things until so many processes were killed, environment by environment in turn.

    Ends after a run that killed nobody: it failed at its beginning, and so would the next ones.
    """
    draw, killed, number = random.Random(seed), 0, 0
    while killed < times:
        for environment in ENVIRONMENTS:
            at = folder / str(number)
            at.mkdir(parents=True)
            run = _run(environment, draw.randrange(2**32), at)
            sys.stdout.write(
                f"{environment} FAULTS_SEED={run.seed} FAULTS_TIMES={FAULTS_A_RUN} FAULTS_DAY={run.day}: "
                f"{run.failure or 'right'}\n"
            )
            yield run
            killed, number = killed + run.kills, number + 1
            if not run.kills:
                return


def _run(environment: str, seed: int, folder: Path) -> Run:
    diary, day, failure = Diary(), today(), None
    try:
        broken(environment, seed, FAULTS_A_RUN, folder, diary, day=day, of=HOURS[environment])
    except Exception as error:  # noqa: BLE001 the others go on, and the report names the seed
        *_, where = traceback.extract_tb(error.__traceback__)
        failure = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}"[:2000]
    return Run(environment, seed, day, diary.faults, diary.recoveries, failure, dict(diary.killed), dict(diary.bites))
