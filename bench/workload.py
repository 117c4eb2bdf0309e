"""The workload of all benchmarks: a time-ordered slice of a real year of a city, three weeks of it warm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from hotline.blocks import Block, pack
from hotline.subjects import SUBJECTS
from producers.simulator import CITY, timeline
from producers.simulator.day import LIFE_DAYS_MAX

FIRST_DAY = dt.date(2023, 3, 1)
WARM_DAYS = 21
ZONE = "Asia/Shanghai"


def days(count: int, *, seed: int = 1) -> Iterator[dict[str, pl.DataFrame]]:
    """Events of `count` local days in order of time, from the first day on; older tickets' events among them."""
    return timeline(CITY, FIRST_DAY, count, seed, days_before=LIFE_DAYS_MAX, to_the_end=False)


def day_blocks(day: dict[str, pl.DataFrame], partitions: int) -> Iterator[Block]:
    """Blocks of one day: about a quarter of a day of each subject and partition, in order of time."""
    for name, frame in day.items():
        yield from pack(SUBJECTS[name], frame, partitions)


def paired(count: int) -> Iterator[dict[str, pl.DataFrame]]:
    """Like `days`, two days at a time, so that bulk blocks are full."""
    held: list[dict[str, pl.DataFrame]] = []
    for day in days(count):
        held.append(day)
        if len(held) == 2:
            yield {name: pl.concat([one[name] for one in held]) for name in held[0]}
            held = []
    if held:
        yield held[0]
