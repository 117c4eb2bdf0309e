"""A broker that just began empty is made usable, whoever came to it first."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from kafka import KafkaProducer

from deploy.brokers import Broker, EmbeddedBroker, open_admin
from deploy.stack.preparing import TOPICS, make_topics
from hotline.names import EVENTS_TOPICS, KEPT_TOPICS
from hotline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

CALLS = EVENTS_TOPICS["calls"]
PARTITIONS = 2


def shapes(broker: Broker) -> dict[str, int]:
    """Count the partitions of each topic."""
    with open_admin(broker.bootstrap) as admin:
        return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(admin.list_topics()))}


def test_topics_that_a_writer_made_before_their_maker_came_are_made_anew(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        settings = Settings(data=tmp_path, bootstrap=broker.bootstrap, partitions=PARTITIONS)
        with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=False)) as hasty:
            hasty.send(CALLS, value=b"too early", partition=0).get(30)
            assert shapes(broker)[CALLS] != PARTITIONS
            make_topics(settings)
            assert shapes(broker) == dict.fromkeys(TOPICS, PARTITIONS) | dict.fromkeys(KEPT_TOPICS, 1)
            assert hasty.send(CALLS, value=b"in time", partition=1).get(30).offset == 0
        make_topics(settings)
        with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=False)) as later:
            assert later.send(CALLS, value=b"nothing was lost", partition=1).get(30).offset == 1
