"""Scopes as numbers, no more than there is memory for: names of departments and categories are anybody's to state."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

I64 = npt.NDArray[np.int64]
Scope = tuple[str, str]
"""Kind and value."""
_KEY = ["scope_kind", "scope"]

SCOPES_MAX = 20_000
"""Scopes of all kinds that are rolled: several times what a large city has. With something in every window of each
they take 640 MiB, and a full set of their values is a record of 8 MiB (measured), half of what a topic takes."""
NO_NUMBER = -1

log = logging.getLogger("streams.roll")


class Scopes:
    """The scopes met so far, numbered as they came; a number never changes.

    When there are `scopes_max` nothing new gets a number: such a scope has no live value, and all others stay right.
    """

    def __init__(self, names: Iterable[Scope] = (), *, scopes_max: int = SCOPES_MAX) -> None:
        self.names: list[Scope] = []
        self.scopes_max = scopes_max
        self._told = False
        self._numbers: dict[Scope, int] = {}
        for name in names:
            self._number(name)

    def __len__(self) -> int:
        return len(self.names)

    def numbers(self, frame: pl.DataFrame) -> I64:
        """Number of the scope of each row, from its `scope_kind` and `scope`; new ones get the next, or NO_NUMBER."""
        met = frame.select(_KEY).unique(maintain_order=True)
        numbers = pl.Series("number", [self._number((kind, scope)) for kind, scope in met.iter_rows()], pl.Int64)
        found = frame.select(_KEY).join(met.with_columns(numbers), on=_KEY, how="left", maintain_order="left")
        return found["number"].to_numpy()

    def _number(self, name: Scope) -> int:
        known = self._numbers.get(name)
        if known is not None:
            return known
        if len(self.names) >= self.scopes_max:
            self._tell(name)
            return NO_NUMBER
        self.names.append(name)
        return self._numbers.setdefault(name, len(self.names) - 1)

    def _tell(self, name: Scope) -> None:
        if not self._told:
            self._told = True
            log.critical(
                "ALARM roll knows %d scopes and takes no more in: %s %r and whatever else is new has no live value; "
                "what is stored is whole. Does somebody send what is no name (ids, times) as a department or category?",
                *(self.scopes_max, *name),
            )
