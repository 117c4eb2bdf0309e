"""Who answers the calls of a day: the queue of those coming in, and the people at its desks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from producers.simulator.draws import I64, seconds
from producers.simulator.queueing import Demand, Roster, Served, serve
from producers.simulator.shifts import operators_on_shift

if TYPE_CHECKING:
    from producers.simulator.city import City

TURNS = 3
"""Shifts a day: every eight hours other people sit at the desks."""


def answer(
    rng: np.random.Generator, city: City, bounds_s: tuple[int, int], weight: float, queued: I64, talk: I64
) -> tuple[Served, I64]:
    """Let the operators on shift of a day of that weight serve calls; what became of each, and who answered it.

    The calls come in any order; each keeps its place. It rang at number 0 where it rang nowhere.
    """
    count = len(queued)
    order = np.argsort(queued, kind="stable")
    columns = queued, seconds(rng, city.patience, count), seconds(rng, city.ring, count), talk
    roster = Roster(bounds_s, operators_on_shift(city, weight))
    served = serve(Demand(*(column[order] for column in columns)), roster)
    place = np.argsort(order, kind="stable")
    served = Served(served.wait[place], served.answered[place], served.desk[place], served.rang[place])
    return served, _people(rng, city, bounds_s, queued + served.wait, served.desk, max(roster.on_shift))


def _people(rng: np.random.Generator, city: City, bounds_s: tuple[int, int], at: I64, desk: I64, desks: int) -> I64:
    """Number the people at the desks, from 1: on each day and in each turn others, as far as there are enough."""
    start, end = bounds_s
    turn = np.clip((at - start) * TURNS // (end - start), 0, TURNS - 1)
    everybody = max(city.operators, TURNS * desks)
    first = int(rng.integers(everybody))
    return np.where(desk < 0, 0, (first + turn * desks + desk) % everybody + 1)
