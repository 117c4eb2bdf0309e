"""What changed rows add to the sums: contribution of the new row minus contribution of the row emitted before.

Sums lie in cells: (scope kind, scope, start of the local minute or hour). Only instants whose time, scopes or values
differ between the two rows are touched at all. What is left is listed once, then poured into the cells of one scope
kind after another by counting, which costs a fraction of grouping as often.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hotline.catalogue import ALL, Grain, Measure, measures, scope_kinds
from hotline.fold import ENTITY
from hotline.subjects import TIME, Subject
from hotline.zones import floor_local

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_TIME_BITS = 33
"""Bits of a cell's key that hold its start in epoch seconds; the scope's code stands above."""


@dataclass(frozen=True)
class _Entries:
    """What one instant contributes: stacked rows (new, then old), their time, and a signed value for each measure."""

    row: I64
    at: I64
    grains: dict[str, Grain]
    values: dict[str, I64]


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


def contributions(subject: Subject, new: pl.DataFrame, old: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Changes of the sums when the rows `old` give way to `new`; an entity stands at most once in each, any order.

    Cells whose changes are all 0 are left out. Columns as `sums_schema`.
    """
    reads, names = _reads(subject)
    rows = new.select(*ENTITY, *names)
    before = rows.select(ENTITY).join(old.select(*ENTITY, *names), on=ENTITY, how="left", maintain_order="left")
    after_, before_ = rows.lazy().select(reads).collect(), before.lazy().select(reads).collect()
    moved = _moved(subject, rows, before)
    entries = list(_entries(subject, after_, before_, moved))
    scopes = pl.concat([rows.select(_scope_names(subject)), before.select(_scope_names(subject))])
    kinds = [sums for kind in scope_kinds(subject) for sums in _sums_of_kind(kind, scopes, entries, zone)]
    return _frame(subject, kinds) if kinds else pl.DataFrame(schema=sums_schema(subject))


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


def _moved(subject: Subject, rows: pl.DataFrame, before: pl.DataFrame) -> Mask:
    """Rows that changed any scope: all their instants count anew."""
    moved = np.zeros(len(rows), bool)
    for kind in _scope_names(subject):
        moved |= (rows[kind] != before[kind]).fill_null(value=False).to_numpy()
    return moved


@functools.cache
def _by_instant(subject: Subject) -> dict[str, list[Measure]]:
    found: dict[str, list[Measure]] = {}
    for measure in measures(subject):
        found.setdefault(measure.at.name, []).append(measure)
    return found


def _entries(subject: Subject, after: pl.DataFrame, before: pl.DataFrame, moved: Mask) -> Iterator[_Entries]:
    for instant, kept in _by_instant(subject).items():
        at_new, at_old = after[instant].to_numpy(), before[instant].to_numpy()
        changed = moved | (at_new != at_old)
        for measure in kept:
            changed = changed | (after[measure.column].to_numpy() != before[measure.column].to_numpy())
        new, old = np.flatnonzero(changed & (at_new != 0)), np.flatnonzero(changed & (at_old != 0))
        if len(new) + len(old):
            yield _Entries(
                row=np.concatenate([new, old + len(after)]),
                at=np.concatenate([at_new[new], at_old[old]]),
                grains=dict(kept[0].grains),
                values={
                    m.column: np.concatenate([after[m.column].to_numpy()[new], -before[m.column].to_numpy()[old]])
                    for m in kept
                },
            )


def _sums_of_kind(kind: str, scopes: pl.DataFrame, entries: list[_Entries], zone: str) -> Iterator[_KindSums]:
    """The sums of one scope kind; nothing where nothing changed."""
    mine = [entry for entry in entries if kind in entry.grains]
    if not mine:
        return
    names, codes = _codes(kind, scopes)
    keys = [(codes[entry.row] << _TIME_BITS) + floor_local(entry.at, entry.grains[kind], zone) for entry in mine]
    encoded = pa.array(np.concatenate(keys)).dictionary_encode()
    cells, cell = encoded.dictionary.to_numpy(), encoded.indices.to_numpy()
    ends = np.cumsum([len(key) for key in keys])
    sums: dict[str, I64] = {}
    for entry, place in zip(mine, np.split(cell, ends[:-1]), strict=True):
        for column, values in entry.values.items():
            sums[column] = _pour(place, values, len(cells))
    used = functools.reduce(np.logical_or, (column != 0 for column in sums.values()))
    if used.any():
        scope, at = names.gather(cells[used] >> _TIME_BITS), cells[used] & (2**_TIME_BITS - 1)
        yield _KindSums(kind, scope, at, {column: values[used] for column, values in sums.items()})


def _pour(cell: I64, values: I64, cells: int) -> I64:
    """Sum of the values in each cell; exact, because every partial sum stays below 2^53."""
    return np.bincount(cell, weights=values, minlength=cells).astype(np.int64)


def _codes(kind: str, scopes: pl.DataFrame) -> tuple[pl.Series, I64]:
    """Names of the scopes met, and each row's place among them."""
    if kind == ALL:
        return pl.Series([""]), np.zeros(len(scopes), np.int64)
    encoded = scopes[kind].to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    names = pl.Series(pl.from_arrow(encoded.dictionary))
    return names, encoded.indices.fill_null(0).to_numpy().astype(np.int64)


def _frame(subject: Subject, kinds: list[_KindSums]) -> pl.DataFrame:
    """All kinds under one another; a measure that a kind did not touch is 0 there."""
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
