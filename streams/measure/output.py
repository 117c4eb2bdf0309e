"""The record that tells what a slice of a block changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl

from hotline import ipc
from hotline.catalogue import catalogue_name
from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.fold import FOLD_VERSION
from hotline.measured import Measured, Source, Verdicts, Versions
from hotline.names import BLOCK_BYTES_MAX, CHANGED_DAYS_TABLE, COVERED_DAYS_TABLE, DEAD_LETTERS_TABLE, GAPS_TABLE
from hotline.subjects import OWN_TEXTS, Subject
from hotline.windows import NO_MINUTES
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.step import Step

COVERED_SPAN_DAYS_MAX = 400
"""A block that spans more days covers only those it has events on."""
TOLD_CHARS_MAX = 1_000
"""What is kept of a dead letter's detail and origin, which a block may state at any length."""
_WRITTEN_MS_MAX = 8_000_000_000_000_000
"""A time of 250,000 years from 1970, which is about as far as polars writes times."""
_ISO_8601 = "%Y-%m-%dT%H:%M:%SZ"
CODED_ROWS = 1_000
"""From how many rows on a dictionary a column pays."""


def output(
    step: Step,
    subject: Subject,
    source: Source,
    *,
    deployment: int,
    days: list[date],
    working: WorkingTime = NO_WORKING_TIME,
    minutes_from: int = NO_MINUTES,
) -> Measured:
    """The output of one step. `days` are the local days it is the first to speak of; `minutes_from` as the step's."""
    partition = pl.lit(source.partition, pl.UInt16).alias("partition")
    events = [name for name in [*subject.columns, "digest"] if name in step.fresh.columns]
    tables = {
        subject.events_table: step.fresh.select(partition, *events),
        subject.rows_table: step.rows.select(partition, pl.exclude("entity_key", "eid")),
        subject.sums_table: step.changes.sums,
        subject.recent_table: step.changes.recent,
        DEAD_LETTERS_TABLE: _dead(step.dead, subject, source),
        COVERED_DAYS_TABLE: _of(subject, pl.DataFrame({"day": pl.Series(days, dtype=pl.Date)})),
        CHANGED_DAYS_TABLE: _of(subject, step.changed_days),
    }
    newest = step.fresh["occurred_at"].max()
    return Measured(
        source=source,
        verdicts=step.verdicts,
        versions=_versions(subject, deployment, working),
        newest_at=None if newest is None else int(newest.timestamp()),  # type: ignore[union-attr]
        minutes_from=minutes_from,
        rows=len(step.rows),
        sums=len(step.changes.sums),
        tables={name: _stream(frame) for name, frame in tables.items() if len(frame)},
    )


def undecodable(
    reason: str,
    value: bytes,
    subject: Subject,
    source: Source,
    *,
    deployment: int,
    detail: str = "",
    working: WorkingTime = NO_WORKING_TIME,
) -> Measured:
    """The output of a record that is no block at all: one dead event, with all its bytes, if it may be sent at all."""
    letter = _letters(subject, source).with_columns(
        pl.lit(source.first, pl.UInt32).alias("place"),
        reason=pl.lit(reason),
        origin=pl.lit(f"{source.topic}/{source.partition}/{source.offset}"),
        original=pl.lit(value[:BLOCK_BYTES_MAX], pl.Binary),
        detail=pl.lit(detail),
    )
    return Measured(
        source=source,
        verdicts=Verdicts(dead=1, reasons={reason: 1}),
        versions=_versions(subject, deployment, working),
        tables={DEAD_LETTERS_TABLE: _stream(letter)},
    )


def given_up(subject: Subject, source: Source, *, deployment: int, working: WorkingTime = NO_WORKING_TIME) -> Measured:
    """The output that stands for records which were gone before they were read: no events, and a gap."""
    gap = pl.DataFrame(
        {
            "topic": pl.Series([source.topic], dtype=pl.String),
            "partition": pl.Series([source.partition], dtype=pl.UInt16),
            "log": pl.Series([source.log], dtype=pl.UInt32),
            "first_offset": pl.Series([source.offset], dtype=pl.Int64),
            "next_offset": pl.Series([source.offset + source.given_up], dtype=pl.Int64),
        }
    )
    versions = _versions(subject, deployment, working)
    return Measured(source=source, verdicts=Verdicts(), versions=versions, tables={GAPS_TABLE: _stream(gap)})


def _versions(subject: Subject, deployment: int, working: WorkingTime) -> Versions:
    return Versions(
        deployment=deployment,
        fold=FOLD_VERSION,
        rule=working.rule_version,
        calendar=working.calendar_version,
        catalogue=catalogue_name(subject),
    )


def _stream(frame: pl.DataFrame) -> bytes:
    """A frame for the sink; many rows with their repeating texts as codes, which few rows are not worth."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String and name not in OWN_TEXTS]
    return ipc.encode(frame, coded=texts if len(frame) >= CODED_ROWS else ())


def _of(subject: Subject, days: pl.DataFrame) -> pl.DataFrame:
    return days.select(pl.lit(subject.name).alias("subject"), pl.all())


def _letters(subject: Subject, source: Source, rows: int = 1) -> pl.DataFrame:
    """The columns that all letters of one block share."""
    return pl.DataFrame(
        {
            "subject": pl.repeat(subject.name, rows, eager=True),
            "log": pl.repeat(source.log, rows, dtype=pl.UInt32, eager=True),
            "topic": pl.repeat(source.topic, rows, eager=True),
            "partition": pl.repeat(source.partition, rows, dtype=pl.UInt16, eager=True),
            "offset": pl.repeat(source.offset, rows, dtype=pl.Int64, eager=True),
            "block_id": pl.repeat(source.block_id, rows, eager=True),
        }
    )


def _dead(dead: pl.DataFrame, subject: Subject, source: Source) -> pl.DataFrame:
    if dead.is_empty():
        return dead
    originals = [_original(row, subject) for row in _with_times_as_texts(dead).iter_rows(named=True)]
    here = f"{source.topic}/{source.partition}/{source.offset}"
    return _letters(subject, source, len(dead)).with_columns(
        dead["place"].cast(pl.UInt32) + source.first,
        dead["problem"].alias("reason"),
        dead["origin"].fill_null(here).str.slice(0, TOLD_CHARS_MAX),
        pl.Series("original", originals, pl.Binary),
        dead["detail"].fill_null("").str.slice(0, TOLD_CHARS_MAX),
    )


def _with_times_as_texts(dead: pl.DataFrame) -> pl.DataFrame:
    """Times as ISO 8601, since Python has no year 10000; as milliseconds those of years that polars cannot write."""
    return dead.with_columns(
        pl.coalesce(
            pl.when(at.to_physical().is_between(-_WRITTEN_MS_MAX, _WRITTEN_MS_MAX)).then(at).dt.strftime(_ISO_8601),
            at.to_physical().cast(pl.String),
        ).alias(name)
        for name, dtype in dead.schema.items()
        if isinstance(dtype, pl.Datetime)
        for at in [pl.col(name)]
    )


def _original(row: dict[str, Any], subject: Subject) -> bytes:
    """The sender's bytes where the block has them, else the event as JSON; of too much the beginning."""
    if row["original"] is not None:
        return bytes(row["original"][:ORIGINAL_BYTES_MAX])
    stated = {name: row[name] for name in subject.columns if row[name] is not None}
    return msgspec.json.encode(stated)[:ORIGINAL_BYTES_MAX]


def covered_days(fresh: pl.DataFrame, zone: str) -> list[date]:
    """Local days that new events speak of: from the first one's to the last one's."""
    if fresh.is_empty():
        return []
    days: list[date] = fresh["occurred_at"].dt.convert_time_zone(zone).dt.date().unique().sort().to_list()
    span = (days[-1] - days[0]).days
    if span > COVERED_SPAN_DAYS_MAX:
        return days
    return [days[0] + timedelta(days=number) for number in range(span + 1)]
