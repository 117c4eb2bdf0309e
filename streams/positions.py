"""How far a topic goes, and what stands in a stretch of it; read without a group, without leaving a trace."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types.tuples import TP

FETCH_BYTES_MAX = 32 << 20  # twice the largest record a topic may hold
FETCH_WAIT_MS = 20  # how long the broker may hold an answer that has no record: only at the very end of a topic
POLL_MS = 500
ANSWER_WITHIN_S = 30.0


class PositionLostError(RuntimeError):
    """An offset that was written once is not in the log any more: retention took it, or this is another log."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the log. Headers keep their order and may repeat a name; `timestamp` in ms."""

    offset: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int = 0

    def header(self, name: str) -> bytes | None:
        """Return the value of the first header of that name, or None."""
        return next((value for key, value in self.headers if key == name), None)


async def tail(bootstrap: str, topic: str, partitions: Collection[int], *, credentials: Any = None) -> dict[TP, int]:
    """Return the high-water mark (the offset the next record will take) of each partition.

    It is taken from the answer to a fetch: the latest offset by ListOffsets is too low on the embedded broker.
    """
    wanted = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    async with _reader(bootstrap, wanted, credentials) as consumer:
        return await _high_waters(consumer, wanted)


async def held(bootstrap: str, topic: str, partitions: Collection[int], *, credentials: Any = None) -> dict[TP, range]:
    """Return the offsets that each partition holds: its start, and as `stop` its high-water mark."""
    wanted = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    async with _reader(bootstrap, wanted, credentials) as consumer:
        starts, ends = await consumer.beginning_offsets(wanted), await _high_waters(consumer, wanted)
        return {TP(*at): range(starts[at], ends[TP(*at)]) for at in wanted}


async def read_range(
    bootstrap: str, topic: str, partition: int, from_offset: int, *, credentials: Any = None
) -> AsyncGenerator[Record, None]:
    """Yield the records from `from_offset` up to the high-water mark at the time of asking.

    Raises PositionLostError when `from_offset` lies before the start of the log or beyond its end, or when a record
    of the range is missing. Memory held: one fetch (32 MiB) at most.
    """
    at = TopicPartition(topic, partition)
    async with _reader(bootstrap, [at], credentials) as consumer:
        start = (await consumer.beginning_offsets([at]))[at]
        end = (await _high_waters(consumer, [at]))[TP(topic, partition)]
        if not start <= from_offset <= end:
            raise PositionLostError(
                f"{topic}/{partition} holds offsets {start} to {end}, not {from_offset}: "
                "retention overtook the reader, or this is another log than before"
            )
        consumer.seek(at, from_offset)
        due = from_offset
        while due < end:
            for record in (await consumer.getmany(at, timeout_ms=POLL_MS)).get(at, ()):
                if record.offset != due:
                    raise PositionLostError(f"{topic}/{partition}: offset {due} is missing, {record.offset} came")
                if due == end:
                    return
                due += 1
                yield Record(record.offset, record.value, tuple(record.headers))


async def record_at(
    bootstrap: str, topic: str, partition: int, offset: int, *, credentials: Any = None
) -> Record | None:
    """Return the record at an offset, None when the log does not reach so far.

    Raises PositionLostError when the log begins after it: retention took it.
    """
    at = TopicPartition(topic, partition)
    async with _reader(bootstrap, [at], credentials) as consumer:
        if (start := (await consumer.beginning_offsets([at]))[at]) > offset:
            raise PositionLostError(f"{topic}/{partition} begins at {start}: {offset} is gone")
        if (await _high_waters(consumer, [at]))[TP(topic, partition)] <= offset:
            return None
        consumer.seek(at, offset)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while not (found := (await consumer.getmany(at, timeout_ms=POLL_MS)).get(at)):
                pass
        record = found[0]
        if record.offset != offset:
            return None
        return Record(offset, record.value, tuple(record.headers), record.timestamp)


@asynccontextmanager
async def _reader(
    bootstrap: str, partitions: Collection[TopicPartition], credentials: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        **credentials_to_aiokafka_auth(credentials),
    )
    await consumer.start()
    try:
        consumer.assign(list(partitions))
        yield consumer
    finally:
        await consumer.stop()


async def _high_waters(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TP, int]:
    # ListOffsets only says where to fetch: near enough to the end for a small answer, never beyond it.
    for partition, latest in (await consumer.end_offsets(partitions)).items():
        consumer.seek(partition, latest)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while any(consumer.highwater(at) is None for at in partitions):  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.002)
    except TimeoutError:
        silent = [at for at in partitions if consumer.highwater(at) is None]
        raise TimeoutError(f"no answer to a fetch of {silent} within {ANSWER_WITHIN_S} s: is the broker up?") from None
    return {TP(at.topic, at.partition): consumer.highwater(at) for at in partitions}
