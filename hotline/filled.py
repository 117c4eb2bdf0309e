"""Which columns of sums are filled: hold what the rows give, also for the time before they were made.

A changed formula is a new column, which holds nothing of the past until `hotline migrate` fills it; and when outputs
are stored that lack a column, because a worker of another catalogue made them, it lacks something from then on.
The table has a row each time that a fill of a column began, and each time that it ended, with how often the column was
found lacking before it began; and a row each time that an output without it was stored after either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from hotline.catalogue import KPIS, Kpi
from hotline.names import DATABASE, FILLED_COLUMNS_TABLE

Columns = Collection[tuple[str, str]]
"""Tables of sums and their columns."""

FILLED, BEGUN, LACKING = "filled", "begun", "lacking"
"""What a row tells."""
_TOLD = (
    f"SELECT sums_table, sums_column FROM {DATABASE}.{FILLED_COLUMNS_TABLE} GROUP BY sums_table, sums_column "  # noqa: S608 names of ours
    f"HAVING maxIf(lacked + 1, told IN ({{}})) > countIf(told = '{LACKING}')"
)
FILLED_SQL = _TOLD.format(f"'{FILLED}'")
CLAIMED_SQL = _TOLD.format(f"'{FILLED}', '{BEGUN}'")
"""Columns that are filled, or that somebody fills: it must be told when an output lacks one."""
LACKED_SQL = (
    f"SELECT sums_table, sums_column, countIf(told = '{LACKING}') FROM {DATABASE}.{FILLED_COLUMNS_TABLE} "  # noqa: S608 names of ours
    "GROUP BY sums_table, sums_column"
)


def columns(rows: Iterable[Sequence[Any]]) -> frozenset[tuple[str, str]]:
    """The filled columns, from the rows of `FILLED_SQL`."""
    return frozenset((str(table), str(column)) for table, column in rows)


def is_filled(kpi: Kpi, filled: Columns, *, recent: bool = False) -> bool:
    """Whether all sums that a KPI is read from are filled, those of recent minutes or those that are kept for ever."""
    table = kpi.subject.recent_table if recent else kpi.subject.sums_table
    return all((table, measure.column) in filled for measure in kpi.measures)


def without_value(filled: Columns) -> list[str]:
    """KPIs that have no live value, because something that it would be made of is not filled."""
    return [name for name, kpi in KPIS.items() if not (is_filled(kpi, filled) and is_filled(kpi, filled, recent=True))]
