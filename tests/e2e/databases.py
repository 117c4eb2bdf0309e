"""Everything that a database holds of calls and tickets, to be compared with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotline.catalogue import KPIS, Stock
from hotline.subjects import SUBJECTS
from sinks.connecting import connect

if TYPE_CHECKING:
    from tests.e2e.stacks import Hotline

BADLY = ("--late", "0.1", "--late-by", "3600", "--duplicates", "0.05", "--disorder", "0.3")
"""Mishaps of a simulated city that no database may show."""


def stored(hotline: Hotline) -> dict[str, list[Any]]:
    """Read everything that is stored of calls and tickets: events, rows and sums."""
    found: dict[str, list[Any]] = {}
    with connect(hotline.settings, "reader") as client:
        for subject in SUBJECTS.values():
            for table in (subject.events_table, subject.rows_table):
                final = "FINAL" if table == subject.rows_table else ""
                found[table] = sorted(map(repr, client.query(f"SELECT * FROM hotline.{table} {final}").result_rows))  # noqa: S608
            table = subject.sums_table
            sums = client.query(f"SELECT * FROM hotline.{table} FINAL ORDER BY scope_kind, scope, at").result_rows  # noqa: S608
            found[table] = [row for row in sums if any(value for value in row if isinstance(value, int) and value)]
    return found


def figures(hotline: Hotline, day: str) -> list[dict[str, Any]]:
    """Read every figure of a day by hours."""
    flows = [name for name, kpi in KPIS.items() if not isinstance(kpi.numerator, Stock)]
    return hotline.figures(*flows, period=day, more=("--by", "hour"))


def same_databases(one: Hotline, other: Hotline, day: str) -> None:
    """Compare two databases, table by table, and reconcile each."""
    ours, theirs = stored(one), stored(other)
    assert ours.keys() == theirs.keys()
    for table in ours:
        assert ours[table], table
        assert ours[table] == theirs[table], table
    for hotline in (one, other):
        hotline.reconciled(day)
