"""How fast this machine folds and compares, measured on a little of what is stored: for saying how long work takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from hotline.catalogue import measures
from hotline.fold import fold, with_keys
from hotline.windows import DAY_S
from sinks.difference import Kept, difference
from sinks.difference.spans import entries
from sinks.reconcile import reading
from sinks.reconcile.pieces import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject
    from sinks.outdated import Births

SAMPLE_EVENTS = 20_000
FOLDING_TIMES = 4.0
"""Folding again takes this many times what reading and folding take: sums, sending and storing come with it."""
FILLING_TIMES = 3.0
"""A slice is compared, added up before and after, and compared again."""


class Pace(NamedTuple):
    """Seconds, and what they were measured on."""

    fold_s: float
    """To fold one event again."""
    fill_s: float
    """To fill one entry of one instant: a stored sum, or an instant of a row."""
    events: int
    entries: int

    @property
    def how(self) -> str:
        """Say how it was measured."""
        return (
            f"measured on this machine just now: {self.events:,} stored events read and folded, times "
            f"{FOLDING_TIMES:g}; {self.entries:,} entries of sums and rows compared, times {FILLING_TIMES:g}"
        )


def measured(client: Client, subject: Subject, born: Sequence[Births]) -> Pace:
    """Measure on the last birth day of a subject. Raises ValueError when nothing was born, and the client's errors."""
    if not born:
        raise ValueError(f"nothing is stored of {subject.name}: there is nothing to measure on")
    last = born[-1]
    span = (last.day * DAY_S, (last.day + 1) * DAY_S)
    shares = max(1, last.events // SAMPLE_EVENTS)
    begun = time.perf_counter()
    members = reading.events(client, subject, Piece(span, last.events, 0, shares))
    fold(subject, with_keys(subject, members))
    folded = time.perf_counter()
    difference(client, Kept(subject), span, of=measures(subject)[:1], first=0)
    compared = time.perf_counter()
    found = entries(client, subject, span)
    fold_s, fill_s = (folded - begun) / max(len(members), 1), (compared - folded) / max(found, 1)
    return Pace(fold_s * FOLDING_TIMES, fill_s * FILLING_TIMES, len(members), found)
