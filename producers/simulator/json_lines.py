"""Simulated events as single JSON events, as an outside system would send them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from hotline.columns import TIME
from producers.simulator.mishaps import ARRIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from producers.simulator.timeline import Events

_LEFT_OUT = {"schema": 1, "revision": 0}
"""What an event need not say."""


def json_lines(pieces: Iterable[Events], zone_name: str) -> Iterator[bytes]:
    """Write the events of each piece in the order in which they arrive, one JSON object each; times in local time."""
    encode = msgspec.json.Encoder().encode
    for frames in pieces:
        rows = [row for frame in frames.values() for row in _local(frame, zone_name).iter_rows(named=True)]
        rows.sort(key=operator.itemgetter(ARRIVES))
        yield from (encode(_stated(row)) for row in rows)


def _local(frame: pl.DataFrame, zone_name: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(TIME).dt.convert_time_zone(zone_name))


def _stated(row: dict[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in row.items()
        if value is not None and name != ARRIVES and _LEFT_OUT.get(name) != value
    }
