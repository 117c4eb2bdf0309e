"""The tables that stand beside the figures: what was stored, how far, under which number, and how the pipeline does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline import names
from sinks.table import TIME_TYPE, Table

if TYPE_CHECKING:
    from sinks.table import Columns

KEPT_DAYS = 35
"""How long it is kept what was true at its time: live values, a set for each minute, and health."""

_ACCEPTED: Columns = {
    "accepted_log": "UInt32",
    "accepted_offset": "Int64",
    "accepted_last": "UInt32",
    "accepted_final": "Bool",
    "accepted_deployment": "UInt32",
    "accepted_block_id": "String",
    "accepted_output_id": "UInt64",
}
BOOKS = (
    Table(
        name=names.KPIS_TABLE,
        columns={
            "as_of": "DateTime64(3, '{zone}')",
            "kpi": "LowCardinality(String)",
            "window": "LowCardinality(String)",
            "scope_kind": "LowCardinality(String)",
            "scope": "LowCardinality(String)",
            "numerator": "Int64",
            "denominator": "Nullable(Int64)",
            "value": "Nullable(Float64)",
            "newest_at": f"Nullable({TIME_TYPE})",
            "positions": "LowCardinality(String)",
        },
        order=("kpi", "scope_kind", "scope", "window", "as_of"),
        engine="ReplacingMergeTree",
        partition="toMonday(as_of)",
        ttl=f"toDateTime(as_of) + INTERVAL {KEPT_DAYS} DAY",
        settings={"ttl_only_drop_parts": "1"},
    ),
    Table(
        name=names.HEALTH_TABLE,
        columns={
            "process": "LowCardinality(String)",
            "life": "LowCardinality(String)",
            "what": "LowCardinality(String)",
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "value": "Float64",
            "told_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("what", "process", "topic", "partition", "told_at"),
        partition="toMonday(told_at)",
        ttl=f"told_at + INTERVAL {KEPT_DAYS} DAY",
        settings={"ttl_only_drop_parts": "1"},
    ),
    Table(
        name=names.RECONCILIATIONS_TABLE,
        columns={
            "first_at": TIME_TYPE,
            "until_at": TIME_TYPE,
            "cells": "UInt64",
            "rows": "UInt64",
            "events": "UInt64",
            "sums_differ": "UInt64",
            "rows_differ": "UInt64",
            "held": "Bool",
            "reconciled_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("reconciled_at",),
    ),
    Table(
        name=names.ACCOUNTS_TABLE,
        columns={
            "log": "UInt32",
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "offset": "Int64",
            "first": "UInt32",
            "last": "UInt32",
            "final": "Bool",
            "block_id": "String",
            "counted": "UInt32",
            "seen": "UInt32",
            "revised": "UInt32",
            "dead": "UInt32",
            "reasons": "Map(LowCardinality(String), UInt32)",
            "newest_at": f"Nullable({TIME_TYPE})",
            "deployment": "UInt32",
            "fold": "UInt32",
            "rule": "UInt32",
            "calendar": "UInt32",
            "catalogue": "LowCardinality(String)",
            "stored_at": f"{TIME_TYPE} DEFAULT now()",
            "rows": "UInt32",
            "sums": "UInt32",
            "given_up": "UInt64",
        },
        order=("block_id", "topic", "partition", "log", "offset", "first"),
    ),
    Table(
        name=names.DEAD_LETTERS_TABLE,
        columns={
            "subject": "LowCardinality(String)",
            "log": "UInt32",
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "offset": "Int64",
            "place": "UInt32",
            "block_id": "String",
            "reason": "LowCardinality(String)",
            "origin": "String",
            "original": "String",
            "set_aside_at": f"{TIME_TYPE} DEFAULT now()",
            "detail": "String",
        },
        order=("topic", "partition", "log", "offset", "place"),
    ),
    Table(
        name=names.ACCEPTANCES_TABLE,
        columns={
            "kind": "LowCardinality(String)",
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "log": "UInt32",
            "offset": "Int64",
            "accepted_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("kind", "topic", "partition", "log", "offset"),
        engine="ReplacingMergeTree",
    ),
    Table(
        name=names.GAPS_TABLE,
        columns={
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "log": "UInt32",
            "first_offset": "Int64",
            "next_offset": "Int64",
            "given_up_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("topic", "partition", "log", "first_offset"),
        engine="ReplacingMergeTree",
    ),
    Table(
        name=names.COVERED_DAYS_TABLE,
        columns={"subject": "LowCardinality(String)", "day": "Date"},
        order=("subject", "day"),
        engine="ReplacingMergeTree",
    ),
    Table(
        name=names.CHANGED_DAYS_TABLE,
        columns={
            "subject": "LowCardinality(String)",
            "day": "Date",
            "events": "UInt32",
            "stored_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("day", "subject"),
    ),
    Table(
        name=names.CALENDAR_DAYS_TABLE,
        columns={
            "calendar": "LowCardinality(String)",
            "version": "UInt8",
            "day": "Date32",
            "working": "Bool",
            "listed": "Bool",
            "holiday": "LowCardinality(String)",
            "holiday_zh": "LowCardinality(String)",
            "digest": "UInt64",
            "epoch": "UInt64",
            "written_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("day",),
        engine="ReplacingMergeTree(epoch)",
    ),
    Table(
        name=names.MARKS_TABLE,
        columns={
            "topic": "LowCardinality(String)",
            "partition": "UInt16",
            "log": "UInt32",
            "position": "Int64",
            "digest": "UInt64",
            **_ACCEPTED,
            "version": "UInt64",
            "batch": "String",
            "marked_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("topic", "partition"),
        engine="ReplacingMergeTree(version)",
    ),
    Table(
        name=names.LOGS_TABLE,
        columns={
            "topic": "LowCardinality(String)",
            "log": "UInt32",
            "cluster": "String",
            "claim": "String",
            "registered_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("topic", "log"),
    ),
    Table(
        name=names.REPAIRS_TABLE,
        columns={
            "id": "String",
            "sums_table": "LowCardinality(String)",
            "first_at": TIME_TYPE,
            "last_at": TIME_TYPE,
            "sums": "UInt64",
            "repaired_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("id", "sums_table", "first_at"),
    ),
    Table(
        name=names.FILLED_COLUMNS_TABLE,
        columns={
            "sums_table": "LowCardinality(String)",
            "sums_column": "String",
            "told": "LowCardinality(String)",
            "lacked": "UInt64",
            "told_at": f"{TIME_TYPE} DEFAULT now()",
        },
        order=("sums_table", "sums_column"),
    ),
    Table(
        name=names.SINK_EPOCHS_TABLE,
        columns={"epoch": "UInt64", "claim": "String", "taken_at": f"{TIME_TYPE} DEFAULT now()"},
        order=("epoch",),
    ),
)
