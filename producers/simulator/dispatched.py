"""What happens to tickets sent to departments: two or three weeks of deadlines, returns, handlings and ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hotline.events import SATISFIED
from producers.simulator.city import City, Lognormal
from producers.simulator.draws import I64, Mask, named, seconds, shares
from producers.simulator.lives import Step, times
from producers.simulator.local_days import CLOSES_S, OPENS_S, workday_s

DISPATCHING = Lognormal(900.0, 1.0, 20_000)
WORKING = Lognormal(5_400.0, 0.8, 6 * 3600)
"""The shortest a department takes, even on the day itself."""
ARCHIVING = Lognormal(8 * 3600.0, 0.7, 48 * 3600)
ASKING = Lognormal(48 * 3600.0, 0.5, 120 * 3600)
RATING = Lognormal(12 * 3600.0, 1.0, 96 * 3600)
REOPENING = Lognormal(10 * 3600.0, 0.8, 48 * 3600)
LATE_WORKDAYS_MAX = 3

Stated = dict[str, pl.Series | pl.Expr]


@dataclass(frozen=True)
class _Course:
    """When the tickets' stages come, in epoch seconds, and which tickets take which turn."""

    dispatched: I64
    due: I64
    extended_due: I64
    handled: I64
    closed: I64
    asked: I64
    rated: I64
    extended: Mask
    merged: Mask


def dispatched_steps(
    rng: np.random.Generator,
    city: City,
    ids: pl.Series,
    *,
    sent: I64,
    classified: I64,
    consult: Mask,
    desks: tuple[pl.Series, pl.Series],
) -> list[Step]:
    """Tell the lives of the tickets at the places `sent` from their classification on.

    `classified`, `consult` and `desks` (its department, and the next one after a return) have a value a sent ticket.
    """
    course = _course(rng, city, sent, classified, consult)
    merged, lived = np.flatnonzero(course.merged), np.flatnonzero(~course.merged)
    steps = [
        Step("ticket.dispatched", sent, course.dispatched, {"department": desks[0], "due_at": times(course.due)}),
        *_detours(rng, city, sent, course, desks[1]),
        Step("ticket.handled", sent[lived], course.handled[lived]),
        _merging(rng, ids, sent[merged], course.handled[merged]),
        Step("ticket.closed", sent, course.closed),
        Step("survey.asked", sent[lived], course.asked[lived]),
    ]
    rated = lived[rng.random(len(lived)) < city.rated_share]
    ratings = shares(rng, city.ratings, len(rated))
    steps.append(Step("survey.rated", sent[rated], course.rated[rated], _rating(rng, city, ratings)))
    unhappy = np.zeros(len(sent), bool)
    unhappy[rated] = ~_satisfied(city)[ratings]
    chance = np.where(unhappy, city.reopened_share_dissatisfied, city.reopened_share)[lived]
    again = lived[rng.random(len(lived)) < chance]
    return steps + _reopenings(rng, city, sent[again], course.rated[again])


def _course(rng: np.random.Generator, city: City, sent: I64, classified: I64, consult: Mask) -> _Course:
    count = len(classified)
    dispatched = classified + 1 + seconds(rng, DISPATCHING, count)
    extended = rng.random(count) < city.due_changed_share
    allowed = city.due_workdays + city.extension_workdays * extended
    due = workday_s(dispatched, city.due_workdays, CLOSES_S, city.zone)
    extended_due = workday_s(dispatched, city.due_workdays + city.extension_workdays, CLOSES_S, city.zone)
    # Questions are answered in a day; other matters take most of the time there is.
    share = rng.beta(np.where(consult, 1.0, 2.2), np.where(consult, 6.0, 1.2))
    late = rng.random(count) < city.late_share
    workdays = np.where(late, allowed + rng.integers(1, LATE_WORKDAYS_MAX + 1, count), np.round(share * allowed))
    clock = OPENS_S + (rng.random(count) * (CLOSES_S - OPENS_S)).astype(np.int64)
    soonest = dispatched + 60 + seconds(rng, WORKING, count)
    handled = np.maximum(workday_s(dispatched, workdays.astype(np.int64), clock, city.zone), soonest)
    closed = handled + 60 + seconds(rng, ARCHIVING, count)
    asked = closed + 1 + seconds(rng, ASKING, count)
    rated = asked + 60 + seconds(rng, RATING, count)
    merged = (rng.random(count) < city.merged_share) & (sent > 0)  # the day's first has none before it
    return _Course(dispatched, due, extended_due, handled, closed, asked, rated, extended, merged)


def _detours(rng: np.random.Generator, city: City, sent: I64, course: _Course, desk: pl.Series) -> list[Step]:
    """Tell what lies between dispatch and handling: moved deadlines, returns to another desk, corrected categories."""
    span = np.minimum(course.handled, course.due) - course.dispatched
    first, second, third = (course.dispatched + (span * part).astype(np.int64) for part in (0.2, 0.35, 0.5))
    returned = np.flatnonzero(rng.random(len(sent)) < city.returned_share)
    corrected = np.flatnonzero(rng.random(len(sent)) < city.corrected_share)
    extended = np.flatnonzero(course.extended)
    category = named(city.categories, shares(rng, city.categories, len(corrected)))
    again: Stated = {"department": desk.gather(returned), "due_at": times(course.due[returned])}
    return [
        Step("ticket.returned", sent[returned], first[returned]),
        Step("ticket.dispatched", sent[returned], second[returned], again),
        Step("ticket.classified", sent[corrected], third[corrected], {"category": category}),
        Step("ticket.due_changed", sent[extended], third[extended], {"due_at": times(course.extended_due[extended])}),
    ]


def _merging(rng: np.random.Generator, ids: pl.Series, rows: I64, at: I64) -> Step:
    """Merge each into a ticket of the same day that came before it."""
    return Step("ticket.merged", rows, at, {"merged_into": ids.gather((rng.random(len(rows)) * rows).astype(np.int64))})


def _rating(rng: np.random.Generator, city: City, ratings: I64) -> Stated:
    count = len(ratings)
    resolved = rng.random(count) < np.where(_satisfied(city)[ratings], 0.95, 0.25)
    return {
        "rating": named(city.ratings, ratings),
        "operator_rating": named(city.operator_ratings, shares(rng, city.operator_ratings, count)),
        "resolved": pl.Series(resolved),
        "valid": pl.Series(rng.random(count) < city.valid_share),
    }


def _satisfied(city: City) -> Mask:
    return np.isin([name for name, _ in city.ratings], SATISFIED)


def _reopenings(rng: np.random.Generator, city: City, rows: I64, after: I64) -> list[Step]:
    """Tell of second rounds, with deadlines of their own."""
    reopened = after + 60 + seconds(rng, REOPENING, len(rows))
    due = workday_s(reopened, city.due_workdays, CLOSES_S, city.zone)
    handled = reopened + ((due - reopened) * rng.uniform(0.1, 1.0, len(rows))).astype(np.int64)
    closed = handled + 60 + seconds(rng, ARCHIVING, len(rows))
    return [
        Step("ticket.reopened", rows, reopened),
        Step("ticket.due_changed", rows, reopened + 1, {"due_at": times(due)}),
        Step("ticket.handled", rows, handled),
        Step("ticket.closed", rows, closed),
    ]
