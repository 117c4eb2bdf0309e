"""Whether a log is still the one it was: a durable broker may lose the tail of a log, or its topic may be made again.

The offsets go on as if nothing had happened, so what was read at one of them is compared with what stands there now.
The sink looks, too, and gives such a log its next number; a worker only has to end before it takes anything from it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from clickhouse_connect.driver.client import Client
from faust.types.tuples import TP

from hotline.marks import LOGS_SQL, logs
from hotline.measured import UNKNOWN, decode
from hotline.names import BLOCK_ID, block_id
from streams.ending import end_process
from streams.positions import PositionLostError, record_at


async def end_if_another(bootstrap: str, tp: TP, offset: int, known: str) -> None:
    """End the process when another block than the one known stands at an offset, or none; what is gone passes."""
    try:
        record = await record_at(bootstrap, tp.topic, tp.partition, offset)
    except PositionLostError:
        return
    found = None if record is None else block_id(record.header(BLOCK_ID), tp.topic, tp.partition, record.offset)
    if known and found != known:
        end_process(f"{tp.topic}/{tp.partition}: at offset {offset} was block {known}, is {found}: this is another log")


async def end_if_output_gone(bootstrap: str, tp: TP, offset: int, output_id: int) -> None:
    """End the process when at an offset of a measured topic stands not the output of that id; what is gone passes."""
    try:
        record = await record_at(bootstrap, tp.topic, tp.partition, offset)
    except PositionLostError:
        return
    try:
        found = None if record is None else decode(record.value).source.output_id
    except msgspec.DecodeError:
        found = None
    if output_id not in {UNKNOWN, found}:
        end_process(f"{tp.topic}/{tp.partition}: the output at offset {offset} is gone: their log lost its end")


def moved(client: Client, known: Mapping[str, int]) -> str:
    """Which of these topics have another log number, as a reason to end; empty when none has. Raises as the client."""
    now = logs(client.query(LOGS_SQL).result_rows)
    others = sorted(topic for topic, number in known.items() if now.get(topic, number) != number)
    return f"the logs of {others} have new numbers" if others else ""
