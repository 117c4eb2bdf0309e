"""The list of mutants fits the code, and its runner tells who is killed from who survives."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from hotline import accept
from tests.mutants.listed import MUTANTS, NEXT
from tests.mutants.mutant import ROOT, MutantError
from tests.mutants.running import Verdict, copied, judged

if TYPE_CHECKING:
    from pathlib import Path

GIVEN_UP = next(mutant for mutant in MUTANTS if mutant.name == "records given up count as one")


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_mutant_fits_the_code_and_has_tests() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    for mutant in MUTANTS:
        code = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert mutant.broken(code) != code, mutant.name
        compile(mutant.broken(code), mutant.file, "exec")
        assert mutant.tests, mutant.name
        for test in mutant.tests:
            file, _, name = test.partition("::")
            assert name.partition("[")[0] in functions(file), f"{mutant.name}: {test}"


def test_a_mutant_whose_text_is_gone_or_stands_twice_is_an_error_that_names_the_file() -> None:
    for code, times in (("", 0), (GIVEN_UP.text * 2, 2)):
        with pytest.raises(MutantError, match=f"{times} times in {GIVEN_UP.file}"):
            GIVEN_UP.broken(code)


def test_the_runner_tells_who_is_killed_from_who_survives(tmp_path: Path) -> None:
    """Processes that tests start import the copy, too."""
    with copied() as copy:
        asked = [sys.executable, "-P", "-c", "import hotline.accept; print(hotline.accept.__file__)"]
        child = subprocess.run(asked, cwd=tmp_path, env=copy.environment, capture_output=True, text=True, check=True)
        assert child.stdout.strip() == str(copy.folder / GIVEN_UP.file)
        assert child.stdout.strip() != accept.__file__
        copy.change(replace(GIVEN_UP, becomes=f"{GIVEN_UP.text}  # as it was"))
        assert copy.test(NEXT).verdict is Verdict.SURVIVED
        copy.change(GIVEN_UP)
        killed = copy.test(GIVEN_UP.tests)
        assert (killed.verdict, killed.killer) == (Verdict.KILLED, NEXT[0])
    assert not copy.folder.exists()


@pytest.mark.parametrize("code", [1, 2, 4, 5], ids=["set-up", "collecting", "no such test", "no tests"])
def test_an_error_that_is_no_failure_of_a_test_kills_nobody(code: int) -> None:
    done = subprocess.CompletedProcess([], code, "ERROR tests/hotline/test_accept.py - ImportError: cannot import name")
    assert judged(done, 1.0).verdict is Verdict.UNTRIED
