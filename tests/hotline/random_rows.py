"""Rows of random events drawn from the catalogue's own constants, as structs."""

from __future__ import annotations

import functools
import random
from datetime import timedelta
from typing import Any

import polars as pl

from hotline.blocks import complete
from hotline.events import WORDS
from hotline.fold import Call, Row, Ticket, fold, with_keys
from hotline.subjects import Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from tests.hotline.random_events import BIRTHS, STEPS_S, constants

STRUCTS: dict[str, type[Row]] = {"calls": Call, "tickets": Ticket}


def structs(subject: Subject, rows: pl.DataFrame) -> list[Row]:
    """Rows of a frame as structs."""
    struct = STRUCTS[subject.name]
    return [struct(**row) for row in rows.select(struct.__struct_fields__).iter_rows(named=True)]


@functools.cache
def rows(subject: Subject, seed: int, entities: int = 3_000, working: WorkingTime = NO_WORKING_TIME) -> pl.DataFrame:
    """Folded rows of many entities with one to eight events each.

    With a working time only changed deadlines are stated, so that rules have something to say.
    """
    draw = random.Random(seed)
    events = [event for entity in range(entities) for event in life(subject, draw, str(entity))]
    if working is not NO_WORKING_TIME:
        events = [rarely_due(event) for event in events]
    frame = complete(subject, pl.DataFrame(events, schema={k: subject.columns[k] for k in events[0]}))
    return fold(subject, with_keys(subject, frame), working)


TIMES = {"born_at", "occurred_at", "due_at", "created_at", "dispatched_at"}
"""What a life states of instants."""


def moved(events: list[dict[str, Any]], by: timedelta) -> list[dict[str, Any]]:
    """Give a life that happens later or earlier."""
    return [{name: value + by if name in TIMES and value else value for name, value in one.items()} for one in events]


def rarely_due(event: dict[str, Any]) -> dict[str, Any]:
    """The event without a deadline, unless that is what it speaks of."""
    return event if event["type"] == "ticket.due_changed" or "due_at" not in event else event | {"due_at": None}


def life(subject: Subject, draw: random.Random, entity: str) -> list[dict[str, Any]]:
    born = draw.choice(BIRTHS)
    events = [
        {
            "type": draw.choice(subject.types),
            "source": "s",
            "entity": entity,
            "born_at": born,
            "occurred_at": born + timedelta(seconds=draw.choice(STEPS_S)),
            **{
                name: _value(draw, name, dtype)
                for name, dtype in subject.columns.items()
                if name
                not in {"type", "source", "entity", "born_at", "occurred_at", "id", "revision", "schema", "received_at"}
            },
        }
        for _ in range(draw.randint(1, 8))
    ]
    for event in events:
        if event["type"] == "ticket.due_changed":
            event["due_at"] = event["due_at"] or event["occurred_at"]
    return events


def _value(draw: random.Random, name: str, dtype: pl.DataType) -> Any:
    if name in WORDS:
        return draw.choice(WORDS[name])
    if dtype == pl.Datetime:
        return draw.choice([None, *(BIRTHS[0] + timedelta(seconds=step) for step in STEPS_S)])
    if dtype == pl.Boolean:
        return draw.choice([True, True, False])
    if dtype == pl.Int32:
        return draw.choice(constants())
    return draw.choice([None, "a", "b"])
