"""Tails and ranges of topics, on the real brokers."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
from faust.types.tuples import TP
from kafka import KafkaProducer, TopicPartition

from deploy.brokers import Broker, KafkaBroker, create_topics, open_admin
from streams.positions import PositionLostError, Record, read_range, tail
from streams.reading import partitions_of_worker


def topic_of(broker: Broker, values: Sequence[bytes]) -> str:
    """Make a topic of two partitions and write the values to the first of them, in one batch."""
    topic = f"range-{uuid.uuid4().hex[:8]}"
    create_topics(broker.bootstrap, {topic: 2})
    with KafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=200, batch_size=1 << 20) as producer:
        for value in values:
            producer.send(topic, value=value, partition=0, headers=[("n", value), ("n", b"again")])
        producer.flush()
    return topic


def records_from(broker: Broker, topic: str, partition: int, offset: int) -> list[Record]:
    async def read() -> list[Record]:
        return [record async for record in read_range(broker.bootstrap, topic, partition, offset)]

    return asyncio.run(read())


def test_the_tail_counts_all_records_of_a_batch_and_none_of_an_empty_partition(broker: Broker) -> None:
    topic = topic_of(broker, [b"%d" % i for i in range(50)])
    assert asyncio.run(tail(broker.bootstrap, topic, [0, 1])) == {TP(topic, 0): 50, TP(topic, 1): 0}


def test_a_range_begins_inside_a_batch_and_keeps_headers(broker: Broker) -> None:
    topic = topic_of(broker, [b"%d" % i for i in range(50)])
    records = records_from(broker, topic, 0, 47)
    assert [(record.offset, record.value) for record in records] == [(47, b"47"), (48, b"48"), (49, b"49")]
    assert records[0].headers == (("n", b"47"), ("n", b"again"))
    assert records[0].header("n") == b"47"
    assert records[0].header("other") is None


def test_a_range_holds_large_records(broker: Broker) -> None:
    topic = topic_of(broker, [])
    large = bytes(15 << 20)
    with KafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=16 << 20) as producer:
        for _ in range(3):
            producer.send(topic, value=large, partition=0)
        producer.flush()
    assert [record.value == large for record in records_from(broker, topic, 0, 0)] == [True] * 3


def test_a_range_from_the_very_end_is_empty_and_one_from_beyond_is_an_error(broker: Broker) -> None:
    topic = topic_of(broker, [b"a", b"b"])
    assert records_from(broker, topic, 0, 2) == []
    assert records_from(broker, topic, 1, 0) == []
    with pytest.raises(PositionLostError, match="holds offsets 0 to 2, not 3"):
        records_from(broker, topic, 0, 3)


def test_a_range_from_before_the_log_is_an_error(kafka_broker: KafkaBroker) -> None:
    topic = topic_of(kafka_broker, [b"%d" % i for i in range(10)])
    with open_admin(kafka_broker.bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, 0): 4})
    with pytest.raises(PositionLostError, match="holds offsets 4 to 10, not 3"):
        records_from(kafka_broker, topic, 0, 3)


def test_the_workers_shares_are_disjoint_and_cover_everything() -> None:
    shares = [partitions_of_worker(i, workers=4, partitions=6) for i in range(4)]
    assert shares == [{0, 4}, {1, 5}, {2}, {3}]
    with pytest.raises(ValueError, match="owns none of 2 partitions"):
        partitions_of_worker(2, workers=3, partitions=2)
    with pytest.raises(ValueError, match="does not exist"):
        partitions_of_worker(3, workers=3, partitions=6)
