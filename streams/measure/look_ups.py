"""The store of events and rows as ClickHouse keeps it, read over its HTTP protocol."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl
from clickhouse_connect.driver.external import ExternalData

from hotline.columns import TIME
from hotline.fold import fold, with_keys
from hotline.names import DATABASE
from hotline.subjects import Subject
from streams.measure.ids import DAY_MS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DAY_S = DAY_MS // 1000
_OF_DAY = (
    "partition = {partition:UInt16} AND born_at >= toDateTime({start:UInt32}) AND born_at < toDateTime({end:UInt32})"
)
_OF_KEYS = (
    "partition = {partition:UInt16} AND born_at IN (SELECT born_at FROM keys) "
    "AND (born_at, source, entity) IN (SELECT born_at, source, entity FROM keys)"
)
_KEYS = "born_at DateTime('UTC'), source String, entity String"
_NOT_STATED = {"received_at", "schema"}
"""Columns of events that decide nothing."""


class StoredRows:
    """Look-ups for one partition owner. Raises clickhouse_connect's errors when the store is away."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def days(self, subject: Subject, partition: int) -> set[int]:
        """Birth days with anything stored."""
        found = self._client.query(
            f"SELECT DISTINCT intDiv(toUnixTimestamp(born_at), {DAY_S}) FROM {DATABASE}.{subject.events_table} "  # noqa: S608
            "WHERE partition = {partition:UInt16}",
            parameters={"partition": partition},
        )
        return {int(row[0]) for row in found.result_rows}

    def by_day(self, subject: Subject, partition: int, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """All events and standing rows born on that day."""
        span = {"partition": partition, "start": day * DAY_S, "end": (day + 1) * DAY_S}
        return self._events(subject, _OF_DAY, span), self._rows(subject, _OF_DAY, span)

    def by_key(self, subject: Subject, partition: int, entities: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Events and standing rows of these entities (`born_at`, `source`, `entity`)."""
        keys = _keys(entities)
        at = {"partition": partition}
        return self._events(subject, _OF_KEYS, at, keys), self._rows(subject, _OF_KEYS, at, keys)

    def _events(
        self, subject: Subject, where: str, parameters: dict[str, int], keys: bytes | None = None
    ) -> pl.DataFrame:
        columns = [*(name for name in subject.columns if name not in _NOT_STATED), "digest"]
        sql = f"SELECT {', '.join(columns)} FROM {DATABASE}.{subject.events_table} WHERE {where}"  # noqa: S608
        schema = subject.columns | {"digest": pl.UInt64()}
        return _typed(self._ask(sql, parameters, keys), {name: schema[name] for name in columns})

    def _rows(
        self, subject: Subject, where: str, parameters: dict[str, int], keys: bytes | None = None
    ) -> pl.DataFrame:
        schema = row_schema(subject)
        sql = f"SELECT {', '.join(schema)} FROM {DATABASE}.{subject.rows_table} FINAL WHERE {where}"  # noqa: S608
        return _typed(self._ask(sql, parameters, keys), schema)

    def _ask(self, sql: str, parameters: dict[str, int], keys: bytes | None) -> pl.DataFrame:
        external = None
        if keys is not None:
            external = ExternalData(file_name="keys", data=keys, fmt="ArrowStream", structure=_KEYS)
        table = self._client.query_arrow(sql, parameters=parameters, external_data=external, use_strings=True)
        return pl.DataFrame(pl.from_arrow(table))


def row_schema(subject: Subject) -> dict[str, pl.DataType]:
    """Columns of a stored row, as the fold makes them."""
    nothing = pl.DataFrame(schema=subject.columns | {"digest": pl.UInt64()})
    folded = fold(subject, with_keys(subject, nothing)).drop("entity_key")
    return dict(folded.schema)


def _keys(entities: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    seconds = pl.col("born_at").dt.epoch("s").cast(pl.UInt32)
    entities.select(seconds, "source", "entity").write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def _typed(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """ClickHouse's times come as epoch seconds, its truths as bytes."""
    if frame.is_empty():
        return pl.DataFrame(schema=schema)
    return frame.select(_read(name, dtype, frame.schema[name]) for name, dtype in schema.items())


def _read(name: str, dtype: pl.DataType, stored: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == TIME and stored.is_integer():
        return (column.cast(pl.Int64) * 1000).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return column.cast(dtype)
