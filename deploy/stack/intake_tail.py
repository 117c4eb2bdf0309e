"""The end of the intake's topic: events that others sent and that are perhaps not stored yet, kept over a new log."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from hotline.names import INTAKE_TOPIC, JSON_BYTES_MAX

ANSWER_WITHIN_S = 10.0
_CLIENT: dict[str, Any] = {
    "reconnect_backoff_max_ms": 1000,
    "request_timeout_ms": 15_000,
    "allow_auto_create_topics": False,
}


class IntakeTail:
    """The records of `INTAKE_TOPIC` from some offsets on, in memory. Every method may raise a KafkaError."""

    def __init__(self, bootstrap: str, starts: Mapping[int, int]) -> None:
        """`starts` are the offsets of the first records, by partition; nothing is read yet."""
        self._bootstrap = bootstrap
        self._next = dict(starts)
        self._records: dict[int, list[Any]] = {partition: [] for partition in starts}

    def __len__(self) -> int:
        return sum(map(len, self._records.values()))

    @property
    def bytes(self) -> int:
        """Bytes of the records held."""
        return sum(len(record.value or b"") for records in self._records.values() for record in records)

    def forget_before(self, offsets: Mapping[int, int]) -> None:
        """Let go of what stands before these offsets: it is stored."""
        for partition, offset in offsets.items():
            self._records[partition] = [record for record in self._records[partition] if record.offset >= offset]
            self._next[partition] = max(self._next[partition], offset)

    def read_on(self, then: Callable[[], None] = lambda: None) -> None:
        """Read to the ends as the broker states them in an answer to a question asked now; then do `then` at once."""
        from kafka import KafkaConsumer, TopicPartition

        # A new consumer, because an open one would tell the ends as they were at some fetch before.
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=1,  # with 0 the embedded broker answers with nothing at all
            max_partition_fetch_bytes=JSON_BYTES_MAX + (4 << 20),
            **_CLIENT,
        )
        with closing(consumer):
            places = [TopicPartition(INTAKE_TOPIC, partition) for partition in self._next]
            consumer.assign(places)
            for place in places:
                consumer.seek(place, self._next[place.partition])
            self._read_to_ends(consumer, places)
            then()

    def _read_to_ends(self, consumer: Any, places: list[Any]) -> None:
        """Read to the ends that the first answers tell: under steady traffic the last one never comes."""
        from kafka.errors import KafkaTimeoutError

        ends: dict[Any, int] = {}
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while any(self._next[place.partition] < ends.get(place, sys.maxsize) for place in places):
            if time.monotonic() > deadline:
                raise KafkaTimeoutError(f"no answer to a fetch of {INTAKE_TOPIC}")
            for place, records in consumer.poll(timeout_ms=20).items():
                self._records[place.partition] += records
                self._next[place.partition] = records[-1].offset + 1
            told = {place: consumer.highwater(place) for place in places}
            ends = {place: end for place, end in told.items() if end is not None} | ends

    def send_again(self, partitions: int) -> None:
        """Write the records again, as they came, into a topic of so many partitions; returns when all are acknowledged.

        An event of a partition that the topic does not have goes to another one, as from a sender that knows no better.
        """
        from producers.sending import open_producer

        with closing(open_producer(self._bootstrap, linger_ms=20, batch_size=1 << 18)) as producer:
            sent = [
                producer.send(
                    INTAKE_TOPIC,
                    partition=record.partition % partitions,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                )
                for records in self._records.values()
                for record in records
            ]
            for one in sent:
                one.get(timeout=60)
