"""`python -m tests.mutants`: breaks one fence after the other and says which test notices; 1 when none did."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.mutants.listed import MUTANTS
from tests.mutants.running import Verdict, copied, tried

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.mutant import Mutant
    from tests.mutants.running import Outcome


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="NAME", default="", help="mutants with these words in their names")
    parser.add_argument("--list", action="store_true", help="name them and the tests that must notice them")
    asked = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if asked.only in mutant.name]
    if not chosen:
        parser.error(f"no mutant has {asked.only!r} in its name: --list names all")
    console = Console(width=200, highlight=False)
    if asked.list:
        console.print(_listed(chosen))
        return 0
    return _run(console, chosen)


def _run(console: Console, chosen: Sequence[Mutant]) -> int:
    """First all tests without a mutant: where one fails then, its failing with one would prove nothing."""
    with copied() as copy:
        unchanged = copy.test(sorted({test for mutant in chosen for test in mutant.tests}))
    console.print(f"without a mutant: {unchanged.verdict.value}, {unchanged.seconds:.0f} s")
    if unchanged.verdict is not Verdict.SURVIVED:
        console.print(unchanged.said, markup=False)
        return 1
    outcomes = [(mutant, _told(console, mutant)) for mutant in chosen]
    console.print(_verdicts(outcomes))
    return int(any(outcome.verdict is not Verdict.KILLED for _, outcome in outcomes))


def _told(console: Console, mutant: Mutant) -> Outcome:
    """The outcome, said at once."""
    outcome = tried(mutant)
    console.print(f"{outcome.verdict.value}, {outcome.seconds:.0f} s: {mutant.name}")
    if outcome.verdict is not Verdict.KILLED:
        console.print(outcome.said, markup=False)
    return outcome


def _listed(mutants: Sequence[Mutant]) -> Table:
    table = Table("mutant", "file", "tests")
    for mutant in mutants:
        table.add_row(mutant.name, mutant.file, "\n".join(map(_brief, mutant.tests)))
    return table


def _verdicts(outcomes: Sequence[tuple[Mutant, Outcome]]) -> Table:
    table = Table("mutant", "file", "verdict", "seconds")
    for mutant, outcome in outcomes:
        verdict = f"{outcome.verdict.value} by {_brief(outcome.killer)}" if outcome.killer else outcome.verdict.value
        table.add_row(mutant.name, mutant.file, verdict, f"{outcome.seconds:.0f}")
    return table


def _brief(test: str) -> str:
    """A test's id below tests/, without what rich would take for markup."""
    return test.removeprefix("tests/").replace("[", r"\[")


if __name__ == "__main__":
    sys.exit(main())
