"""Whether what a worker wrote still stands where it did, on the real brokers."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from faust.types.tuples import TP
from kafka import KafkaProducer

from deploy.brokers import Broker, create_topics
from hotline.accept import Accepted
from hotline.contributions import Changes
from hotline.marks import Mark
from hotline.names import EVENTS_TOPICS, MEASURED_TOPICS
from hotline.settings import load
from hotline.subjects import CALLS
from streams import same_log
from streams.measure import agent
from tests.streams.rolled import changes, output
from tests.streams.test_measure_waiting import line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class EndedError(Exception):
    """The process would have ended."""


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
    for offset, output_id in ((0, 7), (5, 0)):
        asyncio.run(same_log.end_if_output_gone(broker.bootstrap, at, offset, output_id))
    assert not ended
    for offset, output_id in ((0, 8), (1, 7), (2, 7)):
        asyncio.run(same_log.end_if_output_gone(broker.bootstrap, at, offset, output_id))
    assert [f"offset {offset} is gone" in why for offset, why in enumerate(ended)] == [True] * 3


def test_a_line_ends_whose_last_output_is_gone_before_the_sink_came_to_it(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(why: str) -> None:
        raise EndedError(why)

    monkeypatch.setattr(same_log, "end_process", end)
    monkeypatch.setattr(agent, "LOOK_EVERY_S", 0.1)
    monkeypatch.setenv("HOTLINE_BOOTSTRAP", broker.bootstrap)
    create_topics(broker.bootstrap, {MEASURED_TOPICS["calls"]: 2})
    tp = TP(EVENTS_TOPICS["calls"], 1)
    measure = agent.Measure(load(tmp_path)[0])
    lost = measure._lines[tp] = line(tp)
    lost.next_output = 100
    lost.accepted = Accepted(log=1, offset=4, output_id=7)

    lost.sent(1)
    with pytest.raises(EndedError, match="offset 100 is gone"):
        asyncio.run(asyncio.wait_for(measure._watch_outputs(), 60))


def test_a_line_ends_when_the_mark_names_another_output_than_it_accepted_there(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(agent, "end_process", ended.append)
    tp = TP(EVENTS_TOPICS["calls"], 0)
    written = line(tp)
    for output_id in (7, 8, 9):
        written.accepted = Accepted(log=1, output_id=output_id)
        written.sent(1)
    for position, named in ((0, 6), (1, 7), (1, 8), (2, 0)):  # before it began; its own; not looked at twice; not known
        agent._end_if_refuted(written, Mark(log=1, position=position, accepted=Accepted(log=1, output_id=named)))
    assert not ended
    assert written.unconfirmed.first == 3
    agent._end_if_refuted(written, Mark(log=1, position=3, accepted=Accepted(log=1, output_id=8)))
    assert "of the outputs before 3 the sink accepted another one last" in ended[0]
    assert not written.unconfirmed
