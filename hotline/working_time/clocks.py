"""From wall clocks to instants: local days and hours of a zone as spans of epoch seconds.

One sentence decides every case of daylight saving: an instant is working when its wall clock shows a working day and
a time within that day's hours. An hour that is passed twice counts twice, one that is skipped not at all.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from hotline.zones import constant_offsets_s

I64 = npt.NDArray[np.int64]

DAY_S = 86_400
FIRST_DAY, DAYS = 7_304, 40_909
"""Local days that are tabled, counted from 1970-01-01: from 1989-12-31 to 2101-12-31, a year or a day more at both
ends than any event may speak of."""


def instants_s(from_s: I64, to_s: I64, zone: str) -> tuple[I64, I64]:
    """Spans of wall-clock time as spans of instants: sorted, disjoint, in epoch seconds, half-open.

    `from_s` and `to_s` count seconds from 1970-01-01 00:00 on the wall, sorted and disjoint. A span may become several,
    or none.
    """
    starts, ends = [], []
    for begin, end, offset in _offsets(zone):
        low, high = np.searchsorted(to_s, begin + offset, "right"), np.searchsorted(from_s, end + offset, "left")
        starts.append(np.maximum(from_s[low:high] - offset, begin))
        ends.append(np.minimum(to_s[low:high] - offset, end))
    return _joined(np.concatenate(starts), np.concatenate(ends))


def day_ends_s(zone: str) -> tuple[I64, npt.NDArray[np.bool_]]:
    """The instant after the last one of each tabled day, and whether the zone had that day at all."""
    ends = np.zeros(DAYS, np.int64)
    for begin, end, offset in _offsets(zone):
        first, last = (begin + offset) // DAY_S - FIRST_DAY, (end + offset - 1) // DAY_S - FIRST_DAY
        days = np.arange(max(first, 0), min(last + 1, DAYS))
        ends[days] = np.maximum(ends[days], np.minimum((days + FIRST_DAY + 1) * DAY_S - offset, end))
    return np.maximum.accumulate(ends), ends > 0


@functools.lru_cache(maxsize=8)
def _offsets(zone: str) -> list[tuple[int, int, int]]:
    """Spans of one offset; two days more at both ends than days are tabled, because a zone may be a day away."""
    return constant_offsets_s((FIRST_DAY - 2) * DAY_S, (FIRST_DAY + DAYS + 2) * DAY_S, zone)


def _joined(starts: I64, ends: I64) -> tuple[I64, I64]:
    """Spans that touch as one."""
    apart = np.flatnonzero(starts[1:] != ends[:-1])
    if not len(starts):
        return starts, ends
    return starts[np.append(0, apart + 1)], ends[np.append(apart, len(ends) - 1)]
