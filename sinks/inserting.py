"""Guarded inserts: an Arrow stream into a table as one block under a token, and nothing once another sink took over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hotline import ipc
from hotline.names import DATABASE, SINK_EPOCHS_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from clickhouse_connect.driver.client import Client

EPOCHS = f"{DATABASE}.{SINK_EPOCHS_TABLE}"
_ONE_BLOCK = {
    "max_insert_threads": 1,
    "min_insert_block_size_rows": 1 << 40,
    "min_insert_block_size_bytes": 1 << 40,
    "max_insert_block_size": 1 << 40,
    "input_format_parallel_parsing": 0,
}
"""One insert is one block, so that its token is one decision. The embedded engine enforces the same."""
INSERT_SETTINGS = {
    **_ONE_BLOCK,
    "async_insert": 0,
    "insert_deduplicate": 1,
    "optimize_on_insert": 0,  # merging happens later, once; on insert it costs as much as the insert itself
    "max_partitions_per_insert_block": 0,
    "input_format_null_as_default": 0,  # a missing value where there must be one stops the line
}


class Insert(msgspec.Struct, frozen=True, kw_only=True):
    """One statement: an Arrow IPC stream into a table, under a token that makes a repetition harmless."""

    table: str
    token: str
    columns: tuple[str, ...]
    rows: int
    body: bytes

    @classmethod
    def of(cls, table: str, token: str, rows: pl.DataFrame) -> Insert:
        """Insert these rows, whose columns are some of the table's."""
        return cls(table=table, token=token, columns=tuple(rows.columns), rows=len(rows), body=ipc.encode(rows))


class Until(NamedTuple):
    """When a statement must have begun, in epoch seconds of the engine, and how long it may then run."""

    start_s: int
    run_s: int


class Column(msgspec.Struct, frozen=True):
    """What a table says of a column."""

    type: str
    in_key: bool
    """It is part of the sort key, and has no default."""


def columns_of(client: Client, table: str) -> dict[str, Column]:
    """Name the columns of a table in the engine, in order."""
    sql = (
        "SELECT name, type, is_in_sorting_key AND default_kind = '' FROM system.columns "
        "WHERE database = {database:String} AND table = {table:String} ORDER BY position"
    )
    found = client.query(sql, parameters={"database": DATABASE, "table": table}).result_rows
    return {str(name): Column(str(kind), bool(in_key)) for name, kind, in_key in found}


def send(client: Client, insert: Insert, columns: Mapping[str, Column], epoch: int, until: Until | None = None) -> int:
    """Insert under an epoch; rows written, those of a repetition included. Raises the client's errors.

    `until`: nothing of it happens later than that.
    """
    guard = f"(SELECT max(epoch) FROM {EPOCHS}) <= {epoch:d}"  # noqa: S608 names of ours
    settings = {**INSERT_SETTINGS, "insert_deduplication_token": insert.token}
    if until:
        guard += f" AND toUnixTimestamp(now()) <= {until.start_s:d}"
        settings["max_execution_time"] = until.run_s
    request = f"{_statement(insert, columns)} WHERE {guard} FORMAT ArrowStream\n".encode() + insert.body
    return client.raw_insert("", insert_block=request, settings=settings).written_rows  # the body has the statement


def highest_epoch(client: Client) -> int:
    """Return the highest epoch that any sink took; 0 before the first."""
    return int(client.query(f"SELECT max(epoch) FROM {EPOCHS}").result_rows[0][0])  # noqa: S608 names of ours


def _statement(insert: Insert, columns: Mapping[str, Column]) -> str:
    names = ", ".join(f"`{name}`" for name in insert.columns)
    structure = ", ".join(f"`{name}` {columns[name].type}" for name in insert.columns)
    return f"INSERT INTO {DATABASE}.{insert.table} ({names}) SELECT {names} FROM input({_literal(structure)})"  # noqa: S608


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
