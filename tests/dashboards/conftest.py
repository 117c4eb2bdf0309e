"""A small city of the last days on a real engine, for all tests of boards that ask one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from hotline.catalogue import KPIS
from hotline.filled import FILLED, LACKING
from hotline.names import DATABASE
from sinks.connecting import connect
from tests.dashboards.asking import Asking
from tests.hotline.stored_rows import Stored, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

ZONE = "Asia/Shanghai"
ENTITIES = 150
BORN_AT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
"""Recent minutes are kept for nine days."""


A_YEAR_AGO = BORN_AT.astimezone(ZoneInfo(ZONE)).replace(year=BORN_AT.year - 1, day=min(BORN_AT.day, 28))
OFFERED_A_YEAR_AGO = 7


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with stored(tmp_path_factory.mktemp("city"), ZONE, entities=ENTITIES, first_birth=BORN_AT) as found:
        client = connect(found.settings)
        _store_a_year_ago(client)
        _store_ranked(client)
        found.covered["calls"].add(A_YEAR_AGO.date())
        _store_pipeline(client)
        store_calendar(client, 1, [(BORN_AT.date() + timedelta(days=n), n % 2 == 0, n == 0, "") for n in range(-9, 9)])
        client.close()
        yield found


def _store_a_year_ago(client: Client) -> None:
    offered = KPIS["calls_offered"].measures[0].column
    at, calls = A_YEAR_AGO, OFFERED_A_YEAR_AGO
    rows = [["all", "", at, calls], ["line", "a", at, calls], ["district", "a", at, calls]]
    client.insert(f"{DATABASE}.minute_sums_calls", rows, column_names=["scope_kind", "scope", "at", offered])
    client.insert(f"{DATABASE}.covered_days", [["calls", at.date()]], column_names=["subject", "day"])


RANKED_AT = BORN_AT - timedelta(days=3 * 365)
RANKED = {
    "best": (10, 10, 10),
    "few": (1, 1, 2),
    "good": (9, 10, 40),
    "half b": (1, 2, 60),
    "half a": (20, 40, 1200),
    "slow": (1, 4, 400),
    "worst": (0, 50, 6000),
    "投诉": (3, 4, 120),
    "0": (7, 10, 10),
    **{f"middle {n}": (6, 10, 100 + n) for n in range(4)},
    "nobody b": (1, 0, 1),
    "nobody a": (1, 0, 1),
}
"""Operator groups of an hour of long ago: answered within 30 s, answered, seconds waited; some answered nobody."""


def _store_ranked(client: Client) -> None:
    share, wait = KPIS["answered_30s_share"].measures, KPIS["average_wait_s"].measures
    columns = [share[0].column, share[1].column, wait[0].column]
    rows = [["operator_group", name, RANKED_AT, *counts] for name, counts in RANKED.items()]
    client.insert(f"{DATABASE}.minute_sums_calls", rows, column_names=["scope_kind", "scope", "at", *columns])


def store_calendar(client: Client, epoch: int, days: list[tuple[date, bool, bool, str]]) -> None:
    """Store days with whether they are worked on, whether they are listed, and a name, which is `中…` in Chinese."""
    rows = [["c", epoch, *day, f"中{day[-1]}" if day[-1] else "", epoch, epoch] for day in days]
    names = ["calendar", "version", "day", "working", "listed", "holiday", "holiday_zh", "digest", "epoch"]
    client.insert(f"{DATABASE}.calendar_days", rows, column_names=names)


def _store_pipeline(client: Client) -> None:
    """What is stored beside figures: dead letters, marks, a log, an epoch, a repair, health, live values."""
    dead = [["calls", 1, "t", 0, n, 0, "b", reason, at] for n, reason, at in DEAD]
    names = ["subject", "log", "topic", "partition", "offset", "place", "block_id", "reason", "set_aside_at"]
    client.insert(f"{DATABASE}.dead_letters", dead, column_names=names)
    client.insert(f"{DATABASE}.sink_epochs", [[1, "c", BORN_AT]], column_names=["epoch", "claim", "taken_at"])
    marks = [["t", p, 1, 2**50 + p, 1, BORN_AT + timedelta(hours=p)] for p in (0, 1)]
    names = ["topic", "partition", "log", "position", "version", "marked_at"]
    client.insert(f"{DATABASE}.marks", marks, column_names=names)
    logs = [[topic, 2, BORN_AT + timedelta(seconds=n)] for n, topic in enumerate(("t", "u", "v", "w"))]
    client.insert(f"{DATABASE}.logs", [["t", 1, BORN_AT], *logs], column_names=["topic", "log", "registered_at"])
    repair = [["r'1", "minute_sums_calls", BORN_AT, BORN_AT, 3, BORN_AT + timedelta(hours=1)]]
    names = ["id", "sums_table", "first_at", "last_at", "sums", "repaired_at"]
    client.insert(f"{DATABASE}.repairs", repair, column_names=names)
    late = [
        ["calls", BORN_AT.date(), 2, BORN_AT + timedelta(days=3)],
        ["tickets", BORN_AT.date(), 3, BORN_AT + timedelta(days=5)],
        ["tickets", BORN_AT.date() + timedelta(days=1), 1, BORN_AT + timedelta(days=5)],
    ]
    client.insert(f"{DATABASE}.changed_days", late, column_names=["subject", "day", "events", "stored_at"])
    gap = [["hotline.calls", 1, 1, 40, 57, BORN_AT + timedelta(hours=2)]]
    names = ["topic", "partition", "log", "first_offset", "next_offset", "given_up_at"]
    client.insert(f"{DATABASE}.gaps", gap, column_names=names)
    told = [["minute_sums_calls", f"renewed_{n}", FILLED, 0, BORN_AT + timedelta(hours=3)] for n in range(5)]
    told.append(["minute_sums_calls", "renewed_0", LACKING, 1, BORN_AT + timedelta(hours=4)])
    names = ["sums_table", "sums_column", "told", "lacked", "told_at"]
    client.insert(f"{DATABASE}.filled_columns", told, column_names=names)
    names = ["process", "life", "what", "topic", "partition", "value", "told_at"]
    client.insert(f"{DATABASE}.health", [list(row) for row in TOLD], column_names=names)
    compared = [BORN_AT, BORN_AT + timedelta(hours=1), 1000, 10, 50, 2, 1, True, BORN_AT + timedelta(hours=1)]
    names = ["first_at", "until_at", "cells", "rows", "events", "sums_differ", "rows_differ", "held", "reconciled_at"]
    client.insert(f"{DATABASE}.reconciliations", [compared], column_names=names)
    live = [[BORN_AT + timedelta(hours=1), "calls_offered", "today", "all", "", 1]]
    names = ["as_of", "kpi", "window", "scope_kind", "scope", "numerator"]
    client.insert(f"{DATABASE}.kpis", live, column_names=names)


DEAD = (
    (1, "bad_value", BORN_AT + timedelta(minutes=10)),
    (2, "bad_value", BORN_AT + timedelta(hours=3)),
    (3, "too_large", BORN_AT + timedelta(hours=3, minutes=30)),
)


def _told() -> Iterator[tuple[str, str, str, str, int, float, datetime]]:
    """A worker that was started again after an hour, and a sink that falls silent then."""
    for minute in range(120):
        at, life = BORN_AT + timedelta(minutes=minute), "a" if minute < 60 else "b"
        yield "worker-0", life, "resident_bytes", "", 0, 2.0**28, at
        for partition in (0, 1):
            yield "worker-0", life, "lag_records", "hotline.calls", partition, float(minute), at
            yield "worker-0", life, "memory_bytes", "hotline.tickets", partition, 2.0**20 * minute, at
        if minute < 60:
            yield "sink", "s", "resident_bytes", "", 0, 2.0**27, at
            yield "sink", "s", "batches", "", 0, 10.0 * minute, at
            yield "sink", "s", "apply_s", "", 0, 0.5 * minute, at
            yield "sink", "s" if minute < 30 else "t", "events", "hotline.calls", 0, 120.0 * (minute % 30), at


TOLD = tuple(_told())


@pytest.fixture(scope="session")
def asking(city: Stored) -> Iterator[Asking]:
    found = Asking(city.settings)
    yield found
    found.close()
