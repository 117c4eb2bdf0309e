"""What reconcile finds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

DIFFERENCES_MAX = 20
"""Differences of each kind that are named; all are counted."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A scope: its kind and its name there, "" for what names none."""

    kind: str
    value: str


class SumDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A stored sum that the rows do not give."""

    subject: str
    measure: str
    kpis: list[str]
    """KPIs that are read from it."""
    scope: Scope | None
    """None for the whole city."""
    at: datetime
    """Start of the minute or hour."""
    grain: str = ""
    """`minute`, `hour` or `recent minute`; `none` where no sum of this kind should be."""
    stored: int
    recomputed: int


class RowDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a stored row that the events do not give; `row` when a whole row is there once too often or not."""

    subject: str
    source: str
    entity: str
    born_at: datetime
    field: str
    stored: Any
    recomputed: Any


class TwoBirths(msgspec.Struct, frozen=True, kw_only=True):
    """An id that was born more than once: each birth is a call or ticket of its own."""

    subject: str
    source: str
    entity: str
    births: list[datetime]


class Report(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """What was compared, and what differs. The lists name the first differences, the numbers count all."""

    from_: datetime
    to: datetime
    """The period, rounded outward to local hours; half-open."""
    equal: bool = True
    held: bool = True
    """The sink stood still for every comparison."""
    notes: list[str] = []
    cells: int = 0
    """Cells of sums compared: an instant of the catalogue, a scope and a minute or hour."""
    rows: int = 0
    events: int = 0
    sums_differ: int = 0
    sums_differ_first_at: datetime | None = None
    sums_differ_last_at: datetime | None = None
    """Start of the first and of the last minute or hour of which a sum differs."""
    rows_differ: int = 0
    ids_born_twice: int = 0
    sums: list[SumDifference] = []
    fields: list[RowDifference] = []
    two_births: list[TwoBirths] = []
