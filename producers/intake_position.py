"""What became of single events: forwarded by intake, stored by the sink, or set aside."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from hotline.marks import MARKS_SQL, Mark, log_number, marks
from hotline.names import (
    DATABASE,
    DEAD_LETTERS_TABLE,
    EVENTS_TOPICS,
    INTAKE_TOPIC,
    MEASURED_TOPICS,
    intake_group,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Place = tuple[str, int]
"""Topic and partition."""

ANSWER_WITHIN_S = 10.0
_DEAD = f"""
SELECT toInt64OrZero(substring(origin, length({{prefix:String}}) + 1)) AS at, any(reason)
FROM {DATABASE}.{DEAD_LETTERS_TABLE}
WHERE startsWith(origin, {{prefix:String}}) AND at BETWEEN {{first:Int64}} AND {{last:Int64}}
GROUP BY at
"""  # noqa: S608 names of ours
_TIMES: dict[str, Any] = {
    "reconnect_backoff_max_ms": 1000,
    "request_timeout_ms": 15_000,
    "enable_auto_commit": False,
    "allow_auto_create_topics": False,
}


def forwarded(bootstrap: str, log: int, partitions: Collection[int]) -> dict[int, int]:
    """The offset of `INTAKE_TOPIC` before which all events are acknowledged as blocks, by partition.

    Raises a KafkaError when the broker does not answer.
    """
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=intake_group(log), **_TIMES)
    try:
        return {number: consumer.committed(TopicPartition(INTAKE_TOPIC, number)) or 0 for number in partitions}
    finally:
        consumer.close(autocommit=False)


def ends_of_events(bootstrap: str, partitions: Collection[int]) -> dict[Place, int]:
    """Where the topics of events end now: whatever was acknowledged before lies below. Raises a KafkaError.

    Read from the answer to a fetch: the latest offset by ListOffsets is too low on the embedded broker, which, without
    time to wait, answers nothing.
    """
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaTimeoutError

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, fetch_max_wait_ms=1, **_TIMES)
    try:
        places = [TopicPartition(topic, number) for topic in EVENTS_TOPICS.values() for number in partitions]
        consumer.assign(places)
        for place, latest in consumer.end_offsets(places).items():
            consumer.seek(place, latest)
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while any(consumer.highwater(place) is None for place in places):
            consumer.poll(timeout_ms=100)
            if time.monotonic() > deadline:
                raise KafkaTimeoutError("no answer to a fetch of the topics of events")
        return {(place.topic, place.partition): int(consumer.highwater(place)) for place in places}
    finally:
        consumer.close(autocommit=False)


def all_stored(client: Client, logs: Mapping[str, int], ends: Mapping[Place, int]) -> bool:
    """Whether the sink has stored what the topics of events held up to these ends."""
    stored = marks(client.query(MARKS_SQL).result_rows)
    for subject, topic in EVENTS_TOPICS.items():
        log = log_number(dict(logs), topic)
        for (of, partition), end in ends.items():
            mark = stored.get((MEASURED_TOPICS[subject], partition), Mark())
            done = mark.accepted.next_offset if mark.accepted.log == log else 0
            if of == topic and done < end:
                return False
    return True


def dead_reasons(client: Client, log: int, offsets: Mapping[int, Collection[int]]) -> dict[str, int]:
    """How many of these records of `INTAKE_TOPIC` (offsets by partition) became dead letters, by reason."""
    found: dict[str, int] = {}
    for partition, mine in offsets.items():
        asked = {"prefix": f"{INTAKE_TOPIC}/{partition}/{log}/", "first": min(mine), "last": max(mine)}
        for offset, reason in client.query(_DEAD, parameters=asked).result_rows:
            if offset in mine:
                found[str(reason)] = found.get(str(reason), 0) + 1
    return found
