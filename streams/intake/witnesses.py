"""What stands in the log where intake read last, kept with its position: another record there shows another log.

Single events have no ids of blocks. A log that lost its tail and grew past the position again, or whose topic was made
again, would otherwise be read on from the position, and what now stands before that would never be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from hotline.names import INTAKE_TOPIC
from streams.ending import end_process
from streams.positions import PositionLostError, record_at, tail

log = logging.getLogger("streams.intake")

KEPT_MAX = 32
"""Witnesses of a partition, of which every second goes when there are more; a broker keeps 4096 bytes with a mark."""
_DIGEST_BYTES = 8
_WRITTEN = re.compile(rf"(\d+):([0-9a-f]{{{2 * _DIGEST_BYTES}}})")


class Witness(NamedTuple):
    """A record that was read: where it stood, and a digest of what it was."""

    offset: int
    digest: str


class Mark(NamedTuple):
    """Where a partition goes on, and records that were read, newest first; the first lies right before it, or later."""

    offset: int = 0
    witnesses: tuple[Witness, ...] = ()

    @property
    def text(self) -> str:
        """The witnesses as a broker keeps them."""
        return " ".join(f"{offset}:{digest}" for offset, digest in self.witnesses)


def mark_of(offset: int, text: str) -> Mark:
    """A mark out of what a broker kept; without witnesses where somebody else has set the offset."""
    return Mark(offset, tuple(Witness(int(at), digest) for at, digest in _WRITTEN.findall(text)))


def witness(record: Any) -> Witness:
    """A record with `offset`, `value` and `timestamp` as its witness: repeated events differ by their timestamps."""
    digest = hashlib.blake2b(record.value or b"", digest_size=_DIGEST_BYTES, salt=_salt(record.timestamp))
    return Witness(int(record.offset), digest.hexdigest())


def _salt(timestamp: int | None) -> bytes:
    return (timestamp or 0).to_bytes(16, signed=True)


def with_newer(kept: Sequence[Witness], newer: Witness) -> tuple[Witness, ...]:
    """Witnesses with one more; the older they are, the farther apart."""
    found = (newer, *kept)
    return found if len(found) <= KEPT_MAX else found[::2]


async def same(bootstrap: str, partition: int, known: Witness) -> bool:
    """Whether the record that was read still stands in its place. Raises PositionLostError when retention took it."""
    record = await record_at(bootstrap, INTAKE_TOPIC, partition, known.offset)
    return record is not None and witness(record) == known


async def end_if_not_same(bootstrap: str, partition: int, known: Witness) -> None:
    """End the process when another record stands in the place of one that was read, or none; what is gone passes."""
    with contextlib.suppress(PositionLostError):
        if not await same(bootstrap, partition, known):
            end_process(f"{INTAKE_TOPIC}/{partition}: at {known.offset} stands another record: this is another log")


async def agreed(bootstrap: str, partition: int, mark: Mark) -> Mark:
    """The mark, or an earlier one, up to which the log still holds what was read; Mark() where it does so nowhere.

    Says so when it is not the mark itself: reading twice does no harm. Raises TimeoutError when the broker is away.
    """
    if await _stands(bootstrap, partition, mark):
        return mark
    found = await _last_agreed(bootstrap, partition, mark)
    log.critical(
        "ALARM %s/%d is another log than intake read up to %d (a tail that was lost? a topic made again?): "
        "it is read again from %s. What the broker lost must be sent again",
        *(INTAKE_TOPIC, partition, mark.offset, found.offset or "its start"),
    )
    return found


async def _stands(bootstrap: str, partition: int, mark: Mark) -> bool:
    if not mark.witnesses:
        (end,) = (await tail(bootstrap, INTAKE_TOPIC, [partition])).values()
        return mark.offset <= end
    try:
        return await same(bootstrap, partition, mark.witnesses[0])
    except PositionLostError:  # all that was read was kept long enough
        return True


async def _last_agreed(bootstrap: str, partition: int, mark: Mark) -> Mark:
    for place, known in enumerate(mark.witnesses[1:], 1):
        try:
            if await same(bootstrap, partition, known):
                return Mark(min(mark.offset, known.offset + 1), mark.witnesses[place:])
        except PositionLostError:
            break
    return Mark()
