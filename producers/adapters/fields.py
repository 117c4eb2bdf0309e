"""Steps that adapters share: columns of a line, and the first problem of each line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.events import NAME_BYTES_MAX, YEAR_MAX, YEAR_MIN
from hotline.events.rules import UNTIDY
from hotline.zones import to_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Breach = tuple[str, pl.Expr]
"""A reason of `hotline.dead_letters.REASONS` and the lines that it concerns."""

_EARLIEST = datetime(YEAR_MIN, 1, 1, tzinfo=UTC)
_LATEST = datetime(YEAR_MAX, 12, 31, 23, 59, 59, tzinfo=UTC)
_DAY = timedelta(days=1)


def split(frame: pl.DataFrame, columns: Sequence[str], separator: str) -> pl.DataFrame:
    """Add the columns of `text`, trimmed, empty ones null. Another number of columns is undecodable."""
    separators = pl.col("text").str.count_matches(separator, literal=True)
    frame = judged(frame, [("undecodable", separators != len(columns) - 1)])
    readable = pl.when(pl.col("problem").is_null()).then("text")
    values = frame.select(readable.str.split_exact(separator, len(columns) - 1).struct.rename_fields(list(columns)))
    trimmed = pl.col(*columns).str.strip_chars()
    fields = values.unnest("text").select(pl.when(trimmed.str.len_bytes() > 0).then(trimmed))
    return frame.hstack(fields)


def judged(frame: pl.DataFrame, breaches: Iterable[Breach]) -> pl.DataFrame:
    """Add the first problem of each line; one that it has already stays."""
    found = [pl.when(mask).then(pl.lit(reason)) for reason, mask in breaches]
    return frame.with_columns(problem=pl.coalesce("problem", *found))


def missing(*columns: str) -> Breach:
    """Breach of lines that lack one of the columns."""
    return "missing_field", pl.any_horizontal(pl.col(*columns).is_null())


def names(*columns: str) -> list[Breach]:
    """Breaches of columns whose values become names."""
    values = pl.col(*columns)
    return [
        ("too_large", pl.any_horizontal(values.str.len_bytes() > NAME_BYTES_MAX)),
        ("bad_value", pl.any_horizontal(values.str.contains(UNTIDY))),
    ]


def unread(column: str, value: pl.Expr) -> Breach:
    """Breach of lines where `column` says something and no `value` could be read from it."""
    return "bad_value", pl.col(column).is_not_null() & value.is_null()


def in_utc(frame: pl.DataFrame, columns: Sequence[str], zone: str) -> pl.DataFrame:
    """Make its wall-clock columns instants, judged: out of range, or skipped by daylight saving."""
    known = [
        pl.col(name).is_between(_EARLIEST.replace(tzinfo=None) - _DAY, _LATEST.replace(tzinfo=None) + _DAY)
        for name in columns
    ]
    instants = frame.select(
        to_utc(pl.when(inside).then(pl.col(name)), zone).alias(name)
        for name, inside in zip(columns, known, strict=True)
    )
    utc = [pl.col(f"{name}_utc") for name in columns]
    frame = frame.with_columns(instants[name].alias(f"{name}_utc") for name in columns)
    outside = [~inside | ~instant.is_between(_EARLIEST, _LATEST) for inside, instant in zip(known, utc, strict=True)]
    skipped = [pl.col(name).is_not_null() & instant.is_null() for name, instant in zip(columns, utc, strict=True)]
    frame = judged(
        frame, [("time_out_of_range", pl.any_horizontal(outside)), ("time_skipped", pl.any_horizontal(skipped))]
    )
    return frame.drop(columns).rename({f"{name}_utc": name for name in columns})


def rejected(frame: pl.DataFrame, source: str, origin: str) -> pl.DataFrame:
    """Give a row of a block for each line with a problem."""
    broken = frame.filter(pl.col("problem").is_not_null())
    original = [bytes(raw)[:ORIGINAL_BYTES_MAX].rstrip(b"\r\n") for raw in broken["raw"]]
    return broken.select(
        "problem",
        source=pl.lit(source),
        original=pl.Series(original, dtype=pl.Binary),
        origin=pl.format("{}:{}", pl.lit(origin), "line"),
    )
