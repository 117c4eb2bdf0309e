"""Arriving events as columns of a block, and refused ones as its rows."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from hotline.blocks import REJECT_COLUMNS
from hotline.columns import TIME
from hotline.subjects import Subject
from streams.intake.arriving import KINDS, Arrival


def by_type(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The same events, those of one type together: so a column is filled type by type, not event by event."""
    groups: dict[type, list[Arrival]] = {}
    for arrival in arrivals:
        groups.setdefault(type(arrival.event), []).append(arrival)
    return list(itertools.chain.from_iterable(groups.values()))


def frame(subject: Subject, arrivals: Sequence[Arrival], *, received_at: int) -> pl.DataFrame:
    """A row an event, in their order, which should be `by_type`. Fractions of seconds are cut off.

    `received_at` is stamped, in epoch seconds, where none is stated. Events must have a birth.
    """
    runs = [
        (kind, [arrival.event for arrival in run])
        for kind, run in itertools.groupby(arrivals, key=lambda arrival: type(arrival.event))
    ]
    columns = [_column(name, dtype, runs) for name, dtype in subject.columns.items()]
    found = pl.DataFrame(
        [pl.Series(name, values, dtype) for (name, dtype), values in zip(subject.columns.items(), columns, strict=True)]
    )
    stamp = pl.lit(received_at * 1000, pl.Int64).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return found.with_columns(pl.col("received_at").fill_null(stamp))


def _column(name: str, dtype: pl.DataType, runs: Sequence[tuple[type, list[Any]]]) -> Any:
    if name == "type":
        return [KINDS[kind].name for kind, events in runs for _ in events]
    values: list[Any] = []
    for kind, events in runs:
        stated = name in kind.__struct_fields__  # type: ignore[attr-defined]
        values.extend(map(operator.attrgetter(name), events) if stated else itertools.repeat(None, len(events)))
    return _instants(values) if dtype == TIME else values


def _instants(values: list[datetime | None]) -> pl.Series:
    """Whole seconds; three times as fast as polars reads aware datetimes."""
    if None not in values:
        seconds: Any = np.fromiter(map(datetime.timestamp, values), np.float64, len(values))  # type: ignore[arg-type]
        whole = pl.Series((np.floor(seconds) * 1000).astype(np.int64))
    else:
        whole = pl.Series([None if at is None else int(at.timestamp() // 1) * 1000 for at in values], dtype=pl.Int64)
    return whole.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def refused_rows(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Refused events, each with the columns that say why; no other column is filled."""
    return pl.DataFrame(rows, schema=REJECT_COLUMNS, orient="row")
