"""Years as a large city leaves them, made by the engine itself: so many sums and tickets, with values of no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.catalogue import ALL, Grain, measures, scope_kinds
from hotline.names import COVERED_DAYS_TABLE, DATABASE
from hotline.subjects import SUBJECTS
from hotline.windows import DAY_S, RECENT_S
from sinks.tables import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.subjects import Subject

SCOPES: Mapping[str, int] = {
    ALL: 1,
    "line": 10,
    "district": 10,
    "operator_group": 20,
    "department": 871,
    "channel": 8,
    "audience": 2,
    "category": 100,
    "nature": 2,
}
"""How many scopes of each kind a large city has."""
MANY = 20
"""Fewer scopes of a kind than these have something in every cell. Of so many or more, each has something in some:"""
HOURS_PERCENT, RECENT_MINUTES_PERCENT = 60, 15
TICKETS_A_DAY = 40_668
"""As Suzhou 12345 had them in 2023."""
MONTH_DAYS = 30
"""Tickets of so many days are stored by one insert."""
_ONE_THREAD = {"max_threads": 1, "max_partitions_per_insert_block": 0}


def store(client: Client, end_s: int, *, days: int = 365, scopes: Mapping[str, int] = SCOPES) -> None:
    """Store sums of the days before an instant, a whole hour in epoch seconds, and these days as covered.

    At the end they are kept by day and by time, as they are once the engine has merged them.
    """
    for subject in SUBJECTS.values():
        for kind in scope_kinds(subject):
            for grain, some in _by_grain(subject, kind).items():
                _cells(client, subject.sums_table, (kind, scopes[kind]), some, (end_s - days * DAY_S, end_s, grain))
                if grain is Grain.HOUR:
                    recent = (end_s - RECENT_S, end_s, Grain.MINUTE)
                    _cells(client, subject.recent_table, (kind, scopes[kind]), some, recent)
        client.command(
            f"INSERT INTO {DATABASE}.{COVERED_DAYS_TABLE} "  # noqa: S608 names of ours
            f"SELECT '{subject.name}', toDate({end_s - days * DAY_S} + number * {DAY_S}) FROM numbers({days + 1})"
        )
    for table in tables().values():
        for projection in table.projections:
            alter = f"ALTER TABLE {DATABASE}.{table.name} MATERIALIZE PROJECTION {projection}"
            client.command(alter, settings={"mutations_sync": 2})


def store_tickets(client: Client, end_s: int, *, days: int = 365, a_day: int = TICKETS_A_DAY) -> None:
    """Store the tickets of the days before an instant, of one partition: a fifth are sent to a department.

    Of these one in 25 became overdue; of the last 50 days' one in ten is it still, of older ones one in 3,000.
    """
    for first in range(0, days, MONTH_DAYS):
        some = min(MONTH_DAYS, days - first)
        span = {"begin": end_s - (days - first) * DAY_S, "seconds": some * DAY_S, "count": some * a_day}
        open_among = 10 if days - first <= 50 + MONTH_DAYS else 3_000
        client.command(_TICKETS.format(**span, first=first * a_day, open_among=open_among), settings=_ONE_THREAD)


_TICKETS = f"""
INSERT INTO {DATABASE}.tickets (source, entity, born_at, version, line, district, department, category, created_at,
  dispatched_at, due_at, handled_at, dispatched, has_deadline, late, overdue_at, left_overdue_at)
WITH intHash32(number + {{first}}) AS dice, dice % 5 = 0 AS sent, sent AND intDiv(dice, 5) % 25 = 0 AS late,
  late AND intDiv(dice, 125) % {{open_among}} = 0 AS open,
  toDateTime({{begin}} + intDiv(number * {{seconds}}, {{count}})) AS at,
  least(at + 5 * {DAY_S}, toDateTime({{begin}} + {{seconds}})) AS due, due + 3600 AS handled
SELECT 'city', toString(number + {{first}}), at, 4, concat('line ', toString(dice % 10)),
  concat('district ', toString(dice % 9)), if(sent, concat('department ', toString(dice % 871)), ''),
  concat('category ', toString(dice % 100)), at, if(sent, at, NULL), if(sent, due, NULL),
  if(sent AND NOT open, handled, NULL), sent, sent, late, if(late, due, NULL), if(late AND NOT open, handled, NULL)
FROM numbers({{count}})
"""  # noqa: S608  names of ours


def _by_grain(subject: Subject, kind: str) -> dict[Grain, list[Measure]]:
    found: dict[Grain, list[Measure]] = {}
    for measure in measures(subject):
        found.setdefault(measure.grains[kind], []).append(measure)
    return found


def _cells(
    client: Client, table: str, kind: tuple[str, int], some: Sequence[Measure], span: tuple[int, int, Grain]
) -> None:
    """Store a cell for each scope and minute or hour of a span; of many scopes, some of them."""
    (name, count), (first, end, grain) = kind, span
    starts = (end - first) // grain
    scope = "''" if name == ALL else f"concat('{name} ', toString(intDiv(number, {starts})))"
    values = ", ".join(f"toInt64(intHash32(number * {place + 3}) % 3)" for place in range(len(some)))
    share = 100 if count < MANY else RECENT_MINUTES_PERCENT if grain is Grain.MINUTE else HOURS_PERCENT
    client.command(
        f"INSERT INTO {DATABASE}.{table} (scope_kind, scope, at, {', '.join(one.column for one in some)}) "  # noqa: S608
        f"SELECT '{name}', {scope}, toDateTime({first} + number % {starts} * {int(grain)}), {values} "
        f"FROM numbers({starts * count}) WHERE intHash32(number + 1) % 100 < {share}",
        settings=_ONE_THREAD,
    )
