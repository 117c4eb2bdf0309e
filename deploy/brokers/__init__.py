"""Brokers: Apache Kafka and the embedded one, behind one interface, with their differences in one table."""

from deploy.brokers.admin import BrokerError, open_admin
from deploy.brokers.broker import Broker
from deploy.brokers.embedded import EmbeddedBroker
from deploy.brokers.kafka import RECORD_BYTES_MAX, KafkaBroker
from deploy.brokers.kafka_jars import KAFKA_VERSION, install_kafka
from deploy.brokers.profile import DIFFERENCES, EMBEDDED, KAFKA, BrokerName, Difference, Profile
from deploy.brokers.topics import MisshapenTopicError, create_topics, delete_misshapen_topics, delete_topics

BROKERS: dict[BrokerName, type[Broker]] = {"kafka": KafkaBroker, "embedded": EmbeddedBroker}

__all__ = [
    "BROKERS",
    "DIFFERENCES",
    "EMBEDDED",
    "KAFKA",
    "KAFKA_VERSION",
    "RECORD_BYTES_MAX",
    "Broker",
    "BrokerError",
    "BrokerName",
    "Difference",
    "EmbeddedBroker",
    "KafkaBroker",
    "MisshapenTopicError",
    "Profile",
    "create_topics",
    "delete_misshapen_topics",
    "delete_topics",
    "install_kafka",
    "open_admin",
]
