"""Whether a log is still the one it was: a durable broker may lose the tail of a log, or its topic may be made again.

The offsets go on as if nothing had happened, so what was read at one of them is compared with what stands there now.
The sink looks, too, and gives such a log its next number; a worker only has to end before it takes anything from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from faust.types.tuples import TP

from hotline.marks import LOGS_SQL, logs
from hotline.names import BLOCK_ID, block_id
from hotline.settings import Settings
from streams.connecting import connect
from streams.ending import end_process
from streams.positions import PositionLostError, record_at

LOOK_EVERY_S = 10.0


async def end_if_another(bootstrap: str, tp: TP, offset: int, known: str) -> None:
    """End the process when another block than the one known stands at an offset, or none; what is gone passes."""
    try:
        record = await record_at(bootstrap, tp.topic, tp.partition, offset)
    except PositionLostError:
        return
    found = None if record is None else block_id(record.header(BLOCK_ID), tp.topic, tp.partition, record.offset)
    if known and found != known:
        end_process(f"{tp.topic}/{tp.partition}: at offset {offset} was block {known}, is {found}: this is another log")


def _numbers(settings: Settings) -> dict[str, int]:
    with connect(settings) as client:
        return logs(client.query(LOGS_SQL).result_rows)


async def end_when_numbers_move(settings: Settings, known: Mapping[str, int]) -> None:
    """End the process when one of these topics has another log number; asks every ten seconds, for ever."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            now = await asyncio.to_thread(_numbers, settings)
        except Exception:  # noqa: BLE001, S112 the engine is away: what reads and writes there waits by itself
            continue
        moved = sorted(topic for topic, number in known.items() if now.get(topic, number) != number)
        if moved:
            end_process(f"the logs of {moved} have new numbers")
