"""What a database lacks of what this program asks for: migrations, filled columns, rows of today's versions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec

from hotline.catalogue import measures
from hotline.fold import folded_by
from hotline.names import FILLED_COLUMNS_TABLE
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import DAY_S
from sinks.difference import Kept, by_instant, kept_tables
from sinks.difference.spans import entries
from sinks.migrations import migrations, pending
from sinks.migrations.generate import made_by
from sinks.outdated import Births, births
from sinks.pace import Pace, measured
from sinks.reconcile.sums import kpis_of
from sinks.repair.filling import pieces_of, unfilled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.working_time import WorkingTime


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column that a migration adds; its table may be new as well."""

    table: str
    column: str


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of a table of sums that are to be filled."""

    subject: str
    table: str
    columns: list[str]
    kpis: list[str]
    """KPIs that have no value until then."""
    from_: datetime | None = msgspec.field(name="from")
    to: datetime | None
    """The span that is filled; None where nothing is stored."""
    entries: int
    """Stored sums and instants of rows that are compared for it."""
    seconds: float


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are to be folded again."""

    subject: str
    first_birth: date
    last_birth: date
    """Days of UTC."""
    rows: int
    """Rows that were born from the first to the last of these days."""
    older: int
    """Rows among them that older versions folded."""
    events: int
    seconds: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, in the order in which it is done."""

    migrations: list[str] = []
    columns: list[Column] = []
    fills: list[Fill] = []
    refolds: list[Due] = []
    newer: dict[str, int] = {}
    """Subject → rows that newer versions folded than this program's: they stay as they are."""
    seconds: float = 0.0
    """About how long fills and refolds take; a migration adds columns and tables, which takes no time."""
    how: str = ""
    """How that was found out."""

    @property
    def nothing(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.migrations or self.fills or self.refolds)


def plan(client: Client, zone: str, working: WorkingTime) -> Plan:
    """Find out what is to be done; changes nothing. Raises MigrationError, and the client's errors."""
    waiting = {migration.name for migration in pending(client)}
    there = made_by(one for one in migrations() if one.name not in waiting)
    columns = [
        Column(table=table, column=name)
        for table, names in made_by(migrations()).items()
        for name in names
        if name not in there.get(table, {})
    ]
    if not all(subject.rows_table in there for subject in SUBJECTS.values()):
        return Plan(migrations=sorted(waiting), columns=columns)
    found = {subject: births(client, subject, folded_by(subject, working)) for subject in SUBJECTS.values()}
    paces = {subject: measured(client, subject, born) for subject, born in found.items() if born}
    wanted = _wanted(client, tables=there)
    fills = [_fill(client, kept, missing, zone, paces) for kept, missing in wanted.items()]
    refolds = [_due(subject, born, paces[subject]) for subject, born in found.items() if any(one.older for one in born)]
    return Plan(
        migrations=sorted(waiting),
        columns=columns,
        fills=fills,
        refolds=refolds,
        newer={subject.name: newer for subject, born in found.items() if (newer := sum(one.newer for one in born))},
        seconds=round(sum(one.seconds for one in fills) + sum(one.seconds for one in refolds), 1),
        how="; ".join(f"{subject.name}: {pace.how}" for subject, pace in paces.items()),
    )


def _wanted(client: Client, tables: Mapping[str, Mapping[str, str]]) -> Mapping[Kept, Sequence[Measure]]:
    """What is not filled; before anybody told of filling, what is not there."""
    if FILLED_COLUMNS_TABLE in tables:
        return unfilled(client)
    found = {
        kept: [measure for measure in measures(subject) if measure.column not in tables.get(kept.table, {})]
        for subject in SUBJECTS.values()
        for kept in kept_tables(subject)
    }
    return {kept: missing for kept, missing in found.items() if missing}


def _fill(client: Client, kept: Kept, missing: Sequence[Measure], zone: str, paces: Mapping[Subject, Pace]) -> Fill:
    spans = [span for _, span in pieces_of(client, {kept: missing}, zone)] if kept.subject in paces else []
    compared = sum(entries(client, kept.subject, span) for span in spans) * len(by_instant(kept.subject, missing))
    return Fill(
        subject=kept.subject.name,
        table=kept.table,
        columns=[measure.column for measure in missing],
        kpis=sorted({name for measure in missing for name in kpis_of(measure)}),
        from_=datetime.fromtimestamp(min(span[0] for span in spans), UTC) if spans else None,
        to=datetime.fromtimestamp(max(span[1] for span in spans), UTC) if spans else None,
        entries=compared,
        seconds=round(compared * paces[kept.subject].fill_s, 1) if spans else 0.0,
    )


def _due(subject: Subject, born: Sequence[Births], pace: Pace) -> Due:
    days = [one.day for one in born if one.older]
    inside = [one for one in born if days[0] <= one.day <= days[-1]]
    events = sum(one.events for one in inside)
    return Due(
        subject=subject.name,
        first_birth=_date(days[0]),
        last_birth=_date(days[-1]),
        rows=sum(one.rows for one in inside),
        older=sum(one.older for one in inside),
        events=events,
        seconds=round(events * pace.fold_s, 1),
    )


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_S, UTC).date()
