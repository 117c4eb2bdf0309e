"""Scopes as numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

I64 = npt.NDArray[np.int64]
Scope = tuple[str, str]
"""Kind and value."""
_KEY = ["scope_kind", "scope"]


class Scopes:
    """Every scope met so far, numbered as they came; a number never changes."""

    def __init__(self, names: Iterable[Scope] = ()) -> None:
        self.names: list[Scope] = []
        self._numbers: dict[Scope, int] = {}
        for name in names:
            self._number(name)

    def __len__(self) -> int:
        return len(self.names)

    def numbers(self, frame: pl.DataFrame) -> I64:
        """Number of the scope of each row, from its `scope_kind` and `scope`; new ones get the next."""
        met = frame.select(_KEY).unique(maintain_order=True)
        numbers = pl.Series("number", [self._number((kind, scope)) for kind, scope in met.iter_rows()], pl.Int64)
        found = frame.select(_KEY).join(met.with_columns(numbers), on=_KEY, how="left", maintain_order="left")
        return found["number"].to_numpy()

    def _number(self, name: Scope) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number
