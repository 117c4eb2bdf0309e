"""Manual assignment for Faust: the partitions a worker owns are configuration, and no broker moves them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiokafka
from aiokafka import TopicPartition
from aiokafka.conn import CloseReason
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP

from streams.bundles import RECORDS_MAX
from streams.ending import end_process

# Kafka answers as soon as there is a record; the embedded broker only when this time is up, whether there is one or
# not. Each answer costs both sides half a millisecond, so the time is short only as long as records come.
FETCH_WAIT_MS, FETCH_WAIT_IDLE_MS = 50, 200
IDLE_AFTER_S = 2.0


class FixedPartitions(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """No group, no session, no rebalance, no commit. The listener is called once, by hand."""

    starts: Mapping[TP, int]
    broke: bool  # a connection did, since the log was last checked

    def __post_init__(self) -> None:
        """Begin with nothing assigned."""
        super().__post_init__()
        self.starts = {}
        self.broke = False
        self._came_at = time.monotonic()

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_consumer(loop)
        client = consumer._client  # noqa: SLF001
        stock = client._on_connection_closed  # noqa: SLF001

        def closed(conn: Any, reason: CloseReason) -> None:
            if reason not in (CloseReason.IDLE_DROP, CloseReason.SHUTDOWN):
                self._connection_broke(conn, reason)
            stock(conn, reason)

        client._on_connection_closed = closed  # noqa: SLF001
        return consumer

    def _connection_broke(self, conn: Any, reason: CloseReason) -> None:
        if not self.app.reading.log_survives and not self.app.stopping:
            end_process(f"connection to {conn.host}:{conn.port} lost ({reason.name}): this broker begins a new log")
        self.broke = True

    def connected(self) -> bool:
        """Tell whether there is a connection to a broker now."""
        connections = self._ensure_consumer()._client._conns  # noqa: SLF001
        return any(connection.connected() for connection in list(connections.values()))

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            client_id=conf.broker_client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # an offset out of range is an error, never a silent jump
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_poll_records=conf.broker_max_poll_records,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: Any,
        **limits: Any,  # `timeout` and `max_records`, as Faust calls them
    ) -> dict[Any, list[Any]]:
        """Take what was fetched: of bundled topics as much as a bundle holds, of the others the usual few records."""
        found = await self._fetched(consumer, active_partitions, **limits)
        now = time.monotonic()
        if found:
            self._came_at = now
        idle = now - self._came_at > IDLE_AFTER_S
        consumer._fetcher._fetch_max_wait_ms = FETCH_WAIT_IDLE_MS if idle else FETCH_WAIT_MS  # noqa: SLF001
        return found

    async def _fetched(
        self, consumer: aiokafka.AIOKafkaConsumer, active_partitions: Any, **limits: Any
    ) -> dict[Any, list[Any]]:
        bundled = {tp for tp in active_partitions or () if tp.topic in self.app.reading.bundled}
        if not bundled:
            plain: dict[Any, list[Any]] = await super()._fetch_records(consumer, active_partitions, **limits)
            return plain
        found = await self._take_fetched(consumer, active_partitions, bundled, limits["max_records"])
        if not found and limits["timeout"]:
            fetched = consumer._fetcher._create_fetch_waiter()  # noqa: SLF001
            await asyncio.wait([fetched], timeout=limits["timeout"])
            fetched.cancel()  # the fetcher forgets it; one that is done stays as it is
            found = await self._take_fetched(consumer, active_partitions, bundled, limits["max_records"])
        return found

    async def _take_fetched(
        self, consumer: aiokafka.AIOKafkaConsumer, active: Any, bundled: set[Any], records_max: int | None
    ) -> dict[Any, list[Any]]:
        """Both kinds without waiting: a wait for one of them would hold up the other."""
        found: dict[Any, list[Any]] = {}
        for partitions, most in ((set(active) - bundled, records_max), (bundled, RECORDS_MAX)):
            if partitions:
                found |= await super()._fetch_records(consumer, partitions, timeout=0, max_records=most)
        return found

    async def owned(self, topics: frozenset[str]) -> set[TP]:
        """Return the partitions of the topics that this worker owns; ends the process where one does not exist."""
        found: set[TP] = await self.call_thread(self._owned, topics)
        return found

    async def _owned(self, topics: frozenset[str]) -> set[TP]:
        client = self._ensure_consumer()._client  # noqa: SLF001
        # All topics are asked for, none by name: the embedded broker creates a topic by being asked for it.
        cluster = await client.fetch_all_metadata()
        owned = self.app.reading.partitions
        found = set()
        for topic in topics:
            known = cluster.partitions_for_topic(topic) or set()
            missing = {0} - known if owned is None else owned - known
            if missing:
                end_process(f"topic {topic!r} has no partitions {sorted(missing)} (it has {sorted(known)}): create it")
            found |= {TP(topic, partition) for partition in (known if owned is None else owned)}
        return found

    async def take(self, starts: Mapping[TP, int]) -> None:
        """Assign the partitions at their starts and tell Faust. Taking the same ones again changes nothing."""
        if starts.keys() != self.starts.keys():
            await self.call_thread(self._take, starts)

    async def _take(self, starts: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        partitions = [TopicPartition(*tp) for tp in starts]
        consumer.assign(partitions)
        for partition in partitions:  # in the same turn of the loop: no fetch may begin elsewhere
            consumer.seek(partition, starts[TP(*partition)])
        self.starts = starts
        # Not awaited: Faust's handling of an assignment waits until its subscription, which is running this, returned.
        self._telling = asyncio.get_running_loop().create_task(self._tell(set(starts)))

    async def _tell(self, partitions: set[TP]) -> None:
        try:
            self.app.on_rebalance_start()
            await self.on_partitions_revoked(set())
            await self.on_partitions_assigned(partitions, self.app.consumer_generation_id)
        except Exception as error:  # noqa: BLE001
            end_process("the partitions could not be handed over", error=error)

    def topic_partitions(self, topic: str) -> int | None:
        """Return the number of partitions of a topic, or None when it is not known."""
        known = self._ensure_consumer().partitions_for_topic(topic)
        return len(known) if known else None
