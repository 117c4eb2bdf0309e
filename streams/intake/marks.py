"""How far intake has come, kept where the records are: as committed offsets of a group nobody is a member of.

The broker keeps them for days after they were written last (`streams.intake.marking`), and anybody's tools show the
lag. A log that begins anew has another group (`hotline.names.intake_group`), so its start is its start. What was read
last is kept with them (`streams.intake.witnesses`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from hotline.names import INTAKE_TOPIC
from streams.intake.witnesses import Mark, mark_of


class BrokerMarks:
    """The offsets of one group on `INTAKE_TOPIC`; never more than what is acknowledged, so that a start may repeat."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap, self._group = bootstrap, group
        self._consumer: Any = None

    async def start(self, partitions: Collection[int]) -> dict[int, Mark]:
        """Connect; the marks of the partitions, which become the ones written. Others have none yet."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False
        )
        await self._consumer.start()
        places = {partition: TopicPartition(INTAKE_TOPIC, partition) for partition in partitions}
        self._consumer.assign(list(places.values()))  # by hand: it joins no group
        self._consumer.pause(*places.values())  # nor does it fetch: who only asks and commits needs no records
        # `committed` asks the same and leaves out what was kept with the offset.
        found = await self._consumer._coordinator.fetch_committed_offsets(list(places.values()))  # noqa: SLF001
        return {
            at.partition: mark_of(kept.offset, kept.metadata or "") for at, kept in found.items() if kept.offset >= 0
        }

    async def write(self, marks: Mapping[int, Mark]) -> None:
        """Commit the mark of each partition. Raises a KafkaError when the broker is away."""
        await self._consumer.commit(
            {
                TopicPartition(INTAKE_TOPIC, partition): OffsetAndMetadata(mark.offset, mark.text)
                for partition, mark in marks.items()
            }
        )

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
