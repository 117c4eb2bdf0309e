"""Service requests of the City of Boston: its own CSV, or a parquet file with the same columns; Boston wall clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hotline.subjects import TICKETS
from producers.adapters.adapter import Adapter, Batch, Reading
from producers.adapters.errors import UnreadableError
from producers.adapters.fields import in_utc, judged, missing, names, rejected, split, unread
from producers.adapters.lines import line_frames
from producers.adapters.parquet import MAGIC, row_frames
from producers.adapters.records import SEPARATOR, fields_of, record_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from producers.adapters.opening import Input

NAME = "boston311"
FIELDS: dict[str, tuple[str, ...]] = {
    "entity": ("case_enquiry_id", "case_id"),
    "opened_at": ("open_dt",),
    "target_at": ("target_dt", "sla_target_dt"),
    "ended_at": ("closed_dt",),
    "category": ("type",),
    "department": ("department",),
    "district": ("neighborhood",),
    "channel": ("source",),
}
"""What is read → the names it has in the city's files, in any case and any order."""
COLUMNS = {
    "CASE_ENQUIRY_ID": "entity (parquet: case_id)",
    "OPEN_DT": "ticket.created, ticket.dispatched, born_at",
    "TARGET_DT": "due_at",
    "CLOSED_DT": "ticket.handled, ticket.closed",
    "OnTime_Status": "",
    "CASE_STATUS": "",
    "SUBJECT": "",
    "REASON": "",
    "TYPE": "category",
    "QUEUE": "",
    "Department": "department",
    "neighborhood": "district",
    "ward": "",
    "Source": "channel",
    "CLOSURE_REASON": "",
}

_ROW_BYTES = 100
"""What a row of a parquet file is reckoned at: chunks of bytes become chunks of rows."""
_TIMES = ("opened_at", "target_at", "ended_at")
_NAMES = ("entity", "category", "department", "district", "channel")
_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")


def _batches(source: Input, reading: Reading) -> Iterator[Batch]:
    frames = _parquet(source, reading) if source.head.startswith(MAGIC) else _csv(source, reading)
    for lines in frames:
        read = _read(lines, reading)
        events = _events(read.filter(pl.col("problem").is_null()))
        dead = rejected(read, NAME, reading.origin)
        yield Batch(
            frames={TICKETS.name: pl.concat([events, dead], how="diagonal")},
            lines_read=len(lines),
            lines_broken=len(dead),
            bytes_read=source.position,
        )


def _parquet(source: Input, reading: Reading) -> Iterator[pl.DataFrame]:
    return row_frames(source, lambda columns: _chosen(source, columns), max(1, reading.chunk_bytes // _ROW_BYTES))


def _csv(source: Input, reading: Reading) -> Iterator[pl.DataFrame]:
    """Frames of a CSV file by what its first line calls the columns."""
    frames = line_frames(source.pieces(), reading.chunk_bytes)
    first = next(frames, None)
    if first is None:
        raise UnreadableError(source.name, "it holds blank lines alone", "Check how the file was made.")
    header = fields_of(first["text"][0] or "")
    chosen = _chosen(source, header)
    columns = [f"column_{place}" for place in range(len(header))]
    wanted = {columns[header.index(name)]: field for field, name in chosen.items()}
    title = chosen["entity"]
    for records in record_frames(_rest(first, frames), len(header)):
        lines = split(records, columns, SEPARATOR).select("line", "raw", "problem", *wanted).rename(wanted)
        data = lines.filter((pl.col("entity") != title).fill_null(value=True))
        if len(data):
            yield data


def _rest(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    if len(first) > 1:
        yield first[1:]
    yield from frames


def _chosen(source: Input, columns: Sequence[str]) -> dict[str, str]:
    """Map what is read to the file's column. Raises UnreadableError naming what is missing."""
    known = {name.strip().lower(): name for name in reversed(columns)}
    chosen = {field: known[name] for field, aliases in FIELDS.items() for name in reversed(aliases) if name in known}
    absent = [aliases[0].upper() for field, aliases in FIELDS.items() if field not in chosen]
    if absent:
        raise UnreadableError(
            source.name,
            f"not a file of {NAME}: its header lacks {', '.join(absent)}",
            "Use the adapter of what it holds.",
        )
    return chosen


def _read(lines: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Lines with their instants, judged."""
    local = [_local(lines, name, reading.zone).alias(f"{name}_local") for name in _TIMES]
    lines = lines.with_columns(*local)
    breaches = [
        missing("entity", "opened_at"),
        *(unread(name, pl.col(f"{name}_local")) for name in _TIMES),
        *names(*_NAMES),
    ]
    lines = judged(lines, breaches).drop(_TIMES).rename({f"{name}_local": name for name in _TIMES})
    return in_utc(lines, _TIMES, reading.zone)


def _local(lines: pl.DataFrame, name: str, zone: str) -> pl.Expr:
    """Read a time in whole seconds, whether the file holds it as text or as a time."""
    value = pl.col(name)
    dtype = lines[name].dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        value = value.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    elif not dtype.is_temporal():
        value = pl.coalesce(value.str.to_datetime(form, strict=False, time_unit="ms") for form in _FORMATS)
    return value.cast(pl.Datetime("ms")).dt.truncate("1s")


def _events(cases: pl.DataFrame) -> pl.DataFrame:
    closed = cases.filter(pl.col("ended_at").is_not_null())
    events = [
        _event(cases, "ticket.created", "opened_at", "category", "district", "channel"),
        _event(cases, "ticket.dispatched", "opened_at", "department", due_at=pl.col("target_at")),
        _event(closed, "ticket.handled", "ended_at"),
        _event(closed, "ticket.closed", "ended_at"),
    ]
    return pl.concat(events, how="diagonal").sort("born_at", "place", maintain_order=True).drop("place")


def _event(cases: pl.DataFrame, kind: str, at: str, *columns: str, **values: pl.Expr) -> pl.DataFrame:
    return cases.select(
        *columns,
        "entity",
        type=pl.lit(kind),
        source=pl.lit(NAME),
        born_at=pl.col("opened_at"),
        occurred_at=pl.col(at),
        place=pl.col("line"),
        **values,
    )


BOSTON311 = Adapter(
    name=NAME,
    title="Service requests of the City of Boston (CSV or parquet)",
    title_zh="波士顿市 311 服务请求(CSV 或 Parquet)",
    source="City of Boston, 311 service requests",
    licence="Open Data Commons Public Domain Dedication and Licence (PDDL)",
    zone="America/New_York",
    subjects=(TICKETS.name,),
    scopes=("district", "department", "channel", "category"),
    columns=COLUMNS,
    batches=_batches,
    limits=(
        "A case says nothing of its dispatch: it counts as dispatched when it was opened.",
        "Only the last closing is in the file, and no reopening.",
        "Ratings of citizens, and who answered, are not in the file.",
    ),
)
