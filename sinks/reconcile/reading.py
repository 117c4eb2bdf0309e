"""Stored events and rows as the fold takes and makes them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import polars as pl

from hotline.columns import TIME
from hotline.fold import fold, with_keys
from hotline.names import DATABASE
from hotline.subjects import Subject

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.reconcile.pieces import Piece

_OF_PIECE = (
    "born_at >= toDateTime({lo:UInt32}) AND born_at < toDateTime({hi:UInt32}) "
    "AND ({shares:UInt32} = 1 OR cityHash64(source, entity) % {shares:UInt32} = {share:UInt32})"
)


def events(client: Client, subject: Subject, piece: Piece) -> pl.DataFrame:
    """Read all members of the sets born in the piece: the subject's columns and `digest`."""
    schema = subject.columns | {"digest": pl.UInt64()}
    return _read(client, f"{DATABASE}.{subject.events_table}", schema, piece)


def rows(client: Client, subject: Subject, piece: Piece) -> pl.DataFrame:
    """Read the rows that stand of those born in the piece, with the columns that the fold gives."""
    return _read(client, f"{DATABASE}.{subject.rows_table} FINAL", row_schema(subject), piece)


@functools.cache
def row_schema(subject: Subject) -> dict[str, pl.DataType]:
    """Name the columns of a row as the fold makes them."""
    nothing = pl.DataFrame(schema=subject.columns | {"digest": pl.UInt64()})
    return dict(fold(subject, with_keys(subject, nothing)).drop("entity_key").schema)


def _read(client: Client, table: str, schema: dict[str, pl.DataType], piece: Piece) -> pl.DataFrame:
    sql = f"SELECT {', '.join(schema)} FROM {table} WHERE {_OF_PIECE}"  # noqa: S608 names of ours
    asked = {"lo": piece.span[0], "hi": piece.span[1], "share": piece.share, "shares": piece.shares}
    found = pl.DataFrame(pl.from_arrow(client.query_arrow(sql, parameters=asked, use_strings=True)))
    if found.is_empty():
        return pl.DataFrame(schema=schema)
    return found.select(_typed(name, dtype, found.schema[name]) for name, dtype in schema.items())


def _typed(name: str, dtype: pl.DataType, stored: pl.DataType) -> pl.Expr:
    """Give the type that the fold knows: ClickHouse's times come as epoch seconds, its truths as bytes."""
    if dtype == TIME and stored.is_integer():
        return (pl.col(name).cast(pl.Int64) * 1000).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return pl.col(name).cast(dtype)
