"""A desk without a broker: records as the driver makes them, and what came out by where it came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hotline.names import PSEUDONYMISED
from streams.bundles import Bundle
from streams.intake.desk import Desk, Done, Rules

NOW = 1_700_000_000
"""2023-11-14T22:13:20Z."""
LOG = 3
KEY = b"a key of the tests, 32 bytes long"
WAIT_S = 30


@dataclass(frozen=True)
class Record:
    """What Faust's driver hands on."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def as_json(event: Any) -> bytes:
    return event if isinstance(event, bytes) else msgspec.json.encode(event)


def rules(**other: Any) -> Rules:
    given: dict[str, Any] = {
        "partitions": 3,
        "log": LOG,
        "key": KEY,
        "future_skew_s": 300,
        "unknown_ticket_wait_s": WAIT_S,
        "known_entities_max": 10_000,
        "waiting_events_max": 100_000,
        "waiting_bytes_max": 256 << 20,
    }
    return Rules(**{**given, **other})


@dataclass
class Tables:
    """The look-up, over births of which a test says when they are stored; `away` raises."""

    births: list[tuple[str, int]] = field(default_factory=list)
    away: bool = False
    asked: int = 0

    def __call__(self, names: Collection[str]) -> Iterable[tuple[str, int]]:
        self.asked += 1
        if self.away:
            raise ConnectionError("away")
        return [(name, born) for name, born in self.births if name in names]


@dataclass
class Sent:
    """A desk, and everything that it gave."""

    desk: Desk
    good: list[dict[str, Any]] = field(default_factory=list)
    dead: list[dict[str, Any]] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    next_offsets: dict[int, int] = field(default_factory=dict)

    def bring(self, *events: Any, partition: int = 0, now: float = NOW, made: bool = False) -> Done:
        """Hand over events (dicts, or bytes as they are) of one partition as one bundle; none is only the time."""
        first = self.next_offsets.get(partition, 0)
        headers = [(PSEUDONYMISED, b"yes")] if made else []
        records = [Record(first + at, as_json(event), headers) for at, event in enumerate(events)]
        self.next_offsets[partition] = first + len(events)
        bundles = [Bundle("hotline.intake", partition, records)] if records else []
        done = self.desk.take(bundles, now=now, timer=now)
        for block in done.blocks:
            for row in block.events.iter_rows(named=True):
                (self.good if row["problem"] is None else self.dead).append({**row, "block": block})
        self.positions |= done.positions
        return done

    @property
    def reasons(self) -> list[str]:
        return sorted(row["problem"] for row in self.dead)


def desk(look_up: Any = None, **other: Any) -> Sent:
    return Sent(Desk(rules(**other), look_up or Tables()))
