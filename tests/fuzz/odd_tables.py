"""Mutations of a block's table: columns of other kinds, odd values, columns that are missing, doubled or strange."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.fuzz.spoilt_bytes import ODD_INTEGERS

Mutation = Callable[[random.Random, pa.Table], pa.Table]

KINDS: tuple[pa.DataType, ...] = (
    *(pa.null(), pa.bool_(), pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.int64(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3), pa.binary(0), pa.date32(), pa.date64()),
    *(pa.time32("s"), pa.time64("ns"), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("ns", "UTC")),
    *(pa.timestamp("ms", "+07:13"), pa.timestamp("us", "Mars/Olympus"), pa.timestamp("s", "Asia/Shanghai")),
    *(pa.duration("s"), pa.month_day_nano_interval(), pa.decimal128(38, 3), pa.decimal256(70, 3)),
    *(pa.list_(pa.int8()), pa.large_list(pa.string()), pa.list_(pa.int8(), 2), pa.list_view(pa.int8())),
    *(pa.struct([]), pa.struct([("a", pa.string())]), pa.map_(pa.string(), pa.int64())),
    *(pa.dense_union([pa.field("a", pa.int8())]), pa.sparse_union([pa.field("a", pa.int8())])),
    *(pa.run_end_encoded(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string())),
    *(pa.dictionary(pa.uint64(), pa.large_binary()), pa.dictionary(pa.int32(), pa.list_(pa.string()))),
    *(pa.uuid(), pa.json_(), pa.bool8(), pa.fixed_shape_tensor(pa.int8(), [2])),
)
TEXTS: tuple[Any, ...] = (
    *(
        None,
        "",
        " ",
        "a\0b",
        "\0",
        " a",
        "a\n",
        "\x7f",
        "\u2028",
        "\u00a0",
        "x" * 200,
        "x" * 201,
        "x" * 5000,
        "吴" * 67,
    ),
    *(
        "NaN",
        "-1",
        "2023-01-01T00:00:00Z",
        "call.offered",
        "ticket.created",
        "inbound",
        "bad_value",
        "no reason",
        "\U0010ffff",
    ),
)
METADATA: tuple[dict[bytes, bytes], ...] = (
    {b"ARROW:extension:name": b"arrow.json", b"ARROW:extension:metadata": b"{"},
    {b"ARROW:extension:name": b"arrow.fixed_shape_tensor", b"ARROW:extension:metadata": b'{"shape":[-1]}'},
    {b"ARROW:extension:name": b"polars.unknown", b"ARROW:extension:metadata": b"\0"},
    {b"_PL_ENUM_VALUES": b"1;a9999999;b"},
    {b"_PL_ENUM_VALUES2": b"99;a"},
    {b"_PL_CATEGORICAL": b"lexical"},
    {b"pandas": b"{\xff", b"": b""},
)


def _another_kind(draw: random.Random, table: pa.Table) -> pa.Table:
    place, kind = draw.randrange(table.num_columns), draw.choice(KINDS)
    column = table.column(place)
    try:
        changed = column.cast(kind, safe=False)
    except (pa.ArrowException, NotImplementedError):
        changed = _nulls(kind, len(column))
    return table.set_column(place, table.schema.names[place], changed)


def _nulls(kind: pa.DataType, rows: int) -> pa.Array:
    try:
        return pa.nulls(rows, kind)
    except (pa.ArrowException, NotImplementedError):
        return pa.nulls(rows)


def _odd_values(draw: random.Random, table: pa.Table) -> pa.Table:
    if not table.num_rows:
        return table
    place = draw.randrange(table.num_columns)
    column = table.column(place)
    values = column.to_pylist() if not pa.types.is_timestamp(column.type) else column.cast(pa.int64()).to_pylist()
    for _ in range(draw.choice((1, 1, 2, len(values)))):
        values[draw.randrange(len(values))] = _odd_value(draw, column.type)
    try:
        changed = pa.array(values, pa.int64() if pa.types.is_timestamp(column.type) else column.type)
        if pa.types.is_timestamp(column.type):
            changed = changed.cast(column.type)
    except (pa.ArrowException, OverflowError, NotImplementedError, TypeError, ValueError):
        return table
    return table.set_column(place, table.schema.names[place], changed)


def _odd_value(draw: random.Random, kind: pa.DataType) -> Any:
    if draw.random() < 0.2:
        return None
    if pa.types.is_timestamp(kind):
        return draw.choice((*ODD_INTEGERS, 631_151_999_999, 4_102_444_800_000, 253_402_300_800_000, 10**17))
    if pa.types.is_boolean(kind):
        return draw.random() < 0.5
    if pa.types.is_integer(kind):
        return draw.choice(ODD_INTEGERS)
    if pa.types.is_decimal(kind):
        return Decimal(draw.choice((0, -1)))
    text = draw.choice(TEXTS)
    return text.encode() if text is not None and pa.types.is_large_binary(kind) else text


def _without(draw: random.Random, table: pa.Table) -> pa.Table:
    share = draw.choice((0.0, 0.5, 0.95))
    return table.select([place for place in range(table.num_columns) if draw.random() < share])


def _double(draw: random.Random, table: pa.Table) -> pa.Table:
    place = draw.randrange(table.num_columns)
    return table.append_column(table.schema.field(place), table.column(place))


def _renamed(draw: random.Random, table: pa.Table) -> pa.Table:
    names = list(table.schema.names)
    names[draw.randrange(len(names))] = draw.choice(
        ("", "\0", "Type", "place", "eid", "entity_key", "partition", *names)
    )
    return table.rename_columns(names)


def _more(draw: random.Random, table: pa.Table) -> pa.Table:
    name = draw.choice(("tomorrows_field", "place", "eid", "entity_key", "event_key", "day", "strange", "at", "\0"))
    return table.append_column(name, _nulls(draw.choice(KINDS), table.num_rows))


def _rejects(draw: random.Random, table: pa.Table) -> pa.Table:
    """The columns that say why something is no event, with anything in them."""
    for name in ("problem", "detail", "origin", "original"):
        if draw.random() < 0.5:
            values = [draw.choice(TEXTS) for _ in range(table.num_rows)]
            kind = pa.large_binary() if name == "original" else pa.large_string()
            column = pa.array([v.encode() if v and name == "original" else v for v in values], kind)
            place = table.schema.get_field_index(name)
            table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
    return table


def _described(draw: random.Random, table: pa.Table) -> pa.Table:
    place, told = draw.randrange(table.num_columns), draw.choice(METADATA)
    field = table.schema.field(place).with_metadata(told)
    schema = table.schema.set(place, field).with_metadata(told)
    return pa.Table.from_arrays([chunked.combine_chunks() for chunked in table.columns], schema=schema)


def _repeated(draw: random.Random, table: pa.Table) -> pa.Table:
    return pa.concat_tables([table] * draw.choice((2, 3))) if table.num_rows else table


def _emptied(draw: random.Random, table: pa.Table) -> pa.Table:
    return table.slice(0, 0) if draw.random() < 0.5 else table.slice(draw.randrange(table.num_rows + 1))


def _coded(draw: random.Random, table: pa.Table) -> pa.Table:
    place = draw.randrange(table.num_columns)
    try:
        coded = table.column(place).combine_chunks().dictionary_encode()
    except (pa.ArrowException, NotImplementedError):
        return table
    return table.set_column(place, table.schema.names[place], coded)


MUTATIONS: Sequence[Mutation] = (
    *(
        _another_kind,
        _another_kind,
        _odd_values,
        _odd_values,
        _odd_values,
        _without,
        _double,
        _renamed,
        _more,
        _rejects,
    ),
    *(_described, _repeated, _emptied, _coded),
)


def mutated(draw: random.Random, table: pa.Table) -> pa.Table:
    """The table with one to three mutations."""
    for _ in range(draw.choice((1, 1, 2, 3))):
        if table.num_columns:
            with contextlib.suppress(pa.ArrowException, KeyError, TypeError, ValueError, NotImplementedError):
                table = draw.choice(MUTATIONS)(draw, table)
    return table
