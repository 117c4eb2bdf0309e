"""A database of random lives, as measure and the sink would store them, for all who compare what is stored."""

from __future__ import annotations

import functools
import random
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from hotline import ipc
from hotline.blocks import REJECT_COLUMNS, complete
from hotline.contributions import Changes, contributions
from hotline.fold import MEMBER, fold, with_keys
from hotline.names import DATABASE, FILLED_COLUMNS_TABLE, MIGRATIONS_TABLE
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import ALL_MINUTES
from sinks.migrations import apply
from sinks.reconcile import Report, reconcile
from sinks.tables import tables
from tests.hotline.random_events import BIRTHS
from tests.hotline.random_rows import life

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ENTITIES = 300
FROM, TO = BIRTHS[0] - timedelta(days=1), BIRTHS[0] + timedelta(days=10)


class City:
    """A database of random lives, stored as measure and the sink would store them, with rows that were replaced."""

    def __init__(self, client: Client, zone: str, shift: timedelta = timedelta(), *, anew: bool = False) -> None:
        """`anew`: tables of a former city are made again, not emptied: for who changed more than their rows."""
        self.client, self.zone = client, zone
        if anew or not _emptied(client, zone):
            client.command(f"DROP DATABASE IF EXISTS {DATABASE}")
            apply(client, zone)
        for subject in SUBJECTS.values():
            lives = _lives(subject.name, zone, shift)
            self.store(subject.events_table, lives.members.drop("entity_key", "event_key", *REJECT_COLUMNS))
            self.add_rows(subject, lives.old)
            self.add_rows(subject, lives.rows)
            for changes in lives.changes:
                self._add(subject, changes)

    def add_contributions(self, subject: Subject, new: pl.DataFrame, old: pl.DataFrame) -> None:
        self._add(subject, contributions(subject, new, old, self.zone, minutes_from=ALL_MINUTES))

    def _add(self, subject: Subject, changes: Changes) -> None:
        self.store(subject.sums_table, changes.sums, here=False)
        self.store(subject.recent_table, changes.recent, here=False)

    def add_rows(self, subject: Subject, rows: pl.DataFrame, partition: int = 0) -> None:
        self.store(subject.rows_table, rows.drop("entity_key"), partition=partition)

    def store(self, table: str, frame: pl.DataFrame, *, here: bool = True, partition: int = 0) -> None:
        if here:
            frame = frame.with_columns(pl.lit(partition, pl.UInt16).alias("partition"))
        settings = {"max_partitions_per_insert_block": 0, "insert_deduplication_token": uuid.uuid4().hex}
        self.client.raw_insert(
            f"{DATABASE}.{table}", frame.columns, ipc.encode(frame), fmt="ArrowStream", settings=settings
        )

    def add_to_sum(
        self, subject: Subject, scope: tuple[str, str], at: datetime, column: str, units: int, *, recent: bool = False
    ) -> None:
        frame = pl.DataFrame({"scope_kind": [scope[0]], "scope": [scope[1]], "at": [at], column: [units]})
        self.store(subject.recent_table if recent else subject.sums_table, frame, here=False)

    def rows(self, subject: Subject, where: str = "1") -> list[dict[str, Any]]:
        sql = f"SELECT * FROM {DATABASE}.{subject.rows_table} FINAL WHERE {where} ORDER BY born_at, entity"  # noqa: S608
        return list(self.client.query(sql).named_results())

    def reconcile(self, from_: datetime = FROM, to: datetime = TO, **more: Any) -> Report:
        return reconcile(self.client, from_, to, self.zone, **more)


class _Lives(NamedTuple):
    """All members, the rows of the first two thirds of them, those of all, and what both add to the sums."""

    members: pl.DataFrame
    old: pl.DataFrame
    rows: pl.DataFrame
    changes: tuple[Changes, Changes]


@functools.cache
def _lives(name: str, zone: str, shift: timedelta) -> _Lives:
    subject = SUBJECTS[name]
    members = members_of(subject, seed=list(SUBJECTS).index(name), shift=shift)
    early = members.filter(pl.Series(range(len(members))) % 3 > 0)
    old, rows = fold(subject, early), fold(subject, members)
    add = functools.partial(contributions, subject, zone=zone, minutes_from=ALL_MINUTES)
    return _Lives(members, old, rows, (add(old, old.clear()), add(rows, old)))


def _emptied(client: Client, zone: str) -> bool:
    """Empty the tables that a former city of this zone left; False when there are none."""
    if (DATABASE,) not in client.query("SELECT name FROM system.databases").result_rows:
        return False
    made = client.query(f"SELECT DISTINCT zone FROM {DATABASE}.{MIGRATIONS_TABLE}").result_rows  # noqa: S608
    if made != [(zone,)]:
        return False
    for table in sorted(tables().keys() - {FILLED_COLUMNS_TABLE}):
        client.command(f"TRUNCATE TABLE {DATABASE}.{table}")
    return True


def members_of(subject: Subject, seed: int, shift: timedelta) -> pl.DataFrame:
    """Draw the events of random lives, moved by so much."""
    draw = random.Random(seed)
    events = [event for number in range(ENTITIES) for event in life(subject, draw, str(number))]
    times = [name for name, dtype in subject.columns.items() if dtype == pl.Datetime and name != "received_at"]
    frame = pl.DataFrame(events, schema={k: subject.columns[k] for k in events[0]})
    frame = frame.with_columns(pl.col(times) + shift)
    return with_keys(subject, complete(subject, frame)).unique(MEMBER, maintain_order=True)
