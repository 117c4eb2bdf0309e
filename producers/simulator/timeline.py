"""Many days of a city as they would be seen: by the time things happen, not by birth."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from hotline.subjects import SUBJECTS
from producers.simulator.day import day
from producers.simulator.local_days import bounds_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.simulator.city import City

Events = dict[str, pl.DataFrame]
"""Subject → events in its columns."""


def timeline(
    city: City, first_date: dt.date, days: int, seed: int, *, days_before: int = 0, to_the_end: bool = True
) -> Iterator[Events]:
    """Tell what happens on each local day from `first_date` on, in order of occurred_at, a chunk a day.

    Calls and tickets are born on `days` days; then come the days on which the last tickets end, unless `to_the_end` is
    False. With `days_before`, the tickets of that many earlier days live on into the timeline: with `LIFE_DAYS_MAX` of
    them, any stretch equals the same stretch of a longer timeline. Memory holds only the events still to come.
    """
    ahead: Events = {}
    offset = -days_before
    while offset < days or (to_the_end and any(map(len, ahead.values()))):
        date = first_date + dt.timedelta(days=offset)
        if offset < days:
            ahead = _joined(ahead, day(city, date, seed))
        today, ahead = _split(ahead, before_s=bounds_s(date, city.zone)[1])
        if offset >= 0:
            yield today
        offset += 1


def _joined(ahead: Events, born: Events) -> Events:
    return {name: pl.concat([ahead[name], events]) if ahead else events for name, events in born.items()}


def _split(events: Events, *, before_s: int) -> tuple[Events, Events]:
    past = pl.col("occurred_at") < pl.from_epoch(pl.lit(before_s), "s").dt.replace_time_zone("UTC")
    today = {name: events[name].filter(past).sort("occurred_at", maintain_order=True) for name in SUBJECTS}
    return today, {name: events[name].filter(~past) for name in SUBJECTS}
