"""Calls and tickets whose steps do not fit together: what a source left out, and what no events could ever give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hotline.names import DATABASE
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_DAY_AGO = "now() - INTERVAL 1 DAY"


@dataclass(frozen=True)
class Oddity:
    """A kind of life that does not balance, as a condition over its row."""

    subject: str
    name: str
    where: str
    impossible: bool = False
    """No set of events folds into such a row."""


def _steps(subject: str, *pairs: tuple[str, str]) -> tuple[Oddity, ...]:
    """A later step that is there, and the earlier one that is not."""
    return tuple(
        Oddity(subject, f"{late} without {early}", f"isNotNull({late}_at) AND isNull({early}_at)")
        for late, early in pairs
    )


def _never(subject: str, *conditions: str) -> tuple[Oddity, ...]:
    return tuple(Oddity(subject, condition, condition, impossible=True) for condition in conditions)


ODDITIES = (
    *_steps("calls", ("answered", "offered"), ("abandoned", "offered"), ("ended", "offered")),
    Oddity(
        "calls",
        "ended without answered, abandoned or lost",
        "isNotNull(ended_at) AND isNull(outcome_at) AND isNull(lost_at)",
    ),
    Oddity("calls", "waiting for more than a day", f"isNull(left_queue_at) AND queued_at < {_DAY_AGO}"),
    Oddity("calls", "talking for more than a day", f"isNull(left_talk_at) AND answered_at < {_DAY_AGO}"),
    *_never(
        "calls",
        "isNotNull(outcome) != isNotNull(outcome_at)",
        "isNotNull(answered_at) AND isNotNull(abandoned_at)",
        "left_queue_at < queued_at",
        "left_talk_at < answered_at",
        "wait_s < 0",
        "talk_s < 0",
    ),
    *_steps("tickets", ("dispatched", "created"), ("handled", "dispatched"), ("reopened", "first_handled")),
    *_steps("tickets", ("rated", "asked")),
    Oddity(
        "tickets",
        "closed without handled or answered online",
        "isNotNull(closed_at) AND isNull(first_handled_at) AND isNull(answered_online_at) AND isNull(merged_at)",
    ),
    Oddity("tickets", "handled before dispatched", "handled_at < dispatched_at"),
    *_never(
        "tickets",
        "dispatched != isNotNull(dispatched_at)",
        "handled != isNotNull(handled_at)",
        "has_deadline != isNotNull(due_at)",
        "left_open_at < dispatched_at",
        "left_overdue_at < overdue_at",
        "handled_at < first_handled_at",
    ),
)


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls or tickets are odd in one way, and the identity of one of them, as `hotline explain` takes it."""

    subject: str
    name: str
    count: int
    impossible: bool
    example: str


def odd_lives(client: Client) -> list[Odd]:
    """Count the lives of each kind of oddity; kinds without any are left out."""
    return [odd for name, subject in SUBJECTS.items() for odd in _of(client, name, subject.rows_table)]


def _of(client: Client, subject: str, table: str) -> list[Odd]:
    kinds = [oddity for oddity in ODDITIES if oddity.subject == subject]
    one = "concat(source, '/', entity, '@', formatDateTime(born_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC'))"
    asked = ", ".join(f"countIf({kind.where}), anyIf({one}, {kind.where})" for kind in kinds)
    found = client.query(f"SELECT {asked} FROM {DATABASE}.{table} FINAL").result_rows[0]  # noqa: S608 names of ours
    return [
        Odd(subject=subject, name=kind.name, count=int(count), impossible=kind.impossible, example=str(example))
        for kind, count, example in zip(kinds, found[::2], found[1::2], strict=True)
        if count
    ]
