"""Many events against the rules of all events and against the clock, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hotline.blocks import complete
from hotline.dead_letters import REASONS
from hotline.events.rules import problems
from hotline.subjects import Subject
from streams.intake import refusals
from streams.intake.arriving import Arrival
from streams.intake.frames import by_type, frame

HAPPENED = ("occurred_at", "born_at", "dispatched_at")
"""Times of what has happened; a deadline may lie in the future."""


@dataclass(frozen=True)
class Judged:
    """Events of one subject that are good, as the columns of a block, and the others with what is wrong."""

    events: pl.DataFrame
    arrivals: list[Arrival]
    """The good ones, in the order of `events`."""
    refused: list[tuple[Arrival, refusals.Refusal]]


def judge(subject: Subject, arrivals: Sequence[Arrival], *, now: int, future_skew_s: int) -> Judged:
    """Judge decoded events that have a birth; `now` is in epoch seconds."""
    ordered = by_type(arrivals)
    events = complete(subject, frame(subject, ordered, received_at=now))
    found = _too_early(problems(subject, events), events, now + future_skew_s)
    if found.null_count() == len(found):
        return Judged(events, ordered, [])
    refused = [(ordered[place], _told(ordered[place], found[place], now)) for place in found.is_not_null().arg_true()]
    good = [arrival for arrival, problem in zip(ordered, found, strict=True) if problem is None]
    return Judged(events.filter(found.is_null()), good, refused)


def _too_early(found: pl.Series, events: pl.DataFrame, latest: int) -> pl.Series:
    for name in HAPPENED:
        times = events[name].to_physical() if name in events.columns else pl.Series([0])
        if int(times.max() or 0) > latest * 1000:  # type: ignore[arg-type]
            early = (times > latest * 1000).fill_null(value=False) & found.is_null()
            found = found.zip_with(~early, pl.Series(["future_time"]))
    return found


def _told(arrival: Arrival, problem: str, now: int) -> refusals.Refusal:
    """The problem that was found, in words; the sender's bytes are read again for it."""
    if problem == "future_time":
        ahead = {name: _ahead_s(arrival.event, name, now) for name in HAPPENED}
        latest = max(ahead, key=lambda name: ahead[name])
        return refusals.future(latest, ahead[latest])
    known = refusals.parsed(arrival.value)
    return (refusals.of_object(known) if isinstance(known, dict) else None) or (problem, REASONS[problem])


def _ahead_s(event: Any, name: str, now: int) -> int:
    at = getattr(event, name, None)
    return 0 if at is None else int(at.timestamp()) - now
