"""Events that change figures which people have read: those that come long after their day, and later statements."""

from __future__ import annotations

import polars as pl

LATE_DAYS = 2
"""From how many local days after its own an event is late: a day's events may be handed in through the next one."""
REVISED_LATE_DAYS = 1
"""The same of another statement of a known event: it corrects a figure that the day's readers have seen."""
NO_DAYS = pl.DataFrame(schema={"day": pl.Date(), "events": pl.UInt32()})


def changed_days(fresh: pl.DataFrame, zone: str) -> pl.DataFrame:
    """How many new members (with `revises`) are late, by the local `day` they speak of; no row without any.

    By the event's own times of occurrence and receipt alone, so that the same events are late whenever they are
    measured. Of no time of receipt, as in files, an event is late only when it revises another.
    """
    if not fresh["revises"].any() and fresh["received_at"].is_null().all():
        return NO_DAYS
    day, came = (pl.col(name).dt.convert_time_zone(zone).dt.date() for name in ("occurred_at", "received_at"))
    days = pl.when("revises").then(REVISED_LATE_DAYS).otherwise(LATE_DAYS)
    late = ((came - day).dt.total_days() >= days).fill_null(pl.col("revises"))
    return fresh.filter(late).group_by(day=day).agg(events=pl.len()).sort("day")
