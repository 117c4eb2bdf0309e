"""Every table of the database, declared once: what structs, rows and the catalogue ask for, and the books beside them.

Types are ClickHouse's, with `{zone}` for the hotline's zone. Migrations are generated from here and compared with here.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import datetime
from typing import get_args, get_origin, get_type_hints

import polars as pl

from hotline import names
from hotline.blocks import REJECT_COLUMNS, columns
from hotline.columns import TIME
from hotline.contributions import sums_schema
from hotline.events.rules import REQUIRED
from hotline.rows import Call, Row, Ticket
from hotline.subjects import OWN_TEXTS, SUBJECTS, Subject
from hotline.windows import DAY_S, RECENT_S
from sinks.bookkeeping import BOOKS
from sinks.projections import by_day, by_time
from sinks.table import TIME_TYPE, Table

DATABASE = names.DATABASE
INSERTS_REMEMBERED_BY_YEAR = 10_000
"""The same where one insert may make a part for each of a hundred years."""

ENTITY_INDEX = "entity TYPE bloom_filter(0.001) GRANULARITY 1"
"""Finds a call or ticket of unknown birth by its id, for events that do not state born_at: a few ids read a few
granules instead of all (16 instead of 63 ms of two million tickets, measured). It takes 1.8 bytes a row."""

_NUMBERS: dict[type[pl.DataType], str] = {
    pl.Int32: "Int32",
    pl.Int64: "Int64",
    pl.UInt16: "UInt16",
    pl.UInt64: "UInt64",
    pl.Boolean: "Bool",
}
_ROWS: dict[str, type[Row]] = {"calls": Call, "tickets": Ticket}
_NEVER_NULL = frozenset({*REQUIRED, "revision", "schema", "digest"})
_BIRTH_ORDER = ("partition", "born_at", "source", "entity")


def tables() -> dict[str, Table]:
    """All tables by name."""
    found = [make(subject) for subject in SUBJECTS.values() for make in (_events, _rows, _sums, _recent)]
    return {table.name: table for table in (*found, *BOOKS)}


def _events(subject: Subject) -> Table:
    stated = {name: dtype for name, dtype in columns(subject).items() if name not in REJECT_COLUMNS}
    return Table(
        name=subject.events_table,
        columns={
            "partition": "UInt16",
            **{name: _of_dtype(name, dtype, nullable=name not in _NEVER_NULL) for name, dtype in stated.items()},
        },
        order=(*_BIRTH_ORDER, "occurred_at"),
        partition="toYear(born_at, 'UTC')",
        tokens=INSERTS_REMEMBERED_BY_YEAR,
    )


def _rows(subject: Subject) -> Table:
    hints = get_type_hints(_ROWS[subject.name])
    return Table(
        name=subject.rows_table,
        columns={"partition": "UInt16", **{name: _of_hint(name, hint) for name, hint in hints.items()}},
        indexes={"by_entity": ENTITY_INDEX},
        order=_BIRTH_ORDER,
        engine="ReplacingMergeTree(version)",
        partition="toYear(born_at, 'UTC')",
        tokens=INSERTS_REMEMBERED_BY_YEAR,
    )


def _sums(subject: Subject) -> Table:
    return Table(
        name=subject.sums_table,
        columns={name: _of_dtype(name, dtype, nullable=False) for name, dtype in sums_schema(subject).items()},
        order=("scope_kind", "scope", "at"),
        engine="SummingMergeTree",
        partition="toYear(at)",
        projections=by_day(subject),
        tokens=INSERTS_REMEMBERED_BY_YEAR,
    )


def _recent(subject: Subject) -> Table:
    """Minutes of the last days, forgotten by whole weeks once the last of them has left every window."""
    return dataclasses.replace(
        _sums(subject),
        name=subject.recent_table,
        partition="toMonday(at)",
        projections=by_time(subject),
        ttl=f"at + INTERVAL {(RECENT_S + DAY_S) // DAY_S} DAY",
        settings={"ttl_only_drop_parts": "1"},
    )


def _of_dtype(name: str, dtype: pl.DataType, *, nullable: bool) -> str:
    if dtype == pl.String:
        return _text(name, nullable=nullable)
    kind = TIME_TYPE if dtype == TIME else _NUMBERS[type(dtype)]
    return f"Nullable({kind})" if nullable else kind


def _of_hint(name: str, hint: type) -> str:
    """Find the type of a row's field. A century has more seconds than Int32 holds."""
    nullable = get_origin(hint) is types.UnionType
    held = next(arg for arg in get_args(hint) if arg is not type(None)) if nullable else hint
    if held is str:
        return _text(name, nullable=nullable)
    whole = "UInt64" if name == "version" else "Int64"
    kind = {int: whole, bool: "Bool", datetime: TIME_TYPE}[held]
    return f"Nullable({kind})" if nullable else kind


def _text(name: str, *, nullable: bool) -> str:
    kind = "Nullable(String)" if nullable else "String"
    return kind if name in OWN_TEXTS else f"LowCardinality({kind})"
