"""Local time: the hotline's days are days of its zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.subjects import TIME

I64 = npt.NDArray[np.int64]


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises ValueError naming the nearest ones."""
    import difflib

    if name in available_timezones():
        return ZoneInfo(name)
    near = ", ".join(difflib.get_close_matches(name, sorted(available_timezones()), 3)) or "Asia/Shanghai"
    raise ValueError(f"unknown zone {name!r}; use an IANA name such as {near}")


def to_utc(local: pl.Expr, zone_name: str) -> pl.Expr:
    """Wall-clock times of a zone as instants. A repeated hour is read as its first pass; a skipped time gives null."""
    return local.dt.replace_time_zone(zone_name, ambiguous="earliest", non_existent="null").cast(
        pl.Datetime("ms", zone_name)
    ).dt.convert_time_zone("UTC").cast(TIME)


def offsets_s(instants_s: I64, zone_name: str) -> I64:
    """Seconds east of UTC at each instant (epoch seconds)."""
    hours, place = np.unique(instants_s // 900, return_inverse=True)  # no zone changes inside a quarter of an hour
    local = pl.Series(hours * 900_000).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone_name)
    offsets = (local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_seconds().to_numpy()
    return np.asarray(offsets[place], dtype=np.int64)


def floor_local(instants_s: I64, grain_s: int, zone_name: str) -> I64:
    """Start of the local minute, hour or day (`grain_s` seconds) that holds each instant, in epoch seconds."""
    if grain_s == 60:  # noqa: PLR2004 (every offset since 1990 is whole minutes)
        return instants_s - instants_s % 60
    offset = offsets_s(instants_s, zone_name)
    local = instants_s + offset
    return local - local % grain_s - offset
