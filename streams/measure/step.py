"""One block through measure: a pure step from what is remembered and a block to an output.

Nothing is remembered here: the caller remembers the output once it is sent, so a step may be thrown away and done
again on half the events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hotline.blocks import REJECT_COLUMNS, Block
from hotline.contributions import Changes, contributions
from hotline.events import keys
from hotline.events.rules import problems
from hotline.fold import ENTITY, MEMBER, fold
from hotline.measured import Verdicts
from hotline.windows import NO_MINUTES
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.changed_days import changed_days
from streams.measure.ids import with_member_keys, with_row_keys
from streams.measure.memory import Memory

EVENT = (*ENTITY, "event_key")


@dataclass(frozen=True)
class Step:
    """What a slice of a block changes."""

    fresh: pl.DataFrame
    """New members of sets; of each `revises`, whether something was known of its event before."""
    rows: pl.DataFrame
    """Rows of all entities with new members."""
    changes: Changes
    changed_days: pl.DataFrame
    """How many of the new members change figures of a `day` that people have read."""
    dead: pl.DataFrame
    """Rejected events as in the block, with their `problem` and `place` in it."""
    verdicts: Verdicts


def step(
    block: Block,
    partitions: int,
    memory: Memory,
    zone: str,
    working: WorkingTime = NO_WORKING_TIME,
    *,
    minutes_from: int = NO_MINUTES,
) -> Step:
    """Measure a block (or slice of one) against what is remembered; `minutes_from` as in `contributions`."""
    subject = block.subject
    judged = _judged(block, partitions)
    dead = judged.filter(pl.col("problem").is_not_null())
    good = (judged.filter(pl.col("problem").is_null()) if len(dead) else judged).drop("place", *REJECT_COLUMNS)
    prior = memory.members(good)
    fresh = _fresh(prior, good)
    if len(fresh) < len(good):
        prior = prior.filter(pl.col("eid").is_in(fresh["eid"].implode()))
    shared = [column for column in fresh.columns if column in prior.columns]
    rows = with_row_keys(fold(subject, pl.concat([prior.select(shared), fresh.select(shared)]), working))
    old = memory.rows(rows["eid"])
    changes = contributions(subject, rows, old if len(old) else rows.clear(), zone, minutes_from=minutes_from)
    revised = int(fresh["revises"].sum())
    verdicts = Verdicts(
        counted=len(fresh) - revised,
        seen=len(good) - len(fresh),
        revised=revised,
        dead=len(dead),
        reasons=dict(dead["problem"].value_counts().iter_rows()),
    )
    return Step(fresh, rows, changes, changed_days(fresh, zone), dead, verdicts)


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


def _fresh(prior: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    """The events that are new members, each once, and of each whether it `revises` an event something was known of."""
    if _events_differ(prior, good):
        return good.with_columns(revises=pl.lit(value=False))
    fresh = good.unique(MEMBER, keep="first", maintain_order=True)
    fresh = fresh.join(prior.select(MEMBER), on=MEMBER, how="anti", maintain_order="left")
    known = prior.select(EVENT).unique().with_columns(known=pl.lit(value=True))
    fresh = fresh.join(known, on=EVENT, how="left", maintain_order="left")
    return fresh.with_columns(revises=pl.col("known").fill_null(~pl.struct(EVENT).is_first_distinct())).drop("known")


def _events_differ(prior: pl.DataFrame, good: pl.DataFrame) -> bool:
    """Whether no two speak of the same event: keys that differ prove it, keys that agree prove nothing."""
    names = [keys.combine(frame["eid"].to_numpy(), frame["event_key"].to_numpy()) for frame in (prior, good)]
    return pl.Series(np.concatenate(names)).n_unique() == len(prior) + len(good)
