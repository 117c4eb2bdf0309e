"""How far intake has come, kept where the records are: as committed offsets of a group nobody is a member of.

The broker keeps them as long as the log itself, and anybody's tools show the lag. A log that begins anew has another
group (`hotline.names.intake_group`), so its start is its start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from hotline.names import INTAKE_TOPIC


class BrokerMarks:
    """The offsets of one group on `INTAKE_TOPIC`; never more than what is acknowledged, so that a start may repeat."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap, self._group = bootstrap, group
        self._consumer: Any = None

    async def start(self, partitions: Collection[int]) -> dict[int, int]:
        """Connect; the next offset of each of the partitions, which become the ones written. Others have none yet."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False
        )
        await self._consumer.start()
        places = {partition: TopicPartition(INTAKE_TOPIC, partition) for partition in partitions}
        self._consumer.assign(list(places.values()))  # by hand: it joins no group
        self._consumer.pause(*places.values())  # nor does it fetch: who only asks and commits needs no records
        found = {partition: await self._consumer.committed(place) for partition, place in places.items()}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    async def write(self, positions: Mapping[int, int]) -> None:
        """Commit the next offset of each partition. Raises a KafkaError when the broker is away."""
        await self._consumer.commit(
            {
                TopicPartition(INTAKE_TOPIC, partition): OffsetAndMetadata(offset, "")
                for partition, offset in positions.items()
            }
        )
