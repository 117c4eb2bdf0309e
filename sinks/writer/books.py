"""Rows that the sink itself writes: accounts of what was stored, and marks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hotline.marks import Mark, Partition
    from hotline.measured import Measured

_TIME = pa.timestamp("s", "UTC")
_ACCOUNTS = pa.schema(
    [
        ("log", pa.uint32()),
        ("topic", pa.string()),
        ("partition", pa.uint16()),
        ("offset", pa.int64()),
        ("first", pa.uint32()),
        ("last", pa.uint32()),
        ("final", pa.bool_()),
        ("block_id", pa.string()),
        ("counted", pa.uint32()),
        ("seen", pa.uint32()),
        ("revised", pa.uint32()),
        ("dead", pa.uint32()),
        ("reasons", pa.map_(pa.string(), pa.uint32())),
        ("newest_at", _TIME),
        ("deployment", pa.uint32()),
        ("fold", pa.uint32()),
        ("rule", pa.uint32()),
        ("calendar", pa.uint32()),
        ("catalogue", pa.string()),
        ("rows", pa.uint32()),
        ("sums", pa.uint32()),
        ("given_up", pa.uint64()),
    ]
)
_MARKS = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.uint16()),
        ("log", pa.uint32()),
        ("position", pa.int64()),
        ("digest", pa.uint64()),
        ("accepted_log", pa.uint32()),
        ("accepted_offset", pa.int64()),
        ("accepted_last", pa.uint32()),
        ("accepted_final", pa.bool_()),
        ("accepted_deployment", pa.uint32()),
        ("accepted_block_id", pa.string()),
        ("accepted_output_id", pa.uint64()),
        ("version", pa.uint64()),
        ("batch", pa.string()),
    ]
)


def accounts(records: Iterable[Measured]) -> bytes:
    """Write a row for each output: its source, its verdicts and its versions."""
    return _stream(_ACCOUNTS, [_account(record) for record in records])


def marks(batch: str, moved: Mapping[Partition, Mark]) -> bytes:
    """Write a row for each partition that a batch moved."""
    return _stream(_MARKS, [_mark(batch, at, mark) for at, mark in moved.items()])


def _account(record: Measured) -> dict[str, Any]:
    source, verdicts, versions = record.source, record.verdicts, record.versions
    return {
        **{name: getattr(source, name) for name in source.__struct_fields__},
        **{name: getattr(verdicts, name) for name in verdicts.__struct_fields__},
        **{name: getattr(versions, name) for name in versions.__struct_fields__},
        "reasons": list(verdicts.reasons.items()),
        "newest_at": record.newest_at,
        "rows": record.rows,
        "sums": record.sums,
    }


def _mark(batch: str, at: Partition, mark: Mark) -> dict[str, Any]:
    accepted = {f"accepted_{name}": getattr(mark.accepted, name) for name in mark.accepted.__struct_fields__}
    place = {"topic": at[0], "partition": at[1], "log": mark.log, "position": mark.position, "digest": mark.digest}
    return {**place, **accepted, "version": mark.version, "batch": batch}


def _stream(schema: pa.Schema, rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, schema) as stream:
        stream.write_table(pa.Table.from_pylist(rows, schema))
    return out.getvalue()
