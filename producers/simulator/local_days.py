"""Local days and office hours as instants (epoch seconds)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotline.zone_names import zone
from hotline.zones import offsets_s, to_utc

if TYPE_CHECKING:
    from producers.simulator.draws import I64

DAY_S = 86_400
OPENS_S, CLOSES_S = 8 * 3600 + 1800, 17 * 3600 + 1800
"""Departments work, and deadlines end, by the clock: 08:30 to 17:30."""


def bounds_s(date: dt.date, zone_name: str) -> tuple[int, int]:
    """Find the first instant of the local day and of the next one."""
    return _start_s(date, zone_name), _start_s(date + dt.timedelta(days=1), zone_name)


def _start_s(date: dt.date, zone_name: str) -> int:
    return int(dt.datetime(date.year, date.month, date.day, tzinfo=zone(zone_name)).timestamp())


def day_numbers(instants_s: I64, zone_name: str) -> I64:
    """Count the days from 1970-01-01 to the local date of each instant."""
    if not len(instants_s):
        return instants_s
    return np.asarray((instants_s + offsets_s(instants_s, zone_name)) // DAY_S, np.int64)


def day_number(date: dt.date) -> int:
    """Count the days from 1970-01-01 to a date."""
    return (date - dt.date(1970, 1, 1)).days


def workday_s(after_s: I64, workdays: int | I64, clock_s: int | I64, zone_name: str) -> I64:
    """Find the instant at `clock_s` of the n-th working day after the local day of each instant; n = 0 is that day.

    Saturdays and Sundays are no working days: what comes in on one counts from the Friday before.
    """
    dates = np.busday_offset(day_numbers(after_s, zone_name).astype("datetime64[D]"), workdays, roll="backward")
    local = pl.Series("local", (dates.astype(np.int64) * DAY_S + clock_s) * 1000).cast(pl.Datetime("ms"))
    instants = local.to_frame().select(to_utc(pl.col("local"), zone_name).dt.epoch("s")).to_series()
    return instants.to_numpy().astype(np.int64)
