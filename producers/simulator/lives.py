"""From steps of lives (what happened, to whom, when) to a frame of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from hotline.columns import TIME
from hotline.events import SCHEMA
from hotline.subjects import Subject

if TYPE_CHECKING:
    from producers.simulator.draws import I64

SOURCE = "sim"


@dataclass(frozen=True)
class Step:
    """One event type happening once to each of some entities: their places, the instants, and what is stated."""

    type: str
    rows: I64
    at: I64
    stated: dict[str, pl.Series | pl.Expr] = field(default_factory=dict)


def entities(prefix: str, count: int) -> pl.Series:
    """Make the ids of `count` entities, numbered from 1."""
    numbers = pl.int_range(1, count + 1, eager=True).cast(pl.String).str.zfill(6)
    return pl.select(pl.lit(prefix) + numbers).to_series()


def times(instants_s: I64) -> pl.Series:
    """Turn epoch seconds into a column of times."""
    return pl.Series(instants_s * 1000).cast(TIME)


def events(subject: Subject, ids: pl.Series, born_s: I64, steps: list[Step], *, with_ids: bool) -> pl.DataFrame:
    """Put the events of all steps in order of time, in the subject's columns. An id is the entity's and the step's."""
    told = pl.concat([_told(step, number) for number, step in enumerate(steps, 1)], how="diagonal")
    rows = told["row"].to_numpy()
    told = told.with_columns(
        pl.lit(SOURCE).alias("source"),
        ids.gather(rows).alias("entity"),
        times(born_s[rows]).alias("born_at"),
        pl.lit(0).alias("revision"),
        pl.lit(SCHEMA).alias("schema"),
    )
    if with_ids:
        told = told.with_columns(pl.concat_str("entity", "step", separator="-").alias("id"))
    present = set(told.columns)
    return told.select(
        (pl.col(name) if name in present else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in subject.columns.items()
    ).sort("occurred_at", maintain_order=True)


def _told(step: Step, number: int) -> pl.DataFrame:
    return pl.DataFrame({"row": step.rows, "occurred_at": times(step.at)}).with_columns(
        pl.lit(step.type).alias("type"), pl.lit(str(number)).alias("step"), **step.stated
    )
