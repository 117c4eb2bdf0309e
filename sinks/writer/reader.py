"""The broker as the sink reads it: all partitions of the measured topics, from its own positions, without a group."""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from hotline.names import RECORD_BYTES_MAX

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

    from hotline.marks import Partition

log = logging.getLogger("sinks.writer")

FETCH_BYTES_MAX = 64 << 20
RECORDS_A_POLL = 8
"""Few, so that a batch passes its bound by little: an output may have 8 MiB."""
RETRY_S = 0.5
PROBE_EVERY_S = 1.0


class LogLostError(RuntimeError):
    """A position is not in the log: retention overtook the sink, or this is another log under the same number."""


class Reader:
    """A consumer that waits for its broker. Not for several threads."""

    def __init__(
        self,
        bootstrap: str,
        topics: Iterable[str],
        stop: threading.Event,
        *,
        on_trouble: Callable[[str | None], None],
    ) -> None:
        """`on_trouble` hears when the broker is away, and None when it is back."""
        self._bootstrap = bootstrap
        self._topics = sorted(topics)
        self._stop = stop
        self._on_trouble = on_trouble
        self._away = False
        self._was_away = False
        self._probed_at = 0.0
        self._consumer: Any = None
        self.partitions: list[Partition] = []

    def open(self) -> bool:
        """Connect and wait until every topic is there; False when told to stop meanwhile."""
        while not self._stop.is_set():
            if self._reachable() and self._found():
                self._was_away = False
                return True
            self._stop.wait(RETRY_S)
        return False

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read each partition from its offset."""
        self._consumer.assign([TopicPartition(*at) for at in self.partitions])
        for at in self.partitions:
            self._consumer.seek(TopicPartition(*at), positions[at])

    def poll(self, timeout_s: float) -> list[tuple[Partition, list[Any]]]:
        """Return the next few records, in order within each partition; none when none came in time.

        After the broker was away nothing is handed on any more: its log may be another one. See `back`.

        Raises LogLostError for a position that the log does not have.
        """
        try:
            found = self._consumer.poll(timeout_ms=max(1, int(timeout_s * 1000)), max_records=RECORDS_A_POLL)
        except OffsetOutOfRangeError as error:
            raise LogLostError(f"the broker does not have the position the sink reads from: {error}") from error
        except KafkaError as error:
            self._say(f"{type(error).__name__}: {error}")
            self._stop.wait(RETRY_S)
            return []
        if self._was_away or not found:
            self._reachable()
        if self._was_away:
            return []
        return [((at.topic, at.partition), records) for at, records in found.items()]

    @property
    def back(self) -> bool:
        """Whether the broker was away and answers again: compare its logs with the marks, and open another reader."""
        return self._was_away and not self._away

    def begins(self, at: Partition) -> int:
        """Offset of the oldest record that a partition still has. Raises KafkaError."""
        partition = TopicPartition(*at)
        return int(self._consumer.beginning_offsets([partition])[partition])

    def ends(self) -> dict[Partition, int]:
        """High-water mark of each partition, as far as the broker has told it."""
        known = {at: self._consumer.highwater(TopicPartition(*at)) for at in self.partitions}
        return {at: end for at, end in known.items() if end is not None}

    def close(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _found(self) -> bool:
        """Whether all topics exist. Only lists: a question about a missing topic would make it on some brokers."""
        try:
            if self._consumer is None:
                self._consumer = open_consumer(self._bootstrap)
            there = self._consumer.topics()
            missing = [topic for topic in self._topics if topic not in there]
            if not missing:
                self.partitions = [(t, p) for t in self._topics for p in sorted(self._consumer.partitions_for_topic(t))]
        except (KafkaError, OSError) as error:
            self._say(f"{type(error).__name__}: {error}")
            return False
        self._say(f"the broker has no topics {missing}" if missing else None)
        return not missing

    def _reachable(self) -> bool:
        """Ask the port, at most once a second: kafka-python itself does not tell that its broker is away."""
        if time.monotonic() - self._probed_at < PROBE_EVERY_S:
            return not self._away
        self._probed_at = time.monotonic()
        reachable = any(_answers(address) for address in self._bootstrap.split(","))
        self._say(None if reachable else f"no broker answers at {self._bootstrap}")
        return reachable

    def _say(self, reason: str | None) -> None:
        """Tell of a change once."""
        if (reason is not None) != self._away:
            log.warning("%s", f"waiting for the broker: {reason}" if reason else "the broker is there again")
            self._on_trouble(reason)
        self._away = reason is not None
        self._was_away |= self._away


def open_consumer(bootstrap: str) -> Any:
    """Connect a consumer without a group that reads exactly where it is told to."""
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",  # any other value skips or repeats silently
        reconnect_backoff_max_ms=1000,
        max_partition_fetch_bytes=RECORD_BYTES_MAX,
        fetch_max_bytes=FETCH_BYTES_MAX,
        max_poll_records=RECORDS_A_POLL,
    )


def _answers(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except OSError:
        return False
    return True
