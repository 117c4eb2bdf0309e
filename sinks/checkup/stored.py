"""From when to when anything is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.names import DATABASE
from hotline.subjects import SUBJECTS
from sinks.difference.spans import Span, instants

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def stored_span(client: Client) -> Span | None:
    """Find the span of all events, rows and sums, in epoch seconds; None when nothing is stored."""
    found: list[int] = []
    for subject in SUBJECTS.values():
        columns = {
            subject.events_table: ["born_at", "occurred_at"],
            subject.rows_table: ["born_at", *instants(subject)],
            subject.sums_table: ["at"],
            subject.recent_table: ["at"],
        }
        for table, names in columns.items():
            edges = ", ".join(f"toUnixTimestamp({edge}({name}))" for name in names for edge in ("min", "max"))
            ((count, *times),) = client.query(f"SELECT count(), {edges} FROM {DATABASE}.{table}").result_rows  # noqa: S608 names of ours
            found += [int(time) for time in times if count and time]
    return (min(found), max(found) + 1) if found else None
