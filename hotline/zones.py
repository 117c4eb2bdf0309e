"""Local time: the hotline's days are days of its zone."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.columns import TIME

I64 = npt.NDArray[np.int64]


def to_utc(local: pl.Expr, zone_name: str) -> pl.Expr:
    """Wall-clock times of a zone as instants. A repeated hour is read as its first pass; a skipped time gives null."""
    return (
        local.dt.replace_time_zone(zone_name, ambiguous="earliest", non_existent="null")
        .cast(pl.Datetime("ms", zone_name))
        .dt.convert_time_zone("UTC")
        .cast(TIME)
    )


def floor_local(instants_s: I64, grain_s: int, zone_name: str) -> I64:
    """Start of the local minute or hour (`grain_s` seconds) that holds each instant, in epoch seconds.

    Where clocks move by half an hour, an hour that is cut so begins when they moved.
    """
    if not len(instants_s):
        return instants_s
    if grain_s <= _OFFSET_STEP_S:
        minutes: I64 = instants_s - instants_s % grain_s
        return minutes
    offsets = offsets_s(instants_s, zone_name)
    starts: I64 = instants_s - (instants_s + offsets) % grain_s
    if any(_cuts_hours(zone_name, int(span)) for span in _spans(starts // _QUARTER_S)):
        _begin_after_moves(starts, offsets, zone_name)
    return starts


def _begin_after_moves(starts: I64, offsets: I64, zone_name: str) -> None:
    """Move starts that lie before a move of the clocks by part of an hour, in place, to that move."""
    for _ in range(_HOUR_S // _QUARTER_S):
        early = np.flatnonzero((offsets_s(starts, zone_name) - offsets) % _HOUR_S)
        starts[early] += _QUARTER_S


def _spans(quarters: I64) -> I64:
    first, last = int(quarters.min()) >> _SPAN_BITS, int(quarters.max()) >> _SPAN_BITS
    return np.arange(first, last + 1)


@functools.cache
def _cuts_hours(zone_name: str, span: int) -> bool:
    """Whether clocks move by part of an hour in a span, or at its end."""
    offsets = np.append(_span_offsets_s(zone_name, span), _span_offsets_s(zone_name, span + 1)[:1])
    return bool((np.diff(offsets) % _HOUR_S).any())


def offsets_s(instants_s: I64, zone_name: str) -> I64:
    """Seconds east of UTC at each instant (epoch seconds)."""
    quarters = instants_s // _QUARTER_S
    offsets = np.empty(len(instants_s), np.int64)
    first, last = int(quarters.min()) >> _SPAN_BITS, int(quarters.max()) >> _SPAN_BITS
    for span in [first] if first == last else np.unique(quarters >> _SPAN_BITS):
        inside = quarters >> _SPAN_BITS == span
        offsets[inside] = _span_offsets_s(zone_name, int(span))[quarters[inside] & (2**_SPAN_BITS - 1)]
    return offsets


_OFFSET_STEP_S = 60
"""Every offset in use since 1990 is whole minutes, so a local minute is a minute."""
_HOUR_S = 3600
_QUARTER_S = 900
"""No zone changes its offset inside a quarter of an hour."""
_DAY_S = 86_400
_SPAN_BITS = 15
"""Offsets are tabled by spans of 2^15 quarters, a little less than a year."""


@functools.lru_cache(maxsize=256)
def _span_offsets_s(zone_name: str, span: int) -> I64:
    return _looked_up_s((np.arange(2**_SPAN_BITS, dtype=np.int64) + (span << _SPAN_BITS)) * _QUARTER_S, zone_name)


def _looked_up_s(instants_s: I64, zone_name: str) -> I64:
    utc = pl.Series(instants_s * 1000).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    local = utc.dt.convert_time_zone(zone_name)
    return np.asarray((local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_seconds(), dtype=np.int64)


def constant_offsets_s(from_s: int, to_s: int, zone_name: str) -> list[tuple[int, int, int]]:
    """The time from `from_s` to `to_s` cut where the zone's offset changes: (start, end, seconds east of UTC).

    Both bounds in epoch seconds and at whole quarters of an hour. No zone changes its offset and takes it back within
    a day, so only days that end with another offset than they began with are looked at closely.
    """
    days = np.append(np.arange(from_s, to_s, _DAY_S, dtype=np.int64), to_s)
    offsets = _looked_up_s(days, zone_name)
    cuts = [_first_after_s(int(days[at]), int(days[at + 1]), zone_name) for at in np.flatnonzero(np.diff(offsets))]
    starts = [from_s, *cuts]
    of_starts = _looked_up_s(np.array(starts, np.int64), zone_name).tolist()
    return list(zip(starts, [*cuts, to_s], of_starts, strict=True))


def _first_after_s(from_s: int, to_s: int, zone_name: str) -> int:
    """The first quarter after `from_s` that has another offset."""
    quarters = np.arange(from_s, to_s + 1, _QUARTER_S, dtype=np.int64)
    offsets = _looked_up_s(quarters, zone_name)
    return int(quarters[np.argmax(offsets != offsets[0])])
