"""One block through measure: a pure step from what is remembered and a block to an output.

Nothing is remembered here: the caller remembers the output once it is sent, so a step may be thrown away and done
again on half the events.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import polars as pl

from hotline.blocks import REJECT_COLUMNS, Block
from hotline.contributions import contributions
from hotline.events import keys
from hotline.events.rules import problems
from hotline.fold import ENTITY, MEMBER, fold
from hotline.measured import Verdicts
from hotline.subjects import Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.ids import birth_days, with_member_keys, with_row_keys
from streams.measure.memory import Memory

EVENT = (*ENTITY, "event_key")


@dataclass(frozen=True)
class Step:
    """What a slice of a block changes."""

    fresh: pl.DataFrame
    """New members of sets."""
    rows: pl.DataFrame
    """Rows of all entities with new members."""
    sums: pl.DataFrame
    dead: pl.DataFrame
    """Rejected events as in the block, with their `problem` and `place` in it."""
    verdicts: Verdicts


def step(block: Block, partitions: int, memory: Memory, zone: str, working: WorkingTime = NO_WORKING_TIME) -> Step:
    """Measure a block (or slice of one) against what is remembered."""
    subject = block.subject
    judged = _judged(block, partitions)
    dead = judged.filter(pl.col("problem").is_not_null())
    good = (judged.filter(pl.col("problem").is_null()) if len(dead) else judged).drop("place", *REJECT_COLUMNS)
    prior = memory.members(_entities(good))
    fresh = _fresh(prior, good)
    rows, sums = _changed(subject, prior, fresh, memory, zone, working)
    counted = _new_events(prior, fresh)
    verdicts = Verdicts(
        counted=counted,
        seen=len(good) - len(fresh),
        revised=len(fresh) - counted,
        dead=len(dead),
        reasons=dict(dead["problem"].value_counts().iter_rows()),
    )
    return Step(fresh, rows, sums, dead, verdicts)


def _judged(block: Block, partitions: int) -> pl.DataFrame:
    """The block's events with their keys, their place in it, and the first reason against each."""
    events = with_member_keys(block.subject, block.events).with_row_index("place")
    events = events.with_columns(problems(block.subject, block.events))
    home = pl.Series(keys.partitions(events["entity_key"].to_numpy(), partitions))
    stray = (home != block.partition) & events["problem"].is_null()
    if stray.any():
        events = events.with_columns(
            problem=pl.when(stray).then(pl.lit("wrong_partition")).otherwise(events["problem"])
        )
    return events


def _entities(good: pl.DataFrame) -> pl.DataFrame:
    """The entities a block touches, each once."""
    touched = good.select("eid", "born_at", "source", "entity").unique("eid")
    return touched.with_columns(birth_days(touched))


def _changed(
    subject: Subject, prior: pl.DataFrame, fresh: pl.DataFrame, memory: Memory, zone: str, working: WorkingTime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    changed = fresh["eid"].unique()
    shared = [column for column in fresh.columns if column in prior.columns]
    known = prior.filter(pl.col("eid").is_in(changed.implode())) if len(prior) else prior
    rows = with_row_keys(fold(subject, pl.concat([known.select(shared), fresh.select(shared)]), working))
    old = memory.rows(changed)
    if old.is_empty():
        old = rows.clear()
    return rows, contributions(subject, rows, old, zone)


def _fresh(prior: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    """The events that are new members, each once."""
    if _all_differ(MEMBER, prior, good):
        return good
    fresh = good.unique(MEMBER, keep="first", maintain_order=True)
    if len(prior):
        fresh = fresh.join(prior.select(MEMBER), on=MEMBER, how="anti", maintain_order="left")
    return fresh


def _all_differ(columns: tuple[str, ...], prior: pl.DataFrame, good: pl.DataFrame) -> bool:
    """Whether no two rows agree in all `columns`: keys that differ prove it, keys that agree prove nothing."""
    frames = [frame for frame in (prior, good) if len(frame)]
    found = pl.concat([pl.Series(_keys_of(columns, frame)) for frame in frames]) if frames else pl.Series()
    return found.n_unique() == len(found)


def _keys_of(columns: tuple[str, ...], frame: pl.DataFrame) -> keys.U64:
    first, *others = (frame[name].to_physical().cast(pl.UInt64).to_numpy() for name in columns)
    return functools.reduce(keys.combine, others, first)


def _new_events(prior: pl.DataFrame, fresh: pl.DataFrame) -> int:
    """How many of the new members speak of an event nothing was known of."""
    if _all_differ(EVENT, prior, fresh):
        return len(fresh)
    events = fresh.select(EVENT).unique()
    if len(prior):
        events = events.join(prior.select(EVENT), on=EVENT, how="anti")
    return len(events)
