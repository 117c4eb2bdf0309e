"""The last place that is shown: the same on every display, Grafana included."""

from __future__ import annotations

import math


def rounded(value: float, places: int) -> float:
    """The value with so many decimals. Halves go up, as Grafana rounds them, and what is nothing then has no minus."""
    scale: int = 10**places
    return math.floor(value * scale + 0.5) / scale


def written(value: float, places: int) -> str:
    """The value as text, with so many decimals and its thousands apart."""
    return f"{rounded(value, places):,.{places}f}"
