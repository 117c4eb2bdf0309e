"""Birth days in groups that fit into memory; what is sparse goes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.names import DATABASE
from hotline.windows import DAY_S
from sinks.difference.spans import Span, instants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject

EVENTS_MAX = 300_000
"""Events that are folded at once; a birth day that has more is cut by its ids."""


class Piece:
    """Birth days [from, to) in epoch seconds; `share` of `shares` of their ids."""

    def __init__(self, span: Span, events: int, share: int = 0, shares: int = 1) -> None:
        self.span, self.events, self.share, self.shares = span, events, share, shares


def birth_pieces(client: Client, subject: Subject, span: Span) -> list[Piece]:
    """Find the birth days (of UTC) of all that is born, happens or counts in the span, in groups for the fold."""
    touched = _touched(client, subject, span)
    return list(_grouped(_populated(client, subject, touched), touched)) if touched else []


def _populated(client: Client, subject: Subject, touched: set[int]) -> dict[int, int]:
    """Count the events born on every day from the first of these to the last, in order; days without any are absent."""
    day = f"intDiv(toUnixTimestamp(born_at), {DAY_S})"
    inside = "WHERE born_at >= toDateTime({lo:UInt32}) AND born_at < toDateTime({hi:UInt32})"
    sql = (
        "SELECT day, sum(here) FROM ("  # noqa: S608 names of ours
        f"SELECT {day} AS day, count() AS here FROM {DATABASE}.{subject.events_table} {inside} GROUP BY day UNION ALL "
        f"SELECT DISTINCT {day} AS day, 0 AS here FROM {DATABASE}.{subject.rows_table} {inside}"
        ") GROUP BY day ORDER BY day"
    )
    asked = {"lo": min(touched) * DAY_S, "hi": (max(touched) + 1) * DAY_S}
    return {int(day): int(count) for day, count in client.query(sql, parameters=asked).result_rows}


def _touched(client: Client, subject: Subject, span: Span) -> set[int]:
    rows_columns = ["born_at", *instants(subject)]
    found: set[int] = set()
    for table, columns in {subject.events_table: ["born_at", "occurred_at"], subject.rows_table: rows_columns}.items():
        inside = " OR ".join(
            f"({name} >= toDateTime({{lo:UInt32}}) AND {name} < toDateTime({{hi:UInt32}}))" for name in columns
        )
        sql = f"SELECT DISTINCT intDiv(toUnixTimestamp(born_at), {DAY_S}) FROM {DATABASE}.{table} WHERE {inside}"  # noqa: S608
        rows = client.query(sql, parameters={"lo": span[0], "hi": span[1]}).result_rows
        found.update(int(row[0]) for row in rows)
    return found


def _grouped(counts: dict[int, int], touched: set[int]) -> Iterator[Piece]:
    """Put touched days together up to the bound, over gaps in which nothing is born; cut a day beyond it by its ids."""
    days: list[int] = []
    events = 0
    for day, count in counts.items():
        if days and (day not in touched or events + count > EVENTS_MAX):
            yield from _pieces(days, events)
            days, events = [], 0
        if day in touched:
            days, events = [*days, day], events + count
    yield from _pieces(days, events)


def _pieces(days: list[int], events: int) -> Iterator[Piece]:
    shares = max(1, -(-events // EVENTS_MAX))
    for share in range(shares if days else 0):
        yield Piece((days[0] * DAY_S, (days[-1] + 1) * DAY_S), events, share, shares)
