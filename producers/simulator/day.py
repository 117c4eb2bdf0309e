"""One local day of a city: all calls and tickets born on it, with their whole lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotline.subjects import CALLS, TICKETS
from producers.simulator.calls import call_events, draw_calls
from producers.simulator.local_days import bounds_s
from producers.simulator.tickets import draw_tickets, ticket_events

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from producers.simulator.city import City

LIFE_DAYS_MAX = 42
"""No event lies more days than this after the local day of its ticket's birth; nearly all lie within three weeks.

The longest life there can be: late after an extension (17 days), archived, asked, rated and reopened at the last moment
(13), a second round (8) and its archiving (2).
"""


def day(city: City, date: dt.date, seed: int) -> dict[str, pl.DataFrame]:
    """Simulate every event of the calls and tickets born on that local day: subject → events in its columns, by time.

    A pure function of its arguments: the same city, date and seed (0 or more) give the same events. Raises ValueError
    for a negative seed or an unknown zone.
    """
    if seed < 0:
        raise ValueError(f"seed {seed} is negative; use 0 or more")
    bounds = bounds_s(date, city.zone)
    of_calls, of_tickets = (np.random.default_rng(part) for part in _chance(date, seed).spawn(2))
    weight = city.weekday_weights[date.weekday()]
    name = f"{date:%Y%m%d}-{seed}-"
    count = int(of_calls.poisson(city.calls_per_day * weight))
    calls = draw_calls(of_calls, city, bounds, count, prefix=f"C{name}", weight=weight)
    count = int(of_tickets.poisson(city.tickets_per_day * weight))
    tickets = draw_tickets(of_tickets, city, bounds, count, prefix=f"T{name}", calls=calls)
    return {
        CALLS.name: call_events(of_calls, city, calls, seed),
        TICKETS.name: ticket_events(of_tickets, city, tickets, calls),
    }


def _chance(date: dt.date, seed: int) -> np.random.SeedSequence:
    return np.random.SeedSequence((seed, date.toordinal()))
