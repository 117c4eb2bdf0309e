"""Running the tests of a mutant on a copy of the repository, which alone has it."""

from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutants.mutant import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutants.mutant import Mutant

NOT_COPIED = (".*", "build", "__pycache__", "*.egg-info")
"""What is made from the rest, or is no part of the repository."""
TEST_S_MAX = 300
SEED = 0
"""Of the random examples: the same mutant meets the same ones again."""
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_PASSED, _SOME_FAILED = 0, 1


class Verdict(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    """A test noticed it."""
    SURVIVED = "SURVIVED"
    """All its tests passed."""
    UNTRIED = "NOT TRIED"
    """Its tests did not run."""


@dataclass(frozen=True)
class Outcome:
    """The verdict, the test that noticed first, and how long it took."""

    verdict: Verdict
    killer: str
    seconds: float
    said: str
    """The end of what pytest printed."""


class Copy:
    """A copy of the repository whose code every process imports that is started with its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that are to import the copy, and of theirs: -P leaves PYTHONPATH as it is."""
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def change(self, mutant: Mutant) -> None:
        """Break one fence. Raises MutantError when its text does not occur exactly once."""
        file = self.folder / mutant.file
        file.write_text(mutant.broken(file.read_text(encoding="utf-8")), encoding="utf-8")

    def test(self, tests: Iterable[str]) -> Outcome:
        """Run tests until one fails."""
        plugins = ["-p", "no:cacheprovider", "-p", "tests.mutants.first_failure"]
        options = ["-x", "-q", "--tb=line", "--timeout", str(TEST_S_MAX), "--hypothesis-seed", str(SEED)]
        options += ["--basetemp", str(self.folder.with_name("kept-by-tests"))]
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *options, *tests],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return judged(done, time.monotonic() - started)


def judged(done: subprocess.CompletedProcess[str], seconds: float) -> Outcome:
    """What a run of pytest says; an error that is no failure of a test, as in its set-up, proves nothing."""
    failed, end = _FAILED.search(done.stdout), done.stdout[-2_000:]
    if done.returncode == _PASSED:
        return Outcome(Verdict.SURVIVED, "", seconds, end)
    if done.returncode == _SOME_FAILED and failed:
        return Outcome(Verdict.KILLED, failed[1], seconds, end)
    return Outcome(Verdict.UNTRIED, "", seconds, end)


@contextmanager
def copied() -> Iterator[Copy]:
    """Copy the repository; the copy is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hotline-mutant-") as folder:
        target = Path(folder) / "repository"
        shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        yield Copy(target)


def tried(mutant: Mutant) -> Outcome:
    """What the tests of a mutant make of it. Raises MutantError when it does not fit the code."""
    with copied() as copy:
        copy.change(mutant)
        return copy.test(mutant.tests)
