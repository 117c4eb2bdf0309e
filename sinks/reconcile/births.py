"""Ids that were born more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.names import DATABASE
from sinks.difference import Span, instant
from sinks.reconcile.report import DIFFERENCES_MAX, TwoBirths

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject

IDS_MAX = 2_000_000
"""Ids that are looked at in one pass."""


def two_births(client: Client, subject: Subject, span: Span) -> tuple[int, list[TwoBirths]]:
    """Count the ids with several births, one of them in the span, and name the first.

    Looks at the births of all times, as many passes over them as memory asks for.
    """
    table = f"{DATABASE}.{subject.rows_table}"
    rows = int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])  # noqa: S608 names of ours
    passes = max(1, -(-rows // IDS_MAX))
    several = (
        f"SELECT cityHash64(source, entity) AS id FROM {table} "  # noqa: S608
        "WHERE cityHash64(source, entity) % {passes:UInt32} = {pass:UInt32} GROUP BY id "
        "HAVING min(born_at) != max(born_at) "
        "AND countIf(born_at >= toDateTime({lo:UInt32}) AND born_at < toDateTime({hi:UInt32})) > 0"
    )
    named = (
        "SELECT source, entity, "  # noqa: S608
        "arrayMap(birth -> toUnixTimestamp(birth), arraySort(groupUniqArray(born_at))) AS births "
        f"FROM {table} WHERE cityHash64(source, entity) IN ({several}) "
        "GROUP BY source, entity HAVING length(births) > 1 ORDER BY births, source, entity"
    )
    found: list[TwoBirths] = []
    count = 0
    for number in range(passes):
        asked = {"lo": span[0], "hi": span[1], "passes": passes, "pass": number}
        count += int(client.query(f"SELECT count() FROM ({named})", parameters=asked).result_rows[0][0])  # noqa: S608
        found += _named(client, subject, f"{named} LIMIT {DIFFERENCES_MAX}", asked)
    return count, sorted(found, key=lambda one: one.births)[:DIFFERENCES_MAX]


def _named(client: Client, subject: Subject, sql: str, asked: dict[str, int]) -> list[TwoBirths]:
    return [
        TwoBirths(subject=subject.name, source=source, entity=entity, births=[instant(int(birth)) for birth in births])
        for source, entity, births in client.query(sql, parameters=asked).result_rows
    ]
