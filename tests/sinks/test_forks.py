"""Whether a log is the one it was, by the records at its marks, on the real brokers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer, TopicPartition

from deploy.brokers import create_topics, open_admin
from hotline.accept import Accepted
from hotline.marks import Mark, digest_of
from hotline.names import BLOCK_ID
from sinks.writer import forks

if TYPE_CHECKING:
    from deploy.brokers import Broker, KafkaBroker
    from hotline.marks import Partition

RECORDS = 3
LOGS = 7
"""The number of both logs."""


@pytest.fixture
def topics(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Events and outputs of one subject: three blocks and three outputs in the first of two partitions."""
    return written(broker, monkeypatch)


def written(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    events, outputs = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("events", "outputs"))
    monkeypatch.setattr(forks, "_INPUTS", {outputs: events})
    create_topics(broker.bootstrap, {events: 2, outputs: 2})
    with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for number in range(RECORDS):
            producer.send(events, value=b"events", partition=0, headers=[(BLOCK_ID, b"block %d" % number)])
            producer.send(outputs, value=b"output %d" % number, partition=0)
        producer.flush()
    return events, outputs


def asked(broker: Broker, topics: tuple[str, str], mark: Mark, *, partition: int = 0, log: int = LOGS) -> list[str]:
    """Which of the two are other logs, by one mark; as "events" and "outputs"."""
    marks: dict[Partition, Mark] = {(topics[1], partition): mark}
    found = forks.forked(broker.bootstrap, marks, dict.fromkeys(topics, log))
    return [name.partition("-")[0] for name in found]


def mark(*, position: int = 2, output: int = 1, offset: int = 1, block: str = "block 1") -> Mark:
    """What stood there: the output before `position`, and the block that was accepted last."""
    accepted = Accepted(log=LOGS, offset=offset, block_id=block)
    return Mark(log=LOGS, position=position, digest=digest_of(b"output %d" % output), accepted=accepted)


@pytest.mark.parametrize("place", range(RECORDS))
def test_records_that_are_those_of_the_marks_are_the_same_log(
    place: int, broker: Broker, topics: tuple[str, str]
) -> None:
    assert asked(broker, topics, mark(position=place + 1, output=place, offset=place, block=f"block {place}")) == []


def test_another_record_or_none_where_a_mark_says_one_was_is_another_log(
    broker: Broker, topics: tuple[str, str]
) -> None:
    """Each log by its own record: one that was replaced, one behind the end, and a partition that is empty now."""
    assert asked(broker, topics, mark(output=2)) == ["outputs"]
    assert asked(broker, topics, mark(position=RECORDS + 1, output=RECORDS)) == ["outputs"]
    assert asked(broker, topics, mark(block="block 2")) == ["events"]
    assert asked(broker, topics, mark(offset=RECORDS, block=f"block {RECORDS}")) == ["events"]
    assert asked(broker, topics, mark(output=0, block="block 0")) == ["events", "outputs"]
    assert asked(broker, topics, mark(), partition=1) == ["events", "outputs"]


def test_what_nobody_knows_of_a_log_says_nothing(broker: Broker, topics: tuple[str, str]) -> None:
    """Marks of older versions, which have neither digest nor id, and marks of a log that has another number by now."""
    unknown = Mark(log=LOGS, position=2, accepted=Accepted(log=LOGS, offset=1))
    assert asked(broker, topics, unknown) == []
    assert asked(broker, topics, mark(output=2, block="block 2"), log=LOGS + 1) == []
    assert asked(broker, topics, Mark()) == []


def test_what_retention_took_cannot_be_compared_and_passes(
    kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = written(kafka_broker, monkeypatch)
    other = mark(output=2, block="block 2")
    assert asked(kafka_broker, topics, other) == ["events", "outputs"]
    with open_admin(kafka_broker.bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, 0): 2 for topic in topics})
    assert asked(kafka_broker, topics, other) == []
