"""What is told to a pipeline that is being broken: lives of calls and tickets, badly told, all by one seed.

Told with everything that transport and senders do to events: out of order, late by months, single events and whole
blocks repeated, blocks of any size, and some events that are none. Most is told in blocks, some as single events.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from hotline.blocks import complete
from hotline.subjects import SUBJECTS, Subject
from tests.hotline.random_events import BIRTHS
from tests.hotline.random_rows import life, moved, rarely_due

if TYPE_CHECKING:
    from collections.abc import Iterator

RECENT_DAYS = range(7, 11)
"""How long before a day half of the lives began: the longest of them end before it, whatever its hour is now."""
EARLIER_DAYS = range(10, 400)
REPEATED, DISPLACED, DEAD = 0.06, 0.3, 0.01
"""Shares of events that are told again somewhere, told far from where they belong, or no events."""
NO_EVENT = "call.rang"
"""The type of what is told and is no event."""
SINGLE_EVERY = 4
"""One entity in so many is told as single events, some of which come in blocks as well."""


@dataclass(frozen=True)
class Piece:
    """What is told at once: events of one subject, and into blocks of how many."""

    subject: Subject
    events: pl.DataFrame
    events_max: int
    single: bool = False
    """It goes to intake, as one JSON object an event."""


@dataclass(frozen=True)
class Story:
    """A seed's story. `lives` are the events themselves, each once or contradicted; `pieces` is how they are told."""

    lives: dict[str, pl.DataFrame]
    pieces: list[Piece]
    dead: int
    """Events told that are none."""

    @property
    def events(self) -> int:
        """Events told, repeats and those that are none included."""
        return sum(len(piece.events) for piece in self.pieces)


def story(seed: int, *, entities: int, pieces: int, today: datetime | None = None, by_rule: bool = False) -> Story:
    """Make the story of so many calls and as many tickets, told in about so many pieces of both subjects together.

    `by_rule`: hardly any event states a deadline, so that a rule has something to say.
    """
    draw = random.Random(seed)
    day = (today or datetime.now(UTC)).date()
    lives, told, dead = {}, [], 0
    for name, subject in SUBJECTS.items():
        events = [one for number in range(entities) for one in _lived(subject, draw, number, day)]
        events = [rarely_due(one) for one in events] if by_rule else events
        lives[name] = _frame(subject, events)
        count = pieces // len(SUBJECTS)
        singles = max(1, count // SINGLE_EVERY)
        by_intake = [one for one in events if _is_single(one)]
        for single, mine, parts in (
            (True, by_intake, singles),
            (False, [one for one in events if not _is_single(one)], max(1, count - singles)),
        ):
            order = _badly_told(mine, draw)
            nothing = [{**one, "type": NO_EVENT} for one in draw.sample(mine, max(1, int(len(mine) * DEAD)))]
            both = [] if single else draw.sample(by_intake, len(by_intake) // 10)
            for one in (*nothing, *both):
                order.insert(draw.randrange(len(order)), one)
            dead += len(nothing)
            told += list(_pieces(subject, order, parts, draw, single=single))
    draw.shuffle(told)
    again = [draw.choice(told) for _ in range(max(1, len(told) // 10))]
    extra = sum(int((piece.events["type"] == NO_EVENT).sum()) for piece in again)
    return Story(lives, [*told, *again], dead + extra)


def single_events(piece: Piece) -> Iterator[bytes]:
    """Give the events of a piece as an outside system sends them."""
    for event in piece.events.select(*piece.subject.columns).iter_rows(named=True):
        yield msgspec.json.encode({name: value for name, value in event.items() if value is not None})


def _lived(subject: Subject, draw: random.Random, number: int, day: Any) -> list[dict[str, Any]]:
    """Give a life; what is told as single events states what its type may state, and nothing else."""
    ago = draw.choice(RECENT_DAYS if draw.random() < 0.5 else EARLIER_DAYS)
    by = timedelta(days=(day - BIRTHS[0].date()).days - ago)
    events = moved(life(subject, draw, str(number)), by)
    may = {str(event.__struct_config__.tag): {"type", *event.__struct_fields__} for event in subject.events}
    return [
        {name: value if name in may[one["type"]] or not _is_single(one) else None for name, value in one.items()}
        for one in events
    ]


def _is_single(event: dict[str, Any]) -> bool:
    return int(event["entity"]) % SINGLE_EVERY == 0


def _badly_told(events: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """All of the events by the time at which they happened, but for those displaced; some of them again."""
    order = sorted(events, key=lambda one: one["occurred_at"])
    for _ in range(int(len(order) * DISPLACED)):
        order.insert(draw.randrange(len(order)), order.pop(draw.randrange(len(order))))
    for one in draw.sample(events, int(len(events) * REPEATED)):
        order.insert(draw.randrange(len(order)), one)
    return order


def _pieces(
    subject: Subject, order: list[dict[str, Any]], count: int, draw: random.Random, *, single: bool
) -> Iterator[Piece]:
    cuts = sorted(draw.sample(range(1, len(order)), count - 1))
    for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
        yield Piece(subject, _frame(subject, order[start:end]), draw.choice([1, 7, 100, 10_000]), single)


def _frame(subject: Subject, events: list[dict[str, Any]]) -> pl.DataFrame:
    return complete(subject, pl.DataFrame(events, schema={name: subject.columns[name] for name in events[0]}))
