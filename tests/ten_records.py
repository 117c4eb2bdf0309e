"""A log of a measured topic to cut: ten records in its one partition."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from kafka import KafkaProducer

from deploy.brokers import create_topics

if TYPE_CHECKING:
    from deploy.brokers import Broker


def ten_records(broker: Broker) -> str:
    """Make the topic and fill it; gives its name, which is of no other test."""
    topic = f"measured-{uuid.uuid4().hex[:8]}"
    create_topics(broker.bootstrap, {topic: 1})
    with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for _ in range(10):
            producer.send(topic, b"x", partition=0)
        producer.flush()
    return topic
