"""The columns of blocks: which there are of the events of a sub-system, and their types in polars."""

from __future__ import annotations

import types
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotline.events import Event

TIME = pl.Datetime("ms", "UTC")
"""Times in blocks: whole seconds, held in milliseconds because Arrow tools all read those."""

_DTYPES: dict[Any, pl.DataType] = {str: pl.String(), bool: pl.Boolean(), datetime: TIME, int: pl.Int32()}
_ENVELOPE_DTYPES: dict[str, pl.DataType] = {"revision": pl.UInt16(), "schema": pl.UInt16()}


def columns_of(events: Iterable[type[Event]]) -> dict[str, pl.DataType]:
    """Column → type, of everything that any of these events may state; `type` first."""
    columns: dict[str, pl.DataType] = {"type": pl.String()}
    for event in events:
        for field, hint in get_type_hints(event, include_extras=False).items():
            if field in event.__struct_fields__:
                columns.setdefault(field, _ENVELOPE_DTYPES.get(field) or _dtype(hint))
    return columns


def _dtype(hint: Any) -> pl.DataType:
    origin = get_origin(hint)
    if origin is Annotated:
        return _dtype(get_args(hint)[0])
    if origin is Literal:
        return pl.String()
    if origin is types.UnionType or origin is Union:
        (inner,) = (arg for arg in get_args(hint) if arg is not type(None))
        return _dtype(inner)
    return _DTYPES[hint]
