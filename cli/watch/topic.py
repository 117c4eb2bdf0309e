"""The topic of live values as a latecomer reads it: from the last full record on, without a group."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from deploy.ports import answers
from hotline.live import Live, decode
from hotline.names import CONTENT_TYPE, KPIS_TOPIC, LIVE, RECORD_BYTES_MAX

ANSWER_WITHIN_S = 10.0
BACK_RECORDS = 16
"""A full record is published each second, up to four others between: this finds one at the first try."""
_POLL_MS = 200


class NoTopicError(Exception):
    """The broker has no topic of live values yet."""


class NewLogError(Exception):
    """The topic began anew: its end lies before the position that is due."""


class NoAnswerError(Exception):
    """Nobody answers at the broker's address, or not any more."""


@dataclass(frozen=True)
class Taken:
    """A record of the topic: where it stands, when it was written (epoch seconds), and whether it was new to us."""

    offset: int
    written_at_s: float
    live: Live
    fresh: bool
    """It came after we had reached the end of the topic."""


class KpisTopic:
    """The one partition of the topic, read on from the last full record. Errors are KafkaErrors."""

    def __init__(self, consumer: Any, topic: str = KPIS_TOPIC) -> None:
        from kafka import TopicPartition

        self._consumer = consumer
        self._at = TopicPartition(topic, 0)
        consumer.assign([self._at])
        self._next = -1
        self._end = 0
        self._begin = int(consumer.beginning_offsets([self._at])[self._at])
        self._end = self._high_water()
        self._due = self._last_full()

    @property
    def has_values(self) -> bool:
        """Whether records that were there before us are still to be read."""
        return self._due < self._end

    def poll(self, timeout_s: float) -> list[Taken]:
        """The next records; none when none came in time. Raises NewLogError when the topic began anew."""
        from kafka.errors import OffsetOutOfRangeError

        try:
            found = self._fetched(self._due, int(timeout_s * 1000))
        except OffsetOutOfRangeError as error:
            raise NewLogError(f"offset {self._due} is not there") from error
        end = self._consumer.highwater(self._at)
        if not found and end is not None and end < self._due:  # all that the embedded broker tells of it
            raise NewLogError(f"offset {self._due} is not there: the end is {end}")
        self._due = self._next
        return [taken for record in found if (taken := self._taken(record))]

    def one(self, offset: int) -> Taken | None:
        """The record at an offset, None when it is not there any more."""
        if not self._begin <= offset < max(self._end, self._due):
            return None
        return next(self._range(offset, offset + 1), None)

    def _high_water(self) -> int:
        """Read from the answer to a fetch: the latest offset by ListOffsets is too low on the embedded broker."""
        latest = int(self._consumer.end_offsets([self._at])[self._at])
        with _within("no answer to a fetch of the live values") as in_time:
            while self._consumer.highwater(self._at) is None and in_time():
                self._fetched(latest, _POLL_MS)
        return int(self._consumer.highwater(self._at))

    def _last_full(self) -> int:
        """Offset of the last full record, the end when there is none; looked for from the end back."""
        back = BACK_RECORDS
        while True:
            start = max(self._begin, self._end - back)
            full = [taken.offset for taken in self._range(start, self._end) if taken.live.full]
            if full or start == self._begin:
                return full[-1] if full else self._end
            back *= 4

    def _range(self, start: int, end: int) -> Iterator[Taken]:
        with _within(f"records {start} to {end} of the live values did not come") as in_time:
            while start < end and in_time():
                for record in self._fetched(start, _POLL_MS):
                    if record.offset < end and (taken := self._taken(record)):
                        yield taken
                start = self._next

    def _fetched(self, start: int, timeout_ms: int) -> list[Any]:
        """The next records from `start` on; what follows them is `_next`."""
        if start != self._next:
            self._consumer.seek(self._at, start)
        found: list[Any] = self._consumer.poll(timeout_ms=timeout_ms).get(self._at, [])
        self._next = found[-1].offset + 1 if found else start
        return found

    def _taken(self, record: Any) -> Taken | None:
        """A record that this version can read; of another it says nothing and leaves it out."""
        if (CONTENT_TYPE, LIVE) not in record.headers:
            return None
        try:
            live = decode(record.value)
        except msgspec.DecodeError:
            return None
        return Taken(record.offset, record.timestamp / 1000, live, record.offset >= self._end)


@contextmanager
def joined(bootstrap: str, topic: str = KPIS_TOPIC) -> Iterator[KpisTopic]:
    """Join the topic for the duration of the block.

    Raises NoAnswerError, NoTopicError, or a KafkaError when the broker goes away meanwhile.
    """
    from kafka import KafkaConsumer

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # the board says itself that a broker is away
    if not broker_there(bootstrap):
        raise NoAnswerError(bootstrap)
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        allow_auto_create_topics=False,
        reconnect_backoff_max_ms=1000,
        max_partition_fetch_bytes=RECORD_BYTES_MAX,
    )
    with closing(consumer):
        if topic not in consumer.topics():  # lists only: to ask for one that is missing makes it on some brokers
            raise NoTopicError(bootstrap)
        yield KpisTopic(consumer, topic)


def broker_there(bootstrap: str) -> bool:
    """Whether somebody listens at one of the addresses: kafka-python itself does not tell that its broker is away."""
    hosts = [address.strip().rpartition(":") for address in bootstrap.split(",")]
    return any(answers(host.strip("[]"), int(port)) for host, _, port in hosts)


@contextmanager
def _within(what: str) -> Iterator[Any]:
    from kafka.errors import KafkaTimeoutError

    deadline = time.monotonic() + ANSWER_WITHIN_S

    def in_time() -> bool:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(what)
        return True

    yield in_time
