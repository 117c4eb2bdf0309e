"""Many days of a city as they would be seen: by the time things happen, not by birth."""

from __future__ import annotations

import datetime as dt
import io
from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from hotline.subjects import SUBJECTS
from producers.simulator.day import day
from producers.simulator.local_days import day_number, day_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.simulator.city import City

Events = dict[str, pl.DataFrame]
"""Subject → events in its columns."""


def timeline(
    city: City, first_date: dt.date, days: int, seed: int, *, days_before: int = 0, to_the_end: bool = True
) -> Iterator[Events]:
    """Tell what happens on each local day from `first_date` on, in order of occurred_at, a chunk a day.

    Calls and tickets are born on `days` days; then come the days on which the last tickets end, unless `to_the_end` is
    False. With `days_before`, the tickets of that many earlier days live on into the timeline: with `LIFE_DAYS_MAX` of
    them, any stretch equals the same stretch of a longer timeline. Memory holds only the events still to come.
    """
    ahead = Ahead(city.zone)
    offset = -days_before
    while offset < days or (to_the_end and ahead):
        date = first_date + dt.timedelta(days=offset)
        born = day(city, date, seed) if offset < days else {}
        today = ahead.meet(day_number(date), born)
        if offset >= 0:
            yield today
        offset += 1


class Ahead:
    """Events still to come, by the number of their local day.

    They wait as compressed bytes: a slice would keep its whole day of birth in memory, and the columns are
    mostly empty.
    """

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._pieces: dict[int, list[tuple[str, int, bytes]]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def waiting_bytes(self) -> int:
        """What the events still to come take in memory."""
        return sum(len(piece) for pieces in self._pieces.values() for _, _, piece in pieces)

    @property
    def waiting_events(self) -> int:
        """How many events are still to come."""
        return sum(count for pieces in self._pieces.values() for _, count, _ in pieces)

    def meet(self, number: int, born: Events) -> Events:
        """Give what happens on the day of that number, on which `born` was born; keep what comes later."""
        parts: dict[str, list[pl.DataFrame]] = {
            name: [pl.DataFrame(schema=SUBJECTS[name].columns)] for name in SUBJECTS
        }
        for name, _, piece in self._pieces.pop(number, []):
            parts[name].append(pl.read_ipc(io.BytesIO(piece)))
        for name, events in born.items():
            for day_of_piece, piece_of_day in self._by_day(events):
                if day_of_piece == number:
                    parts[name].append(piece_of_day)
                else:
                    self._pieces[day_of_piece].append((name, len(piece_of_day), _packed(piece_of_day)))
        return {name: pl.concat(frames).sort("occurred_at", maintain_order=True) for name, frames in parts.items()}

    def _by_day(self, events: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
        """Cut events, which are in order of time, into local days."""
        numbers = pl.Series(day_numbers(events["occurred_at"].dt.epoch("s").to_numpy(), self._zone))
        begin = 0
        for number, length in numbers.rle().struct.unnest().select("value", "len").rows():
            yield number, events.slice(begin, length)
            begin += length


def _packed(events: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    events.write_ipc(out, compression="lz4")
    return out.getvalue()
