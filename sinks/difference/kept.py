"""Where sums are kept: for ever at the grains of the catalogue, and by minute for some days what these have by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hotline.catalogue import Grain
from hotline.names import ACCOUNTS_TABLE, DATABASE, MIGRATIONS_TABLE
from hotline.windows import HOUR_S, RECENT_S, recent_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.subjects import Subject
    from sinks.difference.spans import Span

RECENT_MADE_BY = "0004_rolling.sql"
"""The migration that made the tables of recent minutes."""


@dataclass(frozen=True)
class Kept:
    """One table of a subject's sums."""

    subject: Subject
    recent: bool = False

    @property
    def table(self) -> str:
        """Its name, without the database's."""
        return self.subject.recent_table if self.recent else self.subject.sums_table

    def grains(self, measure: Measure) -> Mapping[str, Grain]:
        """Scope kind → grain at which the table has a measure; kinds that it does not have are absent."""
        if not self.recent:
            return measure.grains
        return {kind: Grain.MINUTE for kind, grain in measure.grains.items() if grain is Grain.HOUR}

    def grain_of(self, measure: Measure, kind: str) -> str:
        """Name the grain of a scope kind as people read it; `none` for a kind that should not be there."""
        grain = self.grains(measure).get(kind)
        return "none" if grain is None else f"{'recent ' * self.recent}{grain.name.lower()}"

    def part(self, span: Span, recent: RecentStart) -> Span | None:
        """Cut a span to what the table is whole for; None when that is nothing of it."""
        start = max(span[0], recent.at_s) if self.recent else span[0]
        return (start, span[1]) if start < span[1] else None


class RecentStart(NamedTuple):
    """From when on recent minutes are whole, in epoch seconds, and why not earlier when the folder is the reason."""

    at_s: int
    note: str = ""

    def notes_of(self, span: Span) -> list[str]:
        """What must be said of a comparison of a span."""
        return [self.note] if self.note and span[1] > self.at_s - RECENT_S else []


def kept_tables(subject: Subject) -> tuple[Kept, Kept]:
    """Both tables of a subject's sums."""
    return Kept(subject), Kept(subject, recent=True)


def recent_start(client: Client, zone: str) -> RecentStart:
    """Find out from when on recent minutes are whole.

    Measure writes them from eight days before a record came, so all that came by now wrote those of the last eight
    days; an hour is left out for clocks that differ. What was stored before the tables were made is not in them.
    """
    now_s, made_s, older = _asked(client)
    start = recent_from(now_s + HOUR_S, zone)
    if not older or made_s + HOUR_S <= start:
        return RecentStart(start)
    note = (
        "this database is older than its recent minutes: those from before the upgrade are not compared, and "
        "deadlines that were set before it may be missing in later ones until hotline repair adds them"
    )
    return RecentStart(made_s + HOUR_S - made_s % HOUR_S, note)


def _asked(client: Client) -> tuple[int, int, bool]:
    """The engine's time, when the tables were made, and whether anything was stored before."""
    made = (
        f"(SELECT toUnixTimestamp(max(applied_at)) FROM {DATABASE}.{MIGRATIONS_TABLE} "  # noqa: S608 names of ours
        "WHERE name = {made_by:String})"
    )
    older = f"(SELECT count() FROM {DATABASE}.{ACCOUNTS_TABLE} WHERE toUnixTimestamp(stored_at) < made)"  # noqa: S608 names of ours
    sql = f"SELECT toUnixTimestamp(now()), {made} AS made, {older}"
    ((now_s, made_s, count),) = client.query(sql, parameters={"made_by": RECENT_MADE_BY}).result_rows
    return int(now_s), int(made_s), bool(count)
