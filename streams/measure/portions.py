"""Folding again: what was born on the days of a request, in portions that an output can hold, and what each changes.

A place is a birth day of the request and the highest bits of an entity's key: it stands still whatever is measured
meanwhile, so that a worker that starts in the middle goes on where the last accepted output ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from hotline.contributions import contributions
from hotline.events.keys import U64
from hotline.fold import ENTITY, fold
from hotline.measured import Verdicts
from hotline.refold import PLACE_BITS, Refold
from hotline.subjects import Subject
from hotline.working_time import WorkingTime
from streams.measure.changed_days import NO_DAYS
from streams.measure.ids import birth_days, with_row_keys
from streams.measure.memory import Memory
from streams.measure.remembered import Tables
from streams.measure.step import Step

MEMBERS_MAX = 100_000
"""Members that are folded again at once."""
_KEY_BITS = 64


class Portion(NamedTuple):
    """All of some places: sets and the rows that stand, with their `place`."""

    first: int
    last: int
    """Place after the last."""
    members: pl.DataFrame
    rows: pl.DataFrame

    def halves(self) -> list[Portion]:
        """Two portions in order; none when it has a single place."""
        places = self.members["place"].unique().sort()
        if len(places) < 2:
            return []
        cut = int(places[len(places) // 2])
        before, after = pl.col("place") < cut, pl.col("place") >= cut
        return [
            Portion(self.first, cut, self.members.filter(before), self.rows.filter(before)),
            Portion(cut, self.last, self.members.filter(after), self.rows.filter(after)),
        ]


def portions(memory: Memory, asked: Refold, first: int) -> Iterator[Portion]:
    """All that was born on the days of a request, from a place on; the last one ends where the request ends.

    Held at once: a birth day, or days with up to `MEMBERS_MAX` members.
    """
    begun, parts, size = first, list[Tables](), 0
    for day in memory.days:
        number = day - asked.first_day
        if not first >> PLACE_BITS <= number < asked.days:
            continue
        parts.append(_placed(memory.born(day), asked.first_day, first))
        size += len(parts[-1][0])
        if size >= MEMBERS_MAX:
            end = (number + 1) << PLACE_BITS
            yield from _cut(_portion(begun, end, parts))
            begun, parts, size = end, [], 0
    if begun < asked.end:
        yield from _cut(_portion(begun, asked.end, parts)) if parts else [nothing(memory, begun, asked.end)]
    elif not asked.days:
        yield nothing(memory, begun, asked.end)


def nothing(memory: Memory, first: int, last: int) -> Portion:
    """A portion without anything in it."""
    return _portion(first, last, [_placed(memory.none(), 0, 0)])


def refolded(subject: Subject, portion: Portion, zone: str, working: WorkingTime, minutes_from: int) -> Step:
    """What folding a portion again changes: rows of a higher version than those that stand, and no others.

    So a second time changes nothing, and what a worker of older versions folds cannot take the place of what stands.
    """
    members = portion.members.drop("place")
    rows = with_row_keys(fold(subject, members, working))
    standing = portion.rows.select(*ENTITY, stands=pl.col("version"))
    both = rows.join(standing, on=ENTITY, how="inner", maintain_order="left")
    rows = both.filter(pl.col("version") > pl.col("stands")).drop("stands")
    old = portion.rows.join(rows, on=ENTITY, how="semi").drop("place")
    changes = contributions(subject, rows, old if len(old) else rows.clear(), zone, minutes_from=minutes_from)
    return Step(members.clear(), rows, changes, changed_days=NO_DAYS, dead=pl.DataFrame(), verdicts=Verdicts())


def _portion(first: int, last: int, parts: list[Tables]) -> Portion:
    return Portion(first, last, *(pl.concat(frames) for frames in zip(*parts, strict=True)))


def _cut(portion: Portion) -> Iterator[Portion]:
    """Portions of not too many members each, as far as places allow."""
    halves = portion.halves() if len(portion.members) > 2 * MEMBERS_MAX else []
    if not halves:
        yield portion
    for half in halves:
        yield from _cut(half)


def _placed(born: Tables, first_day: int, first: int) -> Tables:
    """Both frames with `place`, from a place on."""
    members, rows = (frame.with_columns(place=pl.Series(_places(frame, first_day))) for frame in born)
    return members.filter(pl.col("place") >= first), rows.filter(pl.col("place") >= first)


def _places(frame: pl.DataFrame, first_day: int) -> U64:
    days = (birth_days(frame) - first_day).to_numpy().astype(np.uint64)
    key = frame["entity_key"].to_numpy() >> np.uint64(_KEY_BITS - PLACE_BITS)
    places: U64 = (days << np.uint64(PLACE_BITS)) | key
    return places
