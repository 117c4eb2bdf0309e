"""The kinds of Arrow columns that a block may have: a closed list, of which polars knows every one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from hotline.stream_bounds import BoundsError

_TEXTS = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
_VIEWS = (types.is_string_view, types.is_binary_view)
_LISTS = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_map)
_LEAVES = (
    *(types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_timestamp, types.is_date),
    *(types.is_time, types.is_duration, types.is_decimal128, types.is_fixed_size_binary, *_TEXTS),
)


def check_kinds(table: pa.Table, *, bytes_max: int) -> None:
    """Raise ValueError for a column of another kind, BoundsError for texts that would pass `bytes_max` written out.

    Views and codes name one text as often as they like: a few bytes a row would become as many texts.
    """
    total_bytes = 0
    for place in _of_named_texts(table.schema):
        column = table.column(place)
        total_bytes += sum(map(_coded_bytes if types.is_dictionary(column.type) else _viewed_bytes, column.chunks))
    if total_bytes > bytes_max:
        raise BoundsError(f"{total_bytes} bytes of texts when written out; {bytes_max} are the most, split it")


@functools.lru_cache(maxsize=64)  # a producer's blocks are all of one schema
def _of_named_texts(schema: pa.Schema) -> list[int]:
    """Places of the columns of views and codes. Raises ValueError for a column of another kind."""
    found = []
    for place, kind in enumerate(schema.types):
        if (types.is_dictionary(kind) and _is_one_of(_TEXTS, kind.value_type)) or _is_one_of(_VIEWS, kind):
            found.append(place)
        elif not _is_known(kind):
            raise ValueError(f"a column is of the kind {kind}, which no block has")
    return found


def _is_known(kind: pa.DataType) -> bool:
    """Whether it is a plain kind, or lists or structs of such."""
    if types.is_struct(kind) or _is_one_of(_LISTS, kind):
        return all(_is_known(kind.field(place).type) for place in range(kind.num_fields))
    return _is_one_of(_LEAVES, kind)


def _is_one_of(tests: Iterable[Callable[[Any], bool]], kind: pa.DataType) -> bool:
    return any(test(kind) for test in tests)


def _coded_bytes(chunk: pa.DictionaryArray) -> int:
    return int(pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0)


def _viewed_bytes(chunk: pa.Array) -> int:
    """Bytes of the texts of views: each view begins with its length."""
    views = np.frombuffer(chunk.buffers()[1] or b"", np.int32).reshape(-1, 4)[chunk.offset : chunk.offset + len(chunk)]
    return int(np.where(np.asarray(chunk.is_valid()), views[:, 0], 0).sum(dtype=np.int64))
