"""Sums as a list of single numbers: in which minute, of which scope and measure, how many."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.catalogue import Grain, measures, scope_kinds
from hotline.subjects import Subject
from streams.roll.scopes import I64, Scopes

Mask = npt.NDArray[np.bool_]


class Cells(NamedTuple):
    """Numbers that are not 0; those of one minute, scope and measure add up."""

    at: I64
    """First second of the minute."""
    code: I64
    """Number of the scope times the count of measures, plus the place of the measure."""
    value: I64

    def where(self, which: Mask | I64) -> Cells:
        """Some of them, by a mask or by their places."""
        return Cells(self.at[which], self.code[which], self.value[which])


NOTHING = Cells(*(np.empty(0, np.int64),) * 3)


def width(subject: Subject) -> int:
    """How many measures a scope has."""
    return len(measures(subject))


def together(parts: list[Cells]) -> Cells:
    """All cells of all parts."""
    return Cells(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else NOTHING


def cells(subject: Subject, sums: pl.DataFrame, scopes: Scopes, *, hours_before: int) -> Cells:
    """Cells of a frame of sums, of those measures that it has columns of.

    What a scope kind keeps by the hour counts before the instant `hours_before` only, as if it stood in the first
    minute of its hour: from there on its minutes come in a frame of their own.
    """
    if sums.is_empty():
        return NOTHING
    at = sums["at"].dt.epoch("s").to_numpy()
    places = _places(subject, sums)
    values = _values(subject, sums, places)
    if (at >= hours_before).any():
        values = values * ~_hours(subject, sums["scope_kind"], at >= hours_before)[:, places]
    return _cells(subject, scopes.numbers(sums), at, places, values)


def recent_cells(subject: Subject, sums: pl.DataFrame, scopes: Scopes) -> Cells:
    """Cells of a frame of recent minutes, of those measures that it has columns of."""
    places = _places(subject, sums)
    at, values = sums["at"].dt.epoch("s").to_numpy(), _values(subject, sums, places)
    return _cells(subject, scopes.numbers(sums), at, places, values)


def _places(subject: Subject, sums: pl.DataFrame) -> list[int]:
    """Measures that a frame has: a worker of another catalogue may lack some."""
    return [place for place, measure in enumerate(measures(subject)) if measure.column in sums.columns]


def _values(subject: Subject, sums: pl.DataFrame, places: list[int]) -> I64:
    return sums.select(measures(subject)[place].column for place in places).to_numpy()


def _cells(subject: Subject, numbers: I64, at: I64, places: list[int], values: I64) -> Cells:
    row, column = np.nonzero(values if (numbers >= 0).all() else values * (numbers >= 0)[:, None])
    return Cells(at[row], numbers[row] * width(subject) + np.array(places)[column], values[row, column])


def _hours(subject: Subject, kinds: pl.Series, late: Mask) -> Mask:
    """Which values of which late rows stand for hours."""
    found = np.zeros((len(kinds), width(subject)), np.bool_)
    for kind in kinds.unique():
        rows = late & (kinds == kind).to_numpy()
        found[rows] = _by_hour(subject)[kind]
    return found


@functools.cache
def _by_hour(subject: Subject) -> dict[str, Mask]:
    """Scope kind → which measures it keeps by the hour."""
    return {
        kind: np.array([measure.grains.get(kind) is Grain.HOUR for measure in measures(subject)])
        for kind in scope_kinds(subject)
    }
