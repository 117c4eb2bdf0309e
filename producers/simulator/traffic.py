"""A city's traffic without an end: what happens from an instant on, in order of time, given out up to any instant."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotline.subjects import SUBJECTS
from hotline.zone_names import zone
from producers.simulator.day import day
from producers.simulator.local_days import bounds_s, day_number
from producers.simulator.timeline import Ahead, Events

if TYPE_CHECKING:
    from producers.simulator.city import City
    from producers.simulator.draws import I64

DAYS_BEFORE = 7
"""Days before the first one whose tickets live on into the traffic, unless another number is asked for: with a week of
them departments handle and close from the first hour on, and a start takes about a second."""


class Traffic:
    """Events of all calls and tickets born from `days_before` days before the start on, that happen after the start.

    A pure function of city, seed, start and days before: wherever it is cut, the events are those that `day` gives.
    Memory holds one local day and the events still to come. Raises ValueError for a negative seed or number of days.
    """

    def __init__(self, city: City, seed: int, start_s: int, *, days_before: int = DAYS_BEFORE) -> None:
        if days_before < 0:
            raise ValueError(f"{days_before} days before the start; use 0 or more")
        self._city, self._seed, self.position_s = city, seed, start_s
        self._ahead = Ahead(city.zone)
        first = dt.datetime.fromtimestamp(start_s, zone(city.zone)).date()
        self._date = first - dt.timedelta(days=days_before)
        while self._date <= first:
            self._begin_day()
        self._taken = {name: int(np.searchsorted(times, start_s)) for name, times in self._times.items()}

    @property
    def pending(self) -> int:
        """Events that are made and not given out, in memory."""
        today = sum(len(times) - self._taken[name] for name, times in self._times.items())
        return today + self._ahead.waiting_events

    def until(self, end_s: float) -> Events:
        """Give what happens before `end_s` (epoch seconds) and was not given yet: nothing for an earlier instant."""
        pieces = [self._take(end_s)]
        while end_s > self._day_end_s:
            self._begin_day()
            pieces.append(self._take(end_s))
        self.position_s = max(self.position_s, math.ceil(end_s))  # events have whole seconds
        if len(pieces) == 1:
            return pieces[0]
        return {name: pl.concat([piece[name] for piece in pieces]) for name in SUBJECTS}

    def _begin_day(self) -> None:
        born = day(self._city, self._date, self._seed)
        self._today = self._ahead.meet(day_number(self._date), born)
        self._times: dict[str, I64] = {
            name: events["occurred_at"].dt.epoch("s").to_numpy() for name, events in self._today.items()
        }
        self._taken = dict.fromkeys(self._times, 0)
        self._day_end_s = bounds_s(self._date, self._city.zone)[1]
        self._date += dt.timedelta(days=1)

    def _take(self, end_s: float) -> Events:
        taken = {}
        for name, times in self._times.items():
            begin, end = self._taken[name], int(np.searchsorted(times, end_s))
            taken[name] = self._today[name][begin : max(begin, end)]
            self._taken[name] = max(begin, end)
        return taken
