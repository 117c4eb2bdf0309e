"""The period in spans: local hours outward, and as long as little enough is in them.

A span costs a few statements however little is in it, so what is sparse goes together.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from hotline.catalogue import Grain, measures
from hotline.names import DATABASE
from hotline.windows import DAY_S, MINUTE_S
from hotline.zones import floor_local

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject

SUMS_SPAN_S = 31 * DAY_S
"""Spans that sums are counted by; those with little in them are compared together."""
SUMS_MAX = 1_000_000
"""Stored sums, and instants of rows, up to which neighbouring spans are compared together."""

Span = tuple[int, int]
"""Epoch seconds, half-open."""


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
    """Cut a span of local hours into spans whose sums are counted, also at local hours."""
    first, end = span
    cuts = [first]
    while end - cuts[-1] > SUMS_SPAN_S:
        cuts.append(_floor(cuts[-1] + SUMS_SPAN_S, zone))
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def sum_pieces(client: Client, subject: Subject, span: Span, zone: str) -> list[Span]:
    """Cut a span of local hours into spans that are compared at once: as long as little enough is in them."""
    cut = sum_spans(span, zone)
    weights = _weights(client, subject, [start for start, _ in cut], span)
    pieces, weight = [cut[0]], weights[0]
    for (start, end), more in zip(cut[1:], weights[1:], strict=True):
        if weight + more <= SUMS_MAX:
            pieces[-1], weight = (pieces[-1][0], end), weight + more
        else:
            pieces, weight = [*pieces, (start, end)], more
    return pieces


def entries(client: Client, subject: Subject, span: Span) -> int:
    """Count the stored sums and the instants of rows in a span: what comparing it costs."""
    return sum(_weights(client, subject, [span[0]], span))


def _weights(client: Client, subject: Subject, starts: list[int], span: Span) -> list[int]:
    """Count, from each start to the next, stored sums and instants of rows."""
    columns = ", ".join(instants(subject))
    sql = (
        "SELECT toUInt32(arrayCount(start -> start <= at_s, {starts:Array(UInt32)})) AS place, count() FROM ("  # noqa: S608
        f"SELECT toUnixTimestamp(at) AS at_s FROM {DATABASE}.{subject.sums_table} UNION ALL "
        f"SELECT toUnixTimestamp(assumeNotNull(arrayJoin([{columns}]))) AS at_s FROM {DATABASE}.{subject.rows_table}"
        ") WHERE at_s >= {lo:UInt32} AND at_s < {hi:UInt32} GROUP BY place"
    )
    rows = client.query(sql, parameters={"starts": starts, "lo": span[0], "hi": span[1]}).result_rows
    found = {int(place): int(count) for place, count in rows}
    return [found.get(place, 0) for place in range(1, len(starts) + 1)]


def instants(subject: Subject) -> list[str]:
    """Name the instants of rows at which anything counts."""
    return sorted({measure.at.name for measure in measures(subject)})


def instant(seconds: int) -> datetime:
    """Give epoch seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
