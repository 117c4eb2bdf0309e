"""What a mutant is, and how its text is put into a copy of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class MutantError(ValueError):
    """A mutant does not fit the code any more; the message says where."""


@dataclass(frozen=True)
class Mutant:
    """One fence, broken. `file` and `tests` (ids of pytest) are named from the root of the repository."""

    name: str
    """What it breaks."""
    file: str
    text: str
    """What stands there, exactly once."""
    becomes: str
    tests: tuple[str, ...]
    """Each must fail with it."""

    def broken(self, code: str) -> str:
        """The file's code with the fence broken. Raises MutantError unless its text occurs exactly once."""
        if (found := code.count(self.text)) != 1:
            raise MutantError(
                f"{self.name}: its text stands {found} times in {self.file}, which has changed. Write into "
                f"tests/mutants/listed.py what holds the fence now, or take the mutant out:\n{self.text}"
            )
        return code.replace(self.text, self.becomes)
