"""Dead letters `unknown_ticket` of a process before: they wait on for their tickets, as if it had never ended."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from hotline.names import DATABASE, DEAD_LETTERS_TABLE, INTAKE_TOPIC
from streams.intake.arriving import Arrival, NotDecodedError, decode
from streams.intake.desk import RETIRED_MAX, RETIRED_S

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

BEHIND_ALL = 1 << 62
"""Stands for the offset of what is in the topic no more."""
_LETTERS = (
    "SELECT origin, base64Encode(original), dateDiff('second', set_aside_at, now()) "  # noqa: S608 names of ours
    f"FROM {DATABASE}.{DEAD_LETTERS_TABLE} WHERE reason = 'unknown_ticket' AND startsWith(origin, {{topic:String}}) "
    "AND set_aside_at > now() - {newest_s:UInt32} ORDER BY set_aside_at DESC LIMIT {most:UInt32}"
)


class StoredLetters:
    """What is stored of them, from whatever log they came."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, partitions: Collection[int]) -> Iterator[tuple[Arrival, float]]:
        """The events of these partitions, the oldest first, each with the seconds since it was set aside.

        They hold up no position. Raises what the client raises.
        """
        asked = {"topic": f"{INTAKE_TOPIC}/", "newest_s": int(RETIRED_S), "most": RETIRED_MAX}
        found = self._client.query(_LETTERS, parameters=asked).result_rows
        for origin, original, age_s in reversed(found):
            partition = int(str(origin).split("/")[1])
            if partition in partitions:
                yield from _read(base64.b64decode(original), partition, str(origin), float(age_s))


def _read(original: bytes, partition: int, origin: str, age_s: float) -> Iterator[tuple[Arrival, float]]:
    try:
        yield Arrival(decode(original), original, partition, BEHIND_ALL, made=True, origin=origin), age_s
    except NotDecodedError:  # a version before this one took it
        return
