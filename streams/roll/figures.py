"""Totals → numerators and denominators of every KPI over every window, and those as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hotline.catalogue import KPIS, SCOPE_NAMES, Kpi, Quantile, Stock, measures
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import NOW, WINDOWS
from streams.roll.rolling import Rolling
from streams.roll.scopes import I64, Scopes

Mask = npt.NDArray[np.bool_]

KINDS = tuple(SCOPE_NAMES)
WINDOW_NAMES = (*(window.name for window in WINDOWS), NOW)
NAMES = tuple(name for name, kpi in KPIS.items() if not isinstance(kpi.numerator, Quantile))
"""KPIs that sums give; a quantile is no sum."""


@dataclass(frozen=True)
class _Column:
    """A KPI over a window: where its totals stand. `minus` is what left a stock; a count has no `below`."""

    kpi: Kpi
    window: int
    above: int
    minus: int | None
    below: int | None


class Figures(NamedTuple):
    """Numerators and denominators of one subject, by scope and column; a denominator is 0 where there is none.

    Of each column whether a day of its window is covered: elsewhere a count of 0 is no value (see `hotline.live`).
    """

    above: I64
    below: I64
    covered: Mask

    def differs(self, other: Figures | None) -> Mask:
        """Which numbers are others than before; scopes that are new were all nothing."""
        if other is None:
            return self.something()
        more = ((0, len(self.above) - len(other.above)), (0, 0))
        found: Mask = (self.above != np.pad(other.above, more)) | (self.below != np.pad(other.below, more))
        return found

    def turned(self, other: Figures | None) -> Mask:
        """Of which columns nothing became a value, or a value nothing, with the same numbers."""
        found: Mask = self.covered != other.covered if other else self.covered
        return found

    def something(self) -> Mask:
        """Which values are of something."""
        found: Mask = (self.above != 0) | (self.below != 0)
        return found


class Board:
    """The columns of one subject."""

    def __init__(self, subject: Subject) -> None:
        columns = list(_columns(subject))
        self._window = np.array([column.window for column in columns])
        self._above = np.array([column.above for column in columns])
        self._minus = np.array([column.minus if column.minus is not None else -1 for column in columns])
        self._below = np.array([column.below if column.below is not None else -1 for column in columns])
        self._kpi = np.array([NAMES.index(column.kpi.name) for column in columns])
        self._scale = np.array([column.kpi.unit.scale for column in columns])
        self._kept = {kind: np.array([column.kpi.grain(kind) is not None for column in columns]) for kind in KINDS}

    def figures(self, rolling: Rolling, scopes: int, newest_at: int | None) -> Figures:
        """Every value of the first so many scopes, where the subject's newest event is of that instant."""
        totals = rolling.totals(scopes)
        above = totals[self._window, :, self._above] - np.where(
            (self._minus >= 0)[:, None], totals[self._window, :, self._minus], 0
        )
        below = np.where((self._below >= 0)[:, None], totals[self._window, :, self._below], 0)
        covered = np.array(rolling.covered(newest_at))[self._window]
        return Figures(np.ascontiguousarray(above.T), np.ascontiguousarray(below.T), covered)

    def kept(self, scopes: Scopes, without: Collection[str] = ()) -> Mask:
        """Which columns each scope has; those of the KPIs `without` a value nobody has."""
        kept = np.array([self._kept[kind] for kind, _ in scopes.names]).reshape(len(scopes), len(self._window))
        missing: Mask = np.isin(self._kpi, [NAMES.index(name) for name in without if name in NAMES])
        return kept & ~missing

    def rows(self, figures: Figures, chosen: Mask) -> Rows:
        """The chosen values as rows."""
        column, scope = np.nonzero(chosen.T)  # like stands by like, which takes half the bytes
        above, below = figures.above[scope, column], figures.below[scope, column]
        ratio = self._below[column] >= 0
        empty = np.where(ratio, below == 0, (above == 0) & ~figures.covered[column])
        return Rows(self._kpi[column], self._window[column], scope, above, below, ratio, empty, self._scale[column])


class Rows(NamedTuple):
    """Values one below the other: places in `NAMES` and `WINDOW_NAMES`, numbers of scopes, what they are made of."""

    kpi: I64
    window: I64
    scope: I64
    above: I64
    below: I64
    ratio: Mask
    empty: Mask
    scale: I64


def table(parts: list[Rows], scopes: Scopes) -> pa.Table:
    """Rows as a table with the columns of `hotline.live`, texts as dictionaries."""
    rows = Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    kind = np.array([KINDS.index(kind) for kind, _ in scopes.names], np.int64)
    texts = {text: place for place, text in enumerate(dict.fromkeys(value for _, value in scopes.names))}
    text = np.array([texts[value] for _, value in scopes.names], np.int64)
    divided = rows.above / np.where(rows.ratio & ~rows.empty, rows.below, 1) / np.where(rows.ratio, rows.scale, 1)
    return pa.table(
        {
            "kpi": _coded(rows.kpi, NAMES),
            "window": _coded(rows.window, WINDOW_NAMES),
            "scope_kind": _coded(kind[rows.scope], KINDS),
            "scope": _coded(text[rows.scope], tuple(texts)),
            "numerator": pa.array(rows.above),
            "denominator": pa.array(rows.below, mask=~rows.ratio),
            "value": pa.array(divided, mask=rows.empty),
        }
    )


def _coded(places: I64, names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(names, pa.string()))


def _columns(subject: Subject) -> Iterator[_Column]:
    place = {measure.column: place for place, measure in enumerate(measures(subject))}
    for kpi in (KPIS[name] for name in NAMES if KPIS[name].subject is subject):
        first, *others = (place[measure.column] for measure in kpi.measures)
        if isinstance(kpi.numerator, Stock):
            yield _Column(kpi, len(WINDOWS), first, others[0], None)
        else:
            for window in range(len(WINDOWS)):
                yield _Column(kpi, window, first, None, others[0] if others else None)


BOARDS = {name: Board(subject) for name, subject in SUBJECTS.items()}
