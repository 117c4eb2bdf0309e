"""The period in pieces: local hours outward, and birth days in groups that fit into memory."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from hotline.catalogue import Grain, measures
from hotline.names import DATABASE
from hotline.zones import floor_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject

DAY_S = 86_400
MINUTE_S = 60
SUMS_SPAN_S = 31 * DAY_S
"""Longest span whose sums are compared at once."""
EVENTS_MAX = 300_000
"""Events that are folded at once; a birth day that has more is cut by its ids."""

Span = tuple[int, int]
"""Epoch seconds, half-open."""


class Piece:
    """Birth days [from, to) in epoch seconds; `share` of `shares` of their ids."""

    def __init__(self, span: Span, events: int, share: int = 0, shares: int = 1) -> None:
        self.span, self.events, self.share, self.shares = span, events, share, shares


def outward(from_: datetime, to: datetime, zone: str) -> Span:
    """Round the period outward to local hours. Raises ValueError for a naive time, or an empty period."""
    if from_.tzinfo is None or to.tzinfo is None:
        raise ValueError("a period needs times with their offset")
    if from_ >= to:
        raise ValueError(
            f"the period from {from_.isoformat()} to {to.isoformat()} is empty: name the earlier time first"
        )
    last = math.ceil(to.timestamp())
    end = _floor(last, zone)
    return _floor(math.floor(from_.timestamp()), zone), end if end == last else _next_hour(end, zone)


def _floor(at: int, zone: str) -> int:
    """Start of the local hour that holds an instant."""
    return int(floor_local(np.array([at], np.int64), Grain.HOUR, zone)[0])


def _next_hour(start: int, zone: str) -> int:
    """Start of the next local hour; where clocks move by half an hour it may come sooner or later than in 3,600 s."""
    return next(at for at in range(start + MINUTE_S, start + 2 * Grain.HOUR + 1, MINUTE_S) if _floor(at, zone) == at)


def sum_spans(span: Span, zone: str) -> list[Span]:
    """Cut a span of local hours into spans that are compared at once, also at local hours."""
    first, end = span
    cuts = [first]
    while end - cuts[-1] > SUMS_SPAN_S:
        cuts.append(_floor(cuts[-1] + SUMS_SPAN_S, zone))
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def birth_pieces(client: Client, subject: Subject, span: Span) -> list[Piece]:
    """Find the birth days (of UTC) of all that is born, happens or counts in the span, in groups for the fold."""
    touched = _touched(client, subject, span)
    days = f"intDiv(toUnixTimestamp(born_at), {DAY_S})"
    sql = (
        f"SELECT {days} AS day, count() FROM {DATABASE}.{subject.events_table} "  # noqa: S608 names of ours
        "WHERE day IN {days:Array(UInt32)} GROUP BY day"
    )
    found = client.query(sql, parameters={"days": sorted(touched)}).result_rows if touched else []
    counts = {int(day): int(count) for day, count in found}
    return list(_grouped({day: counts.get(day, 0) for day in sorted(touched)}))


def _touched(client: Client, subject: Subject, span: Span) -> set[int]:
    instants = sorted({measure.at.name for measure in measures(subject)})
    tables = {subject.events_table: ["born_at", "occurred_at"], subject.rows_table: ["born_at", *instants]}
    found: set[int] = set()
    for table, columns in tables.items():
        inside = " OR ".join(
            f"({name} >= toDateTime({{lo:UInt32}}) AND {name} < toDateTime({{hi:UInt32}}))" for name in columns
        )
        sql = f"SELECT DISTINCT intDiv(toUnixTimestamp(born_at), {DAY_S}) FROM {DATABASE}.{table} WHERE {inside}"  # noqa: S608
        rows = client.query(sql, parameters={"lo": span[0], "hi": span[1]}).result_rows
        found.update(int(row[0]) for row in rows)
    return found


def _grouped(counts: dict[int, int]) -> Iterator[Piece]:
    """Neighbouring days together up to the bound; a day beyond it in shares of its ids."""
    start = end = events = 0
    for day, count in counts.items():
        if day != end or events + count > EVENTS_MAX:
            yield from _pieces(start, end, events)
            start, events = day, 0
        end, events = day + 1, events + count
    yield from _pieces(start, end, events)


def _pieces(start: int, end: int, events: int) -> Iterator[Piece]:
    shares = max(1, -(-events // EVENTS_MAX))
    for share in range(shares if end > start else 0):
        yield Piece((start * DAY_S, end * DAY_S), events, share, shares)


def instant(seconds: int) -> datetime:
    """Give epoch seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
