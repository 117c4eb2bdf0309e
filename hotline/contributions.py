"""What changed rows add to the sums: contribution of the new row minus contribution of the row emitted before.

Sums lie in cells: (scope kind, scope, start of the local minute or hour). Only instants whose time, scopes or values
differ between the two rows are touched at all. What is left is listed once, then poured into the cells of one scope
kind after another by counting, which costs a fraction of grouping as often.

What a scope kind keeps by the hour for ever is given by minute as well, as far back as live windows reach.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hotline.catalogue import ALL, Grain, Measure, measures, scope_kinds
from hotline.columns import TIME
from hotline.fold import ENTITY
from hotline.subjects import Subject
from hotline.windows import NO_MINUTES
from hotline.zones import floor_local

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_TIME_BITS = 33
"""Bits of a cell's key that hold its start in epoch seconds; the scope's code stands above."""


class Changes(NamedTuple):
    """Changes of the sums, columns as `sums_schema`. Cells whose changes are all 0 are left out."""

    sums: pl.DataFrame
    """At the grains that are kept for ever."""
    recent: pl.DataFrame
    """By minute, of the measures that `sums` has by hour for the cell's scope kind."""


class _Stacked(NamedTuple):
    """The new rows, then those old ones that give way; what each adds, and the names and codes of its scopes."""

    adds: pl.DataFrame
    scopes: dict[str, tuple[pl.Series, I64]]
    twin: I64
    """Of each old row the place of the new one."""

    @property
    def news(self) -> int:
        """How many rows are new: the place of the first old one."""
        return len(self.adds) - len(self.twin)

    def differ(self, values: I64) -> Mask:
        """Which old rows differ from their new one in a column of stacked values."""
        return np.asarray(values[self.news :] != values[self.twin])


class _Entries:
    """What one instant contributes: places of rows, their time, and a signed value for each measure."""

    def __init__(self, row: I64, at: I64, grains: Mapping[str, Grain], values: dict[str, I64]) -> None:
        self.row, self.grains, self.values = row, grains, values
        self._at = at
        self._starts: dict[Grain, I64] = {}

    def starts(self, grain: Grain, zone: str) -> I64:
        """Start of each one's local minute or hour, worked out once for all scope kinds of a grain."""
        if grain not in self._starts:
            self._starts[grain] = floor_local(self._at, grain, zone)
        return self._starts[grain]

    def since(self, instant_s: int) -> _Entries | None:
        """Those at an instant or later; None when there are none."""
        late = self._at >= instant_s
        if not late.any():
            return None
        values = {column: value[late] for column, value in self.values.items()}
        return _Entries(self.row[late], self._at[late], self.grains, values)


@dataclass(frozen=True)
class _KindSums:
    """The changed cells of one scope kind."""

    kind: str
    scope: pl.Series
    at: I64
    values: dict[str, I64]


def sums_schema(subject: Subject) -> dict[str, pl.DataType]:
    """Columns of a frame of sums: the cell, then one column a measure."""
    cell: dict[str, pl.DataType] = {"scope_kind": pl.String(), "scope": pl.String(), "at": TIME}
    return cell | {measure.column: pl.Int64() for measure in measures(subject)}


def columns_read(subject: Subject) -> list[str]:
    """Columns of a row that decide what it contributes, the entity's included."""
    return [*ENTITY, *_reads(subject)[1]]


def contributions(
    subject: Subject, new: pl.DataFrame, old: pl.DataFrame, zone: str, *, minutes_from: int = NO_MINUTES
) -> Changes:
    """Changes of the sums when the rows `old` give way to `new`; an entity stands at most once in each, any order.

    `minutes_from` (epoch seconds): where recent minutes begin.
    """
    rows = _stacked(subject, new, old)
    entries = list(_entries(subject, rows))
    late = [entry for entry in (entry.since(minutes_from) for entry in entries) if entry]
    kinds = scope_kinds(subject)
    return Changes(
        _frame(subject, [sums for kind in kinds for sums in _kept_sums(kind, rows, entries, zone)]),
        _frame(subject, [sums for kind in kinds for sums in _recent_sums(kind, rows, late, zone)]),
    )


def _stacked(subject: Subject, new: pl.DataFrame, old: pl.DataFrame) -> _Stacked:
    reads, names = _reads(subject)
    pairs = _places(old, "old").join(_places(new, "new"), on=ENTITY) if len(old) else pl.DataFrame()
    rows = new.select(names)
    if len(pairs):
        rows = rows.vstack(old[pairs["old"]].select(names))
    return _Stacked(
        adds=rows.lazy().select(reads).collect(),
        scopes={kind: _coded(kind, rows) for kind in scope_kinds(subject)},
        twin=pairs["new"].to_numpy().astype(np.int64) if len(pairs) else np.empty(0, np.int64),
    )


def _places(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.select(ENTITY).with_row_index(name)


@functools.cache
def _reads(subject: Subject) -> tuple[list[pl.Expr], list[str]]:
    """Expressions for every instant (epoch seconds, 0 for none) and measure, and the row's columns they look at."""
    kept = measures(subject)
    instants = sorted({measure.at.name for measure in kept})
    exprs = [pl.col(name).dt.epoch("s").fill_null(0).alias(name) for name in instants]
    exprs += [measure.expr.alias(measure.column) for measure in kept]
    names = set(_scope_names(subject)).union(*(measure.reads for measure in kept))
    return exprs, sorted(names)


def _scope_names(subject: Subject) -> list[str]:
    return [kind for kind in scope_kinds(subject) if kind != ALL]


@functools.cache
def _by_instant(subject: Subject) -> dict[str, list[Measure]]:
    found: dict[str, list[Measure]] = {}
    for measure in measures(subject):
        found.setdefault(measure.at.name, []).append(measure)
    return found


def _entries(subject: Subject, rows: _Stacked) -> Iterator[_Entries]:
    moved = functools.reduce(np.logical_or, (rows.differ(codes) for _, codes in rows.scopes.values()))
    for instant, kept in _by_instant(subject).items():
        at = rows.adds[instant].to_numpy()
        values = {measure.column: rows.adds[measure.column].to_numpy() for measure in kept}
        changed = functools.reduce(np.logical_or, map(rows.differ, (at, *values.values())), moved)
        counts = at != 0
        counts[rows.news :] &= changed
        counts[rows.twin[~changed]] = False
        row = np.flatnonzero(counts)
        if len(row):
            sign = np.where(row < rows.news, 1, -1)
            signed = {column: value[row] * sign for column, value in values.items()}
            yield _Entries(row, at[row], kept[0].grains, signed)


def _kept_sums(kind: str, rows: _Stacked, entries: list[_Entries], zone: str) -> Iterator[_KindSums]:
    """The sums of one scope kind at the grains that are kept for ever."""
    mine = [(entry, entry.starts(entry.grains[kind], zone)) for entry in entries if kind in entry.grains]
    return _sums_of_kind(kind, rows, mine)


def _recent_sums(kind: str, rows: _Stacked, entries: list[_Entries], zone: str) -> Iterator[_KindSums]:
    """The minutes of what one scope kind keeps by the hour."""
    mine = [entry for entry in entries if entry.grains.get(kind) is Grain.HOUR]
    return _sums_of_kind(kind, rows, [(entry, entry.starts(Grain.MINUTE, zone)) for entry in mine])


def _sums_of_kind(kind: str, rows: _Stacked, mine: list[tuple[_Entries, I64]]) -> Iterator[_KindSums]:
    """The sums of one scope kind, of entries and the starts of their cells; nothing where nothing changed."""
    if not mine:
        return
    names, codes = rows.scopes[kind]
    keys = [(codes[entry.row] << _TIME_BITS) + starts for entry, starts in mine]
    encoded = pa.array(np.concatenate(keys)).dictionary_encode()
    cells, cell = encoded.dictionary.to_numpy(), encoded.indices.to_numpy().astype(np.int64)
    ends = np.cumsum([len(key) for key in keys])
    sums: dict[str, I64] = {}
    for (entry, _), place in zip(mine, np.split(cell, ends[:-1]), strict=True):
        for column, values in entry.values.items():
            sums[column] = np.zeros(len(cells), np.int64)
            np.add.at(sums[column], place, values)
    used = functools.reduce(np.logical_or, (column != 0 for column in sums.values()))
    if used.any():
        scope, at = names.gather(cells[used] >> _TIME_BITS), cells[used] & (2**_TIME_BITS - 1)
        yield _KindSums(kind, scope, at, {column: values[used] for column, values in sums.items()})


def _coded(kind: str, rows: pl.DataFrame) -> tuple[pl.Series, I64]:
    """Names of the scopes met, and each row's place among them."""
    if kind == ALL:
        return pl.Series([""]), np.zeros(len(rows), np.int64)
    encoded = rows[kind].rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    return pl.Series(pl.from_arrow(encoded.dictionary)), encoded.indices.to_numpy().astype(np.int64)


def _frame(subject: Subject, kinds: list[_KindSums]) -> pl.DataFrame:
    """All kinds under one another; a measure that a kind did not touch is 0 there."""
    if not kinds:
        return pl.DataFrame(schema=sums_schema(subject))
    ends = np.cumsum([len(sums.at) for sums in kinds])
    at = pl.Series(np.concatenate([sums.at for sums in kinds]) * 1000).cast(pl.Datetime("ms"))
    columns: dict[str, object] = {
        "scope_kind": pl.concat([pl.repeat(sums.kind, len(sums.at), eager=True) for sums in kinds]),
        "scope": pl.concat([sums.scope for sums in kinds]),
        "at": at.dt.replace_time_zone("UTC"),
    }
    for measure in measures(subject):
        values = np.zeros(ends[-1], np.int64)
        for sums, end in zip(kinds, ends, strict=True):
            if measure.column in sums.values:
                values[end - len(sums.at) : end] = sums.values[measure.column]
        columns[measure.column] = values
    return pl.DataFrame(columns)
