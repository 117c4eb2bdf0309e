"""What goes wrong on the way from a city to its hotline: events come twice, late, or in another order.

None of it may change what is stored: a call or ticket is the set of its events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotline.events.keys import combine, entity_keys, event_keys, hash_text, mix

if TYPE_CHECKING:
    from producers.simulator.city import Floats
    from producers.simulator.draws import I64
    from producers.simulator.timeline import Events

ARRIVES = "arrives_s"
"""Column that says when an event arrives, in epoch seconds; blocks do not carry it."""
DISORDER_S_MAX = 5
"""How far events get out of order, in simulated seconds."""


@dataclass(frozen=True)
class Mishaps:
    """Shares of all events, between 0 and 1, and how late the late ones are. Raises ValueError for other shares."""

    duplicates: float = 0.0
    """Come a second time, up to `late_s_max` after the first."""
    late: float = 0.0
    disorder: float = 0.0
    """Are overtaken by events of the next few seconds."""
    late_s_max: int = 600
    """Longest delay, in simulated seconds."""

    def __post_init__(self) -> None:
        for name in ("duplicates", "late", "disorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is a share, from 0 to 1")
        if self.late_s_max < 1:
            raise ValueError(f"late events are up to {self.late_s_max} s late; use 1 or more")

    def __bool__(self) -> bool:
        return bool(self.duplicates or self.late or self.disorder)


class Delivery:
    """Takes events as they happen and gives them as they arrive, in that order.

    Chance is a hash of the event and the seed: which events go which way does not depend on how the traffic is cut.
    """

    def __init__(self, mishaps: Mishaps | None = None, seed: int = 0) -> None:
        self._mishaps, self._seed = mishaps or Mishaps(), seed
        self._held: Events = {}

    @property
    def waiting(self) -> int:
        """Events on the way."""
        return sum(map(len, self._held.values()))

    def arriving(self, happened: Events, until_s: float) -> Events:
        """Take what happened before `until_s`; give what arrives before it, of each subject of which anything does."""
        sent = {name: self._sent(events) for name, events in happened.items() if len(events)}
        return self._arrived(sent, until_s) if self._mishaps else sent

    def _arrived(self, sent: Events, until_s: float) -> Events:
        found: Events = {}
        for name in [*sent, *(name for name in self._held if name not in sent)]:
            if name not in sent and self._held[name][ARRIVES][0] >= until_s:
                continue
            mine = [events.pop(name) for events in (self._held, sent) if name in events]
            on_the_way = pl.concat(mine).sort(ARRIVES, maintain_order=True)
            here = int(np.searchsorted(on_the_way[ARRIVES].to_numpy(), until_s))
            for events, part in ((found, on_the_way[:here]), (self._held, on_the_way[here:])):
                if len(part):
                    events[name] = part
        return found

    def rest(self) -> Events:
        """Give all that is still on the way."""
        held, self._held = self._held, {}
        return held

    def _sent(self, events: pl.DataFrame) -> pl.DataFrame:
        occurred = events["occurred_at"].dt.epoch("s").alias(ARRIVES)
        events = events.with_columns(occurred)
        if not self._mishaps:
            return events
        keys = combine(entity_keys(events), event_keys(events))
        chance = [self._chance(keys, salt) for salt in ("late", "how late", "disorder", "duplicate", "how long after")]
        arrives = occurred.to_numpy() + self._delays_s(*chance[:3])
        first = events.with_columns(pl.Series(ARRIVES, arrives))
        twice = np.flatnonzero(chance[3] < self._mishaps.duplicates)
        after = arrives[twice] + 1 + (chance[4][twice] * self._mishaps.late_s_max).astype(np.int64)
        return pl.concat([first, first[twice].with_columns(pl.Series(ARRIVES, after, pl.Int64))])

    def _delays_s(self, late: Floats, length: Floats, disorder: Floats) -> I64:
        mishaps = self._mishaps
        longest = np.where(late < mishaps.late, mishaps.late_s_max, DISORDER_S_MAX)
        moved = (late < mishaps.late) | (disorder < mishaps.disorder)
        return np.asarray(moved * (1 + length * longest), np.int64)

    def _chance(self, keys: np.ndarray, salt: str) -> Floats:
        mixed = mix(combine(keys, np.full(len(keys), hash_text(f"{salt} {self._seed}"))))
        return np.asarray(mixed / 2.0**64, np.float64)
