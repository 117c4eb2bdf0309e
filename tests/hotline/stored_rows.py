"""Random rows and their sums in a real engine, made by the migrations, with a reader to ask it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from cli.reader import Reader
from hotline.contributions import contributions
from hotline.names import COVERED_DAYS_TABLE, DATABASE
from hotline.settings import Settings
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import ALL_MINUTES
from sinks.connecting import connect
from sinks.migrations import apply
from tests.hotline.random_events import BIRTHS
from tests.hotline.random_rows import STRUCTS, rows, structs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from clickhouse_connect.driver.client import Client

    from hotline.fold import Row

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60
SEED = 7
ODD_NAME = "姑苏'区\\n{x:String} \\' OR 1=1 --"


@dataclass
class Stored:
    """An engine with the rows of both subjects, the same rows as structs, and the days that are covered."""

    zone: ZoneInfo
    settings: Settings
    reader: Reader
    rows: dict[str, list[Row]]
    covered: dict[str, set[date]]


@contextmanager
def stored(folder: Path, zone: str, *, entities: int = 3_000, first_birth: datetime = BIRTHS[0]) -> Iterator[Stored]:
    """Start an engine, migrate it, and store random rows from that birth on; no process outlives the block."""
    frames = {subject: _moved(rows(subject, SEED, entities), first_birth) for subject in SUBJECTS.values()}
    with engine(folder, zone) as settings, migrated(settings) as client, Reader(settings) as reader:
        covered = {subject.name: store_rows(client, subject, frame, zone) for subject, frame in frames.items()}
        kept = {subject.name: structs(subject, frame) for subject, frame in frames.items()}
        yield Stored(ZoneInfo(zone), settings, reader, kept, covered)


@contextmanager
def migrated(settings: Settings) -> Iterator[Client]:
    """Make the tables and give a writing client."""
    client = connect(settings)
    try:
        apply(client, settings.zone)
        yield client
    finally:
        client.close()


@contextmanager
def engine(folder: Path, zone: str, *more: str) -> Iterator[Settings]:
    """Start an engine on a folder, with more arguments, and give the settings that lead to it."""
    address = folder / "address.json"
    command = [sys.executable, "-m", "sinks.engine", "--data", str(folder / "engine"), "--zone", zone, *more]
    command += ["--secrets", str(folder / "secrets"), "--address-file", str(address)]
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            until = time.monotonic() + DEADLINE_S
            while not address.exists():
                assert process.poll() is None, (folder / "engine.log").read_text()
                assert time.monotonic() < until, "the engine told no address"
                time.sleep(0.02)
            port = json.loads(address.read_text())["port"]
            yield Settings(data=folder, zone=zone, clickhouse_url=f"http://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()


def _moved(frame: pl.DataFrame, first_birth: datetime) -> pl.DataFrame:
    """Move all times, and give some scopes a name that needs care in every language it passes through."""
    step = pl.lit(first_birth - BIRTHS[0], pl.Duration("ms"))
    named = pl.when(pl.col("entity").str.ends_with("7")).then(pl.lit(ODD_NAME)).otherwise(pl.col("district"))
    return frame.with_columns(pl.col(pl.Datetime) + step, district=named)


def store_rows(client: Client, subject: Subject, frame: pl.DataFrame, zone: str) -> set[date]:
    """Store rows, an overtaken version of some of them, their sums, and the days of their births as covered."""
    older = frame.head(len(frame) // 10).with_columns(version=pl.lit(0, pl.UInt64), line=pl.lit("overtaken"))
    for version in (older, frame):
        _insert(client, subject.rows_table, version.select(_HERE, *STRUCTS[subject.name].__struct_fields__))
    changes = contributions(subject, frame, frame.clear(), zone, minutes_from=ALL_MINUTES)
    _insert(client, subject.sums_table, changes.sums)
    _insert(client, subject.recent_table, changes.recent)
    days = {at.astimezone(ZoneInfo(zone)).date() for at in frame["born_at"].unique()}
    covered = pl.DataFrame({"subject": [subject.name] * len(days), "day": sorted(days)})
    _insert(client, COVERED_DAYS_TABLE, covered)
    return days


def store_events(client: Client, subject: Subject, events: pl.DataFrame) -> None:
    """Store a frame of events with keys."""
    _insert(client, subject.events_table, events.select(_HERE, *subject.columns, "digest"))


_HERE = pl.lit(0, pl.UInt16).alias("partition")


def _insert(client: Client, table: str, frame: pl.DataFrame) -> None:
    plain: list[list[Any]] = [list(row) for row in frame.iter_rows()]
    client.insert(f"{DATABASE}.{table}", plain, column_names=frame.columns)
