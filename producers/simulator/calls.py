"""A day's calls, each with all its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotline.events.keys import mix
from hotline.subjects import CALLS
from producers.simulator.answering import answer
from producers.simulator.draws import I64, Mask, arrivals, named, seconds, shares, words
from producers.simulator.lives import Step, entities, events

if TYPE_CHECKING:
    from producers.simulator.city import City


@dataclass(frozen=True)
class Calls:
    """The calls offered on one day, a place a call; instants in epoch seconds."""

    ids: pl.Series
    offered: I64
    line: I64
    district: I64
    inbound: Mask
    answered: Mask
    lost: Mask
    wait: I64
    talk: I64
    queued: I64
    ended: I64
    operator: I64
    """Number of the operator who answered; of no meaning where nobody did."""


def draw_calls(
    rng: np.random.Generator, city: City, bounds_s: tuple[int, int], count: int, *, prefix: str, weight: float
) -> Calls:
    """Draw `count` calls, in order of time, of a day of that weight; who is on shift answers those that come in."""
    offered = arrivals(rng, city, bounds_s, count)
    inbound = rng.random(count) >= city.outbound_share
    lost = rng.random(count) < city.lost_share
    answered = ~inbound & ~lost & (rng.random(count) < city.outbound_answered_share)
    queued = offered + rng.integers(0, 2, count) * inbound
    wait = np.minimum(seconds(rng, city.wait_outbound, count), seconds(rng, city.patience, count))
    operator = rng.integers(1, city.operators + 1, count)
    talk = np.where(inbound, seconds(rng, city.talk, count), seconds(rng, city.talk_outbound, count))
    line = np.flatnonzero(inbound & ~lost)
    served, operator[line] = answer(rng, city, bounds_s, weight, queued[line], talk[line])
    wait[line], answered[line] = served.wait, served.answered
    talk *= answered
    return Calls(
        ids=entities(prefix, count),
        offered=offered,
        line=shares(rng, city.lines, count),
        district=shares(rng, city.districts, count),
        inbound=inbound,
        answered=answered,
        lost=lost,
        wait=wait,
        talk=talk,
        queued=queued,
        ended=queued + wait + talk,
        operator=operator,
    )


def call_events(rng: np.random.Generator, city: City, calls: Calls, seed: int) -> pl.DataFrame:
    """Tell everything that happened to these calls, in order of time."""
    moved = np.flatnonzero(calls.inbound & calls.answered & (rng.random(len(calls.ids)) < city.transferred_share))
    queued, lost = np.flatnonzero(calls.inbound), np.flatnonzero(calls.lost)
    answered = np.flatnonzero(calls.answered)
    gave_up = np.flatnonzero(calls.inbound & ~calls.answered & ~calls.lost)
    ended = np.flatnonzero(~calls.lost)
    spoken = pl.Series(calls.talk[ended], dtype=pl.Int32)
    steps = [
        Step("call.offered", np.arange(len(calls.ids)), calls.offered, _offer(rng, city, calls, seed)),
        Step("call.queued", queued, calls.queued[queued]),
        Step("call.answered", answered, (calls.queued + calls.wait)[answered], _answer(city, calls, answered)),
        Step("call.abandoned", gave_up, calls.ended[gave_up], {"wait_s": _waits(calls, gave_up)}),
        Step("call.transferred", moved, calls.ended[moved] - calls.talk[moved] // 2, {"leg": pl.lit("specialist")}),
        Step("call.ended", ended, calls.ended[ended], {"talk_s": spoken.set(~pl.Series(calls.answered[ended]), None)}),
        Step("call.lost", lost, calls.queued[lost] + calls.wait[lost]),
    ]
    return events(CALLS, calls.ids, calls.offered, steps, with_ids=False)


def _offer(rng: np.random.Generator, city: City, calls: Calls, seed: int) -> dict[str, pl.Series | pl.Expr]:
    # The cube makes some people call far more often than others.
    person = (city.callers * rng.random(len(calls.ids)) ** 3).astype(np.int64)
    return {
        "line": named(city.lines, calls.line),
        "district": named(city.districts, calls.district),
        "direction": words(("outbound", "inbound"), calls.inbound.astype(np.int64)),
        "caller": _pseudonyms(person, seed),
    }


def _answer(city: City, calls: Calls, rows: I64) -> dict[str, pl.Series | pl.Expr]:
    operator = calls.operator[rows]
    return {
        "leg": pl.lit("operator"),
        "operator": words([f"座席{number:04d}" for number in range(int(operator.max(initial=0)) + 1)], operator),
        "operator_group": words(city.operator_groups, operator % len(city.operator_groups)),
        "wait_s": _waits(calls, rows),
    }


def _waits(calls: Calls, rows: I64) -> pl.Series:
    return pl.Series(calls.wait[rows], dtype=pl.Int32)


def _pseudonyms(person: I64, seed: int) -> pl.Series:
    """Name each person by 24 hexadecimal digits, as a keyed hash would; other seeds have other people."""
    key = mix(np.full(1, seed % 2**64, np.uint64))
    words_of_person = np.stack([mix(person.astype(np.uint64) + key), mix(person.astype(np.uint64) ^ key)], axis=1)
    digits = np.ascontiguousarray(words_of_person.view(np.uint8)[:, :12]).tobytes().hex()
    return pl.Series(np.frombuffer(digits.encode(), "S24").astype("U24"), dtype=pl.String)
