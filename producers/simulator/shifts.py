"""How many operators are on shift in each hour of a day, planned from the calls that are expected.

Shifts last for hours and peaks do not: the plan follows the load smoothed over `City.shift_hours`, so that at the two
peaks of a day there are too few and callers wait, and at lunch there are enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from producers.simulator.draws import I64

if TYPE_CHECKING:
    from producers.simulator.city import City, Floats

HOURS = 24
"""A day has so many parts of equal length; the days on which clocks move have longer or shorter ones."""


def operators_on_shift(city: City, weight: float) -> I64:
    """Plan a day of that weight (1: a mean day): operators on shift in each hour, at least one.

    The load in erlangs and a reserve that grows with its square root (the square-root staffing rule: Halfin and Whitt
    1981, Operations Research 29), so that a small city is served about as well as a large one.
    """
    load = _smoothed(expected_load(city, weight), city.shift_hours)
    return np.maximum(1, np.ceil(city.staffing * load + city.reserve * np.sqrt(load))).astype(np.int64)


def expected_load(city: City, weight: float) -> Floats:
    """Count the operators whom inbound calls would keep busy in each hour (erlangs), when nobody gives up."""
    calls = city.calls_per_day * weight * (1 - city.outbound_share)
    shape = np.array(city.hour_weights) / sum(city.hour_weights)
    busy_s = city.ring.mean_s + city.talk.mean_s
    return np.asarray(calls * shape * busy_s / (86_400 / HOURS), np.float64)


def _smoothed(load: Floats, hours: int) -> Floats:
    """Take the mean of as many hours around each; the night before is as the night after."""
    before = hours // 2
    moved = [np.roll(load, shift) for shift in range(-before, hours - before)]
    return np.asarray(np.mean(moved, axis=0), np.float64)
