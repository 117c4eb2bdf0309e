"""Rows of an answer, sorted into cells: one a scope and span."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Cells = dict[str, list[int]]
"""Scope → a sum for each span."""


def cells(rows: Sequence[Sequence[Any]], starts: Sequence[int], width: int, *, split: bool) -> list[Cells]:
    """Sort rows of (epoch second inside the span, scope, values …) into spans by their starts, a `Cells` a value.

    Spans without a row are 0. Without a split there is one scope, "", whether or not there was a row.
    """
    found: list[Cells] = [{} if split else {"": [0] * len(starts)} for _ in range(width)]
    for first, scope, *values in rows:
        place = max(0, bisect_right(starts, int(first)) - 1)
        for cell, value in zip(found, values, strict=True):
            cell.setdefault(scope, [0] * len(starts))[place] += int(value or 0)
    return found
