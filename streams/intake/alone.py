"""Records of intake one by one through a desk that knows nothing else, in a process of its own.

    python -m streams.intake.alone

The records come on standard input as MessagePack; before each its number is printed. Settings from HOTLINE_* variables.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from hotline.names import INTAKE_TOPIC, PSEUDONYMISED
from hotline.settings import load
from streams.alone import alone, expect_to_die
from streams.bundles import Bundle
from streams.intake.desk import Desk, Rules

_BORN = 1_600_000_000
"""When everything that does not state its birth was born here: so that all of it is judged."""


class _Record(msgspec.Struct, array_like=True):
    value: bytes | None
    headers: list[tuple[str, bytes]]
    offset: int = 0


def poisonous(records: Sequence[Any]) -> dict[int, str]:
    """Those of the records that kill a process, and that again when it has nothing else: offset → how it died."""
    found: dict[int, str] = {}
    at = 0
    while at < len(records):
        ending = alone("streams.intake.alone", given=_encoded(records[at:]))
        if not ending.how:
            break
        died = at + int(ending.told.split()[-1])
        if how := alone("streams.intake.alone", given=_encoded(records[died : died + 1])).how:
            found[records[died].offset] = how
        at = died + 1
    return found


def _encoded(records: Sequence[Any]) -> bytes:
    return msgspec.msgpack.encode([_Record(record.value, _headers(record)) for record in records])


def _headers(record: Any) -> list[tuple[str, bytes]]:
    """Those that intake looks at."""
    return [(name, b"") for name, _ in record.headers or () if name == PSEUDONYMISED]


def main() -> None:
    """Take one after another."""
    settings, _ = load()
    rules = Rules(
        partitions=settings.partitions,
        log=1,
        key=b"of nobody",
        future_skew_s=settings.future_skew_s,
        unknown_ticket_wait_s=settings.unknown_ticket_wait_s,
        known_entities_max=1,
        waiting_events_max=1,
        waiting_bytes_max=settings.waiting_bytes_max,
    )
    records = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[_Record])
    expect_to_die()
    for number, record in enumerate(records):
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        _take(Desk(rules, _born), record)


def _take(desk: Desk, record: _Record) -> None:
    for block in desk.take([Bundle(INTAKE_TOPIC, 0, [record])], now=time.time(), timer=0.0).blocks:
        block.encode()


def _born(names: Collection[str]) -> Iterable[tuple[str, int]]:
    return [(name, _BORN) for name in names]


if __name__ == "__main__":
    main()
