"""Whether what a worker wrote still stands where it did, on the real brokers."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from faust.types.tuples import TP
from kafka import KafkaProducer

from deploy.brokers import Broker, create_topics
from hotline.contributions import Changes
from hotline.subjects import CALLS
from streams import same_log
from tests.streams.rolled import changes, output

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_an_output_that_its_log_lost_or_that_another_one_replaced_ends_its_writer(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(same_log, "end_process", ended.append)
    at = TP(f"outputs-{uuid.uuid4().hex[:8]}", 0)
    create_topics(broker.bootstrap, {at.topic: 1})
    pieces: Sequence[Changes] = changes(CALLS, "Asia/Shanghai", 0)
    with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        producer.send(at.topic, output(CALLS, pieces[0], 0, source=0, output_id=7).encode(), partition=0)
        producer.send(at.topic, b"no output", partition=0)
    for offset, output_id in ((0, 7), (0, 0), (5, 0)):
        asyncio.run(same_log.end_if_output_gone(broker.bootstrap, at, offset, output_id))
    assert not ended
    for offset, output_id in ((0, 8), (1, 7), (2, 7)):
        asyncio.run(same_log.end_if_output_gone(broker.bootstrap, at, offset, output_id))
    assert [f"offset {offset} is gone" in why for offset, why in enumerate(ended)] == [True] * 3
