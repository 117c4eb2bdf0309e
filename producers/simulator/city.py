"""What a simulated city is like: how much happens, where, when, and how well it is served."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from producers.simulator import names

if TYPE_CHECKING:
    from producers.simulator.names import Shares

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lognormal:
    """A heavy-tailed duration in seconds, by its median and the spread of its logarithm."""

    median_s: float
    spread: float
    longest_s: int

    @property
    def mean_s(self) -> float:
        """The mean without the cut at `longest_s`, which moves it by little."""
        return self.median_s * math.exp(self.spread**2 / 2)


@dataclass(frozen=True)
class City:
    """A city's hotline. Shares are between 0 and 1; volumes are means of all days of a week."""

    zone: str = "Asia/Shanghai"
    tickets_per_day: float = 40_000
    calls_per_day: float = 19_000
    weekday_weights: tuple[float, ...] = (1.08, 1.07, 1.06, 1.05, 1.04, 0.87, 0.83)
    """Monday to Sunday, of mean 1."""
    hour_weights: tuple[float, ...] = (
        *(4, 2, 1, 1, 1, 3, 10, 30, 72, 98, 100, 78),
        *(50, 62, 88, 92, 84, 66, 48, 40, 34, 26, 16, 8),
    )
    """How busy each hour of a day is: quiet nights, a peak in the morning and one in the afternoon."""

    lines: Shares = (("12345", 0.9914), ("一企来办", 0.0079), ("尚贤", 0.0007))
    enterprise_lines: tuple[str, ...] = ("一企来办",)
    """Whose tickets are an enterprise's; all others are citizens'."""
    districts: Shares = names.DISTRICTS
    departments: tuple[tuple[str, str], ...] = field(default_factory=names.departments)
    """Name and district ("" serves all), by falling volume: Zipf's law, inside each district."""
    of_city_share: float = 0.25
    """How much of a district department's work its counterpart of the whole city takes of that district."""
    categories: Shares = field(default_factory=names.categories)
    channels: Shares = (("电话", 0.662), ("微信", 0.17), ("APP", 0.097), ("网站", 0.06), ("论坛", 0.011))
    phone: str = "电话"
    """The channel whose tickets come from calls."""
    operator_groups: tuple[str, ...] = tuple(f"民声接听{n}组" for n in "一二三四五六七八九十")
    operators: int = 1270
    callers: int = 3_000_000

    outbound_share: float = 0.23
    outbound_answered_share: float = 0.8
    ring: Lognormal = Lognormal(8.0, 0.4, 40)
    """From the first free operator to the answer."""
    patience: Lognormal = Lognormal(110.0, 1.1, 3_600)
    """Whoever would wait longer than this gives up: about 6 % of calls."""
    wait_outbound: Lognormal = Lognormal(9.5, 1.33, 3_600)
    """How long it rings at the other end."""
    shift_hours: int = 4
    """Operators are planned by the mean load of so many hours, so that peaks find too few of them."""
    staffing: float = 1.02
    """Operators on shift for each operator whom the calls would keep busy."""
    reserve: float = 0.45
    """Operators on shift besides, a square root of that load."""
    talk: Lognormal = Lognormal(110.0, 0.944, 7_200)
    """Mean 172 s, 3.6 % over ten minutes: the reference year's published figures."""
    talk_outbound: Lognormal = Lognormal(65.6, 0.952, 7_200)
    """Mean 103 s, 1 % over ten minutes, as published."""
    transferred_share: float = 0.015
    lost_share: float = 0.002

    online_share: float = 0.8
    specialist_share: float = 0.025
    """Of the tickets answered online, those that a policy specialist answers."""
    consult_share_online: float = 0.72
    consult_share_dispatched: float = 0.155
    due_workdays: int = 5
    extension_workdays: int = 3
    late_share: float = 0.03
    merged_share: float = 0.01
    """Of the dispatched tickets; never handled, so they weigh on timeliness too."""
    corrected_share: float = 0.45
    due_changed_share: float = 0.12
    returned_share: float = 0.08
    rated_share: float = 1 / 3
    valid_share: float = 0.95
    ratings: Shares = (
        ("very_satisfied", 0.62),
        ("satisfied", 0.22),
        ("fairly_satisfied", 0.06),
        ("dissatisfied", 0.07),
        ("very_dissatisfied", 0.03),
    )
    operator_ratings: Shares = (("very_satisfied", 0.8), ("satisfied", 0.18), ("dissatisfied", 0.02))
    reopened_share: float = 0.01
    reopened_share_dissatisfied: float = 0.5

    def __post_init__(self) -> None:
        if min(self.tickets_per_day, self.calls_per_day) < 0:
            volumes = f"{self.tickets_per_day} tickets and {self.calls_per_day} calls a day"
            raise ValueError(f"a city cannot have {volumes}; use 0 or more of each")

    def scaled(self, tickets_per_day: float, calls_per_day: float) -> City:
        """Give the same city other volumes. Raises ValueError for a negative one."""
        return dataclasses.replace(self, tickets_per_day=tickets_per_day, calls_per_day=calls_per_day)

    @functools.cached_property
    def desks(self) -> tuple[tuple[npt.NDArray[np.int64], Floats], ...]:
        """For each district the places in `departments` that serve it, and their weights."""
        homes = np.array([district for _, district in self.departments])
        return tuple(self._desk(homes, name) for name, _ in self.districts)

    def _desk(self, homes: npt.NDArray[np.str_], district: str) -> tuple[npt.NDArray[np.int64], Floats]:
        serving = np.flatnonzero((homes == district) | (homes == ""))
        ranks = 1.0 + np.arange(len(serving))
        return serving, np.where(homes[serving] == "", self.of_city_share, 1.0) / ranks


CITY = City()
"""A city of the size and shape of Suzhou in 2023, served a little worse than the year's report says."""
