"""A sink that retention overtook ends and says so: what is gone holds differences that nobody else has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from kafka import TopicPartition

from deploy.brokers import open_admin
from sinks.writer.reader import LogLostError, Reader
from tests.ten_records import ten_records

if TYPE_CHECKING:
    from deploy.brokers import KafkaBroker

POLLS_MAX = 100


def read(reader: Reader, wanted: int) -> list[int]:
    """Offsets of the next records."""
    found: list[int] = []
    for _ in range(POLLS_MAX):
        found += [record.offset for _, records in reader.poll(0.1) for record in records]
        if len(found) >= wanted:
            break
    return found


def test_a_position_that_retention_took_ends_the_reading(kafka_broker: KafkaBroker) -> None:
    topic = ten_records(kafka_broker)
    with open_admin(kafka_broker.bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, 0): 6})
    reader = Reader(kafka_broker.bootstrap, [topic], threading.Event(), on_trouble=lambda _: None)
    try:
        assert reader.open()
        reader.seek({(topic, 0): 6})
        assert read(reader, 4) == [6, 7, 8, 9]
        reader.seek({(topic, 0): 5})
        with pytest.raises(LogLostError, match="does not have the position"):
            read(reader, 1)
    finally:
        reader.close()
