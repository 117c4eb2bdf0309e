"""Whether the logs are still the ones they were: the record at each mark is read again.

A durable broker keeps its cluster's id when it loses the tail of a log, and when a topic is made again; the offsets go
on, and what stands at them is something else. Who sees that gives the topic the next log number, as if its broker had
started empty: everybody reads it from its start, and what is known counts as seen.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kafka import TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from hotline.marks import digest_of
from hotline.names import BLOCK_ID, EVENTS_TOPICS, MEASURED_TOPICS, block_id
from sinks.writer.reader import open_consumer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotline.marks import Mark, Partition

ANSWER_WITHIN_S = 30.0
_INPUTS = {MEASURED_TOPICS[subject]: topic for subject, topic in EVENTS_TOPICS.items()}


def forked(bootstrap: str, marks: Mapping[Partition, Mark], logs: Mapping[str, int]) -> list[str]:
    """Topics of events, outputs and current values in which another record stands where a mark says one was, or none.

    What retention took cannot be compared and passes. Raises KafkaError when the broker does not answer.
    """
    outputs = {at: mark for at, mark in marks.items() if mark.log == logs.get(at[0])}
    inputs = {at: mark for at, mark in marks.items() if _has_input(at, mark, logs)}
    if not outputs and not inputs:
        return []
    with closing(open_consumer(bootstrap)) as consumer:
        found = {at[0] for at, mark in outputs.items() if not _agrees_output(consumer, at, mark)}
        found |= {_INPUTS[at[0]] for at, mark in inputs.items() if not _agrees_input(consumer, at, mark)}
    return sorted(found)


def _has_input(at: Partition, mark: Mark, logs: Mapping[str, int]) -> bool:
    return at[0] in _INPUTS and mark.accepted.offset >= 0 and mark.accepted.log == logs.get(_INPUTS[at[0]])


def _agrees_output(consumer: Any, at: Partition, mark: Mark) -> bool:
    if not mark.digest or not mark.position:
        return True
    found, record = _record(consumer, at, mark.position - 1)
    return found is None or (record is not None and digest_of(record.value or b"") == mark.digest)


def _agrees_input(consumer: Any, at: Partition, mark: Mark) -> bool:
    accepted, topic = mark.accepted, _INPUTS[at[0]]
    found, record = _record(consumer, (topic, at[1]), accepted.offset)
    if found is None or not accepted.block_id:
        return True
    known = record and block_id(dict(record.headers).get(BLOCK_ID), topic, at[1], record.offset)
    return bool(known == accepted.block_id)


def _record(consumer: Any, at: Partition, offset: int) -> tuple[bool | None, Any]:
    """The record at an offset: (True, it), (False, None) when the log does not reach so far, (None, None) when gone."""
    partition = TopicPartition(*at)
    if consumer.beginning_offsets([partition])[partition] > offset:
        return None, None
    consumer.assign([partition])
    consumer.seek(partition, offset)
    until = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < until:
        try:
            records = consumer.poll(timeout_ms=200, max_records=1).get(partition, [])
        except OffsetOutOfRangeError:
            return False, None
        except UnicodeError:  # a stranger's header that this client cannot read, and measure can: nothing to compare
            return None, None
        if records:
            return (True, records[0]) if records[0].offset == offset else (False, None)
        end = consumer.highwater(partition)
        if end is not None and end <= offset:
            return False, None
    raise KafkaError(f"{at[0]}[{at[1]}]: offset {offset} was not answered within {ANSWER_WITHIN_S:.0f} s")
