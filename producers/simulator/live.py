"""A city up to now at once, and from now on as it happens: one traffic, in two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.adapters import Batch
from producers.simulator.mishaps import Delivery, Mishaps
from producers.simulator.pacer import STEP_S_MAX, Pacer
from producers.simulator.traffic import DAYS_BEFORE, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from producers.simulator.city import City
    from producers.simulator.timeline import Events


def live(
    city: City,
    seed: int,
    *,
    start_s: int,
    now_s: int,
    days_before: int = DAYS_BEFORE,
    mishaps: Mishaps | None = None,
) -> tuple[Iterator[Batch], Pacer]:
    """Give what happens from `start_s` to `now_s` as batches to load, and the endless rest from `now_s` on.

    No event is in both and none is missing between them, since one traffic feeds both: take the first part to its end,
    then the second. By then the second one has to catch up with the clock, and does.
    """
    traffic = Traffic(city, seed, start_s, days_before=days_before)
    rest = Pacer(traffic, start_s=now_s, clock_s=now_s, delivery=Delivery(mishaps, seed))
    return batches(_up_to(traffic, now_s)), rest


def batches(pieces: Iterable[Events]) -> Iterator[Batch]:
    """Give pieces of traffic to a load."""
    for frames in pieces:
        yield Batch(frames=frames, lines_read=0, lines_broken=0, bytes_read=0)


def _up_to(traffic: Traffic, end_s: int) -> Iterator[Events]:
    while traffic.position_s < end_s:
        yield traffic.until(min(end_s, traffic.position_s + STEP_S_MAX))
