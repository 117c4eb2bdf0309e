"""A day's tickets as they are taken down, and those answered at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotline.subjects import TICKETS
from producers.simulator.city import City, Lognormal
from producers.simulator.dispatched import dispatched_steps
from producers.simulator.draws import I64, Mask, arrivals, codes, named, seconds, shares, words
from producers.simulator.lives import Step, entities, events

if TYPE_CHECKING:
    from producers.simulator.calls import Calls

CLASSIFYING = Lognormal(25.0, 0.6, 600)
ANSWERING = Lognormal(120.0, 0.8, 3_600)


@dataclass(frozen=True)
class Tickets:
    """The tickets created on one day, a place a ticket; instants in epoch seconds."""

    ids: pl.Series
    created: I64
    call: I64
    """Place of the call it came from, -1 for none."""
    channel: I64
    line: I64
    district: I64
    online: Mask


def draw_tickets(
    rng: np.random.Generator, city: City, bounds_s: tuple[int, int], count: int, *, prefix: str, calls: Calls
) -> Tickets:
    """Draw `count` tickets in order of time. Those by phone come from answered calls while there are any left."""
    channel = shares(rng, city.channels, count)
    by_phone = np.flatnonzero(np.array([name == city.phone for name, _ in city.channels])[channel])
    spoken = np.flatnonzero(calls.inbound & calls.answered & (calls.ended < bounds_s[1]))
    linked = min(len(by_phone), len(spoken))
    call = np.full(count, -1, np.int64)
    call[by_phone[:linked]] = rng.permutation(spoken)[:linked]
    created = rng.permutation(arrivals(rng, city, bounds_s, count))
    line, district = shares(rng, city.lines, count), shares(rng, city.districts, count)
    mine = call[by_phone[:linked]]
    for column, of_call in ((created, calls.ended), (line, calls.line), (district, calls.district)):
        column[by_phone[:linked]] = of_call[mine]
    order = np.argsort(created, kind="stable")
    return Tickets(
        ids=entities(prefix, count),
        created=created[order],
        call=call[order],
        channel=channel[order],
        line=line[order],
        district=district[order],
        online=rng.random(count) < city.online_share,
    )


def ticket_events(rng: np.random.Generator, city: City, tickets: Tickets, calls: Calls) -> pl.DataFrame:
    """Tell everything that will happen to these tickets, in order of time."""
    count = len(tickets.ids)
    classified = tickets.created + 1 + seconds(rng, CLASSIFYING, count)
    consult = rng.random(count) < np.where(tickets.online, city.consult_share_online, city.consult_share_dispatched)
    online = np.flatnonzero(tickets.online)
    steps = [
        Step("ticket.created", np.arange(count), tickets.created, _creation(rng, city, tickets, calls)),
        Step(
            "ticket.classified",
            np.arange(count),
            classified,
            {
                "category": named(city.categories, shares(rng, city.categories, count)),
                "nature": words(("other", "consult"), consult.astype(np.int64)),
            },
        ),
        Step(
            "ticket.answered_online",
            online,
            classified[online] + 1 + seconds(rng, ANSWERING, len(online)),
            {"leg": _legs(rng, city, len(online))},
        ),
    ]
    sent = np.flatnonzero(~tickets.online)
    desks = _departments(rng, city, tickets.district[sent])
    steps += dispatched_steps(
        rng, city, tickets.ids, sent=sent, classified=classified[sent], consult=consult[sent], desks=desks
    )
    return events(TICKETS, tickets.ids, tickets.created, steps, with_ids=True)


def _creation(rng: np.random.Generator, city: City, tickets: Tickets, calls: Calls) -> dict[str, pl.Series | pl.Expr]:
    count = len(tickets.ids)
    enterprise = np.isin([name for name, _ in city.lines], city.enterprise_lines)[tickets.line]
    group = rng.integers(0, len(city.operator_groups), count)
    return {
        "line": named(city.lines, tickets.line),
        "district": named(city.districts, tickets.district),
        "channel": named(city.channels, tickets.channel),
        "audience": words(("citizen", "enterprise"), enterprise.astype(np.int64)),
        "operator_group": words(city.operator_groups, group),
        "call": calls.ids.gather(pl.Series(tickets.call).replace(-1, None)),
    }


def _legs(rng: np.random.Generator, city: City, count: int) -> pl.Series:
    return words(("operator", "specialist"), (rng.random(count) < city.specialist_share).astype(np.int64))


def _departments(rng: np.random.Generator, city: City, district: I64) -> tuple[pl.Series, pl.Series]:
    """Pick two departments a ticket, both serving its district: the first, and whom it is sent to after a return."""
    picked = np.zeros((2, len(district)), np.int64)
    for place, (serving, weights) in enumerate(city.desks):
        here = np.flatnonzero(district == place)
        for choice in picked:
            choice[here] = serving[codes(rng, weights, len(here))]
    departments = [name for name, _ in city.departments]
    return words(departments, picked[0]), words(departments, picked[1])
