"""Chance: whole columns drawn from shares, durations and a day's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producers.simulator.city import City, Lognormal
    from producers.simulator.names import Shares

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def codes(rng: np.random.Generator, weights: npt.ArrayLike, count: int) -> I64:
    """Draw `count` places in `weights`, each as likely as its weight."""
    ends = np.cumsum(np.asarray(weights, np.float64))
    return np.asarray(np.searchsorted(ends, rng.random(count) * ends[-1], side="right"), np.int64)


def shares(rng: np.random.Generator, of: Shares, count: int) -> I64:
    """Draw `count` places in `of`, each as likely as its share."""
    return codes(rng, [weight for _, weight in of], count)


def named(of: Shares, places: I64) -> pl.Series:
    """Look up the names at those places."""
    return words([name for name, _ in of], places)


def words(of: Sequence[str], places: I64) -> pl.Series:
    """Look up the words at those places."""
    return pl.Series(of, dtype=pl.String).gather(places)


def seconds(rng: np.random.Generator, of: Lognormal, count: int) -> I64:
    """Draw durations in whole seconds, of at least 0 and at most `longest_s`."""
    drawn = of.median_s * np.exp(of.spread * rng.standard_normal(count))
    return np.minimum(drawn, of.longest_s).astype(np.int64)


def arrivals(rng: np.random.Generator, city: City, bounds_s: tuple[int, int], count: int) -> I64:
    """Draw instants inside a local day that starts and ends at `bounds_s`, in order, shaped as the city's hours say."""
    start, end = bounds_s
    hours = np.linspace(0.0, 1.0, len(city.hour_weights) + 1)
    ends = np.concatenate([[0.0], np.cumsum(city.hour_weights)])
    share = np.interp(np.sort(rng.random(count)) * ends[-1], ends, hours)
    return np.asarray(start + share * (end - start), np.int64)
