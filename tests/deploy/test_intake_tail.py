"""What stands at the end of the intake's topic is kept over a new log, as it came."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.brokers import EmbeddedBroker
from deploy.stack.intake_tail import IntakeTail
from deploy.stack.preparing import make_topics
from hotline.names import INTAKE_TOPIC
from hotline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 2
HEADERS = [("pseudonymised", b"yes")]


def write(broker: EmbeddedBroker, values: list[bytes]) -> None:
    """Write values in turn to both partitions, acknowledged."""
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=False)) as producer:
        sent = [
            producer.send(INTAKE_TOPIC, partition=number % PARTITIONS, value=value, headers=HEADERS)
            for number, value in enumerate(values)
        ]
        for one in sent:
            one.get(30)


def held(broker: EmbeddedBroker) -> list[Any]:
    """Read everything in the topic."""
    places = [TopicPartition(INTAKE_TOPIC, number) for number in range(PARTITIONS)]
    with closing(
        KafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False, auto_offset_reset="none")
    ) as reader:
        reader.assign(places)
        for place in places:
            reader.seek(place, 0)
        found: list[Any] = []
        while any(reader.highwater(at) is None or reader.position(at) < reader.highwater(at) for at in places):
            found += [record for records in reader.poll(200).values() for record in records]
        return found


def test_what_is_not_yet_stored_is_kept_over_the_death_of_the_broker_as_it_came(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        settings = Settings(data=tmp_path, bootstrap=broker.bootstrap, partitions=PARTITIONS)
        make_topics(settings)
        write(broker, [b"stored %d" % number for number in range(4)])
        tail = IntakeTail(broker.bootstrap, {0: 0, 1: 0})
        tail.read_on()
        assert len(tail) == 4
        tail.forget_before({0: 2, 1: 2})
        assert not tail
        late = [b"under way %d" % number for number in range(3000)]
        write(broker, late)
        tail.read_on(then=broker.kill)
        assert not broker.alive()
        assert tail.bytes == sum(map(len, late))
        broker.start()
        make_topics(settings)
        tail.send_again(PARTITIONS)
        found = held(broker)
        assert sorted(record.value for record in found) == sorted(late)
        assert {record.partition for record in found} == {0, 1}
        assert all(list(record.headers) == HEADERS for record in found)


def test_events_that_came_before_the_topics_were_made_are_in_them_afterwards(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        write(broker, [b"early 0", b"early 1", b"early 2"])
        make_topics(Settings(data=tmp_path, bootstrap=broker.bootstrap, partitions=PARTITIONS))
        assert sorted(record.value for record in held(broker)) == [b"early 0", b"early 1", b"early 2"]
