"""Whether roll can go on from its snapshot: the topics must still hold what comes after it, and nothing else came."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from faust.types.tuples import TP

from hotline.marks import LOGS_SQL, logs
from streams.positions import held
from streams.roll.stored import repairs

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.settings import Settings
    from streams.roll.state import State


async def obstacle(settings: Settings, client: Client, state: State, partitions: Collection[TP]) -> str:
    """Why a state out of a snapshot is of no use for reading on in these partitions; empty when it is.

    Raises what the client raises, and TimeoutError when the broker does not answer.
    """
    if state.repairs != await asyncio.to_thread(repairs, client):
        return "the stored sums were repaired or filled since"
    if set(state.read) != {(tp.topic, tp.partition) for tp in partitions}:
        return "it is of other partitions"
    numbers = logs((await asyncio.to_thread(client.query, LOGS_SQL)).result_rows)
    if others := sorted({topic for (topic, _), read in state.read.items() if numbers.get(topic) != read.log}):
        return f"the logs of {others} have other numbers"
    for topic in sorted({topic for topic, _ in state.read}):
        mine = [partition for name, partition in state.read if name == topic]
        for tp, offsets in (await held(settings.bootstrap, topic, mine)).items():
            due = state.read[tp.topic, tp.partition].offset
            if not offsets.start <= due <= offsets.stop:
                return f"{tp.topic}/{tp.partition} holds offsets {offsets.start} to {offsets.stop}, not {due}"
    return ""
