"""What a worker over the safe transport promises, on the real brokers."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError, NotCoordinatorError

from deploy.brokers import Broker, EmbeddedBroker, KafkaBroker, create_topics, open_admin
from deploy.ports import free_port
from hotline.ends import EXIT_HOLE, EXIT_UNEXPECTED
from hotline.names import RECORD_BYTES_MAX
from streams import handling
from streams.app import make_app
from streams.handling import send, send_alone
from tests.faults.proxy import BehindALine, Proxy

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from faust.types.tuples import TP

    from deploy.processes import Child
    from tests.streams.echoes import Echoes, MakeEchoes

KILLED = -9


def has_said(worker: Child, words: str) -> bool:
    return words in worker.log_tail(200)


def test_each_input_has_one_output_in_order_after_six_kills(echoes: Echoes) -> None:
    echoes.produce(600)
    moments = random.Random(12345)
    after_kill = []
    for kill in range(6):
        worker = echoes.start(work_s=0.005)
        if kill % 3:  # two of three while it works, the others wherever it is in its start
            echoes.wait_until(lambda at=worker: has_said(at, "first"), "first record")  # type: ignore[misc]
        time.sleep(moments.uniform(0.0, 0.4))
        worker.kill()
        assert worker.exit_code == KILLED
        after_kill.append(echoes.written())
    assert 0 < after_kill[-1] < 600, after_kill
    echoes.start()
    echoes.wait_for(600)
    assert echoes.outputs() == echoes.once_in_order(600)


def test_an_exception_in_the_handler_ends_the_process_and_loses_nothing(echoes: Echoes) -> None:
    echoes.produce(60)
    failed = echoes.start(fail_at=7)
    assert failed.wait(30) == EXIT_UNEXPECTED
    assert has_said(failed, "RuntimeError: told to fail at 7")
    assert 7 not in echoes.outputs()[0]
    echoes.start(fail_at=7)
    echoes.wait_for(60)
    assert echoes.outputs() == echoes.once_in_order(60)


def test_sigterm_ends_a_worker_whose_handler_would_wait_for_ever(echoes: Echoes, tmp_path: Path) -> None:
    echoes.produce(30)
    worker = echoes.start(pause_until=str(tmp_path / "never"))
    echoes.wait_until(lambda: has_said(worker, "first"), "first record")
    assert worker.stop(grace_s=10) == 0
    assert echoes.written() == 0
    echoes.start()
    echoes.wait_for(30)
    assert echoes.outputs() == echoes.once_in_order(30)


def test_a_handler_may_pause_while_every_buffer_is_full(echoes: Echoes, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    echoes.produce(600)
    worker = echoes.start(pause_until=str(go_on))
    echoes.wait_until(lambda: has_said(worker, "first"), "first record")
    time.sleep(3)  # longer than any of Faust's own waits for records
    assert echoes.written() == 0
    go_on.touch()
    echoes.wait_for(600)
    assert echoes.outputs() == echoes.once_in_order(600)


def test_two_workers_own_disjoint_partitions(echoes: Echoes) -> None:
    echoes.produce(90)
    echoes.start(owned=[0, 2], datadir=str(echoes.folder / "one"))
    echoes.wait_for(60)
    assert {p: len(offsets) for p, offsets in echoes.outputs().items()} == {0: 30, 1: 0, 2: 30}
    echoes.start(owned=[1], datadir=str(echoes.folder / "two"))
    echoes.wait_for(90)
    assert echoes.outputs() == echoes.once_in_order(90)


def test_manual_assignment_leaves_no_group_behind(echoes: Echoes) -> None:
    echoes.produce(30)
    worker = echoes.start()
    echoes.wait_for(30)
    time.sleep(1)  # two commit intervals
    assert worker.stop() == 0
    assert committed(echoes) == {}
    with open_admin(echoes.broker.bootstrap) as admin:
        assert not [group for group in admin.list_groups() if echoes.source in str(group)]


def test_a_static_group_commits_and_its_next_member_goes_on(make_echoes: MakeEchoes, kafka_broker: KafkaBroker) -> None:
    echoes = make_echoes(kafka_broker)
    echoes.produce(30)
    worker = echoes.start(assignment="static", instance="worker-0")
    echoes.wait_for(30)
    echoes.wait_until(lambda: sum(committed(echoes).values()) == 30, "commit of all")
    worker.kill()
    echoes.produce(30)
    echoes.start(assignment="static", instance="worker-0")
    echoes.wait_for(60)
    assert echoes.outputs() == {p: [*range(10), *range(10, 20)] for p in range(3)}


def test_a_second_static_member_takes_partitions_over_and_nothing_is_lost(
    make_echoes: MakeEchoes, kafka_broker: KafkaBroker
) -> None:
    echoes = make_echoes(kafka_broker)
    echoes.produce(300)
    first = echoes.start(assignment="static", instance="worker-0", work_s=0.03)
    echoes.wait_for(30)
    second = echoes.start(assignment="static", instance="worker-1", datadir=str(echoes.folder / "second"), work_s=0.03)
    echoes.wait_until(lambda: has_said(second, "first"), "record at the second member")
    echoes.wait_until(
        lambda: all(set(offsets) == set(range(100)) for offsets in echoes.outputs().values()), "output for each input"
    )
    assert first.alive()


def committed(echoes: Echoes) -> dict[int, int]:
    """Return the offsets that the worker's group committed, by partition."""
    group = f"echo-{echoes.source}"
    with open_admin(echoes.broker.bootstrap) as admin:
        while True:
            try:
                offsets = admin.list_group_offsets({group: None})[group]
                break
            except (CoordinatorNotAvailableError, NotCoordinatorError):  # the first question makes the broker prepare
                time.sleep(0.1)
    return {tp.partition: at.offset for tp, at in offsets.items() if at.offset >= 0}


def test_a_hole_ends_the_process_before_the_record_behind_it(
    make_echoes: MakeEchoes, kafka_broker: KafkaBroker
) -> None:
    echoes = make_echoes(kafka_broker, 1)
    with KafkaProducer(bootstrap_servers=kafka_broker.bootstrap, transactional_id=echoes.source) as producer:
        producer.init_transactions()
        for value in (b"a", b"b"):  # the end of a transaction takes an offset, which no reader gets to see
            producer.begin_transaction()
            producer.send(echoes.source, value=value, partition=0)
            producer.commit_transaction()
    worker = echoes.start()
    assert worker.wait(30) == EXIT_HOLE
    assert has_said(worker, "offset 1 is due, 2 came")
    assert echoes.outputs()[0] in ([], [0])


def test_records_that_retention_took_unread_end_the_process(make_echoes: MakeEchoes, kafka_broker: KafkaBroker) -> None:
    echoes = make_echoes(kafka_broker, 1)
    echoes.produce(10)
    with open_admin(kafka_broker.bootstrap) as admin:
        admin.delete_records({TopicPartition(echoes.source, 0): 4})
    worker = echoes.start(start_at=1)
    assert worker.wait(30) == EXIT_UNEXPECTED
    assert has_said(worker, "records 1 to 3 are gone")


def test_a_mark_beyond_the_end_of_the_log_ends_the_process(echoes: Echoes) -> None:
    echoes.produce(30)
    worker = echoes.start(start_at=1000)
    assert worker.wait(30) == EXIT_UNEXPECTED
    assert has_said(worker, "1000")
    assert echoes.written() == 0


def test_a_missing_topic_or_partition_is_named_and_not_created(echoes: Echoes) -> None:
    worker = echoes.start(source="nowhere", start_at=0)
    assert worker.wait(30) == EXIT_UNEXPECTED
    assert has_said(worker, "topic 'nowhere' has no partitions [0]")
    worker = echoes.start(owned=[0, 3], start_at=0)
    assert worker.wait(30) == EXIT_UNEXPECTED
    assert has_said(worker, "has no partitions [3] (it has [0, 1, 2])")
    with open_admin(echoes.broker.bootstrap) as admin:
        assert "nowhere" not in admin.list_topics()


def test_a_worker_without_a_broker_ends_and_says_what_to_check(
    make_echoes: MakeEchoes, embedded_broker: EmbeddedBroker
) -> None:
    worker = make_echoes(embedded_broker).start(bootstrap="127.0.0.1:1", start_at=0)
    assert worker.wait(30) == EXIT_UNEXPECTED
    assert has_said(worker, "is the broker up?")


def test_a_kafka_restart_under_a_running_worker_loses_nothing(make_echoes: MakeEchoes, tmp_path: Path) -> None:
    with KafkaBroker(tmp_path / "kafka") as broker:
        echoes = make_echoes(broker)
        echoes.produce(150)
        worker = echoes.start(work_s=0.01)
        echoes.wait_for(20)
        pid = worker.pid
        broker.stop()
        echoes.wait_until(lambda: has_said(worker, "broker away since"), "word of the absence")
        broker.start()
        echoes.produce(150)
        echoes.wait_for(300)
        assert worker.pid == pid
        outputs = echoes.outputs()
        assert {p: sorted(set(offsets)) for p, offsets in outputs.items()} == {p: list(range(100)) for p in range(3)}
        assert outputs == {p: list(range(100)) for p in range(3)}
        assert has_said(worker, "reconnected")
        echoes.wait_until(lambda: has_said(worker, "broker back after"), "word of the broker")
        assert len(worker.log_tail(10_000).splitlines()) < 200


def test_a_record_that_was_written_and_whose_answer_never_comes_is_sent_again_and_stands_there_once(
    make_echoes: MakeEchoes, tmp_path: Path
) -> None:
    broker = BehindALine(tmp_path / "kafka")
    broker.advertised_port = free_port()
    with Proxy(broker.port, broker.advertised_port) as line, broker:
        echoes = make_echoes(broker)
        echoes.produce(90)
        worker = echoes.start(work_s=0.02, patience_s=2.0)
        echoes.wait_for(10)
        pid = worker.pid
        line.mute(3)
        assert line.bites, "it gave connections up itself"
        echoes.wait_for(90)
        assert has_said(worker, "Got error produce response: [Error 7] RequestTimedOutError")
        assert (worker.pid, worker.alive()) == (pid, True)
        assert echoes.outputs() == echoes.once_in_order(90)


def test_a_broker_that_forgets_ends_its_workers(make_echoes: MakeEchoes, tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "embedded") as broker:
        echoes = make_echoes(broker)
        echoes.produce(30)
        worker = echoes.start(log_survives=False)
        echoes.wait_for(30)
        broker.stop()
        broker.start()
        assert worker.wait(30) == EXIT_UNEXPECTED
        assert has_said(worker, "begins a new log")


def test_another_log_behind_the_same_address_is_noticed_at_the_reconnection(
    make_echoes: MakeEchoes, tmp_path: Path
) -> None:
    with EmbeddedBroker(tmp_path / "embedded") as broker:
        echoes = make_echoes(broker)
        echoes.produce(30)
        worker = echoes.start()
        echoes.wait_for(30)
        broker.stop()
        broker.start()
        create_topics(broker.bootstrap, {echoes.source: 3, echoes.target: 3})
        echoes.produce(3)
        assert worker.wait(30) == EXIT_UNEXPECTED
        assert has_said(worker, "another log")
        assert echoes.written() == 0


def test_a_record_that_lands_behind_somebody_elses_ends_its_writer(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(handling, "end_process", ended.append)
    topic = f"outputs-{uuid.uuid4().hex[:8]}"
    create_topics(broker.bootstrap, {topic: 1})

    async def no_marks(partitions: Collection[TP]) -> dict[TP, int]:
        return {}

    async def write(due: int | None) -> int:
        return await send_alone(app, topic=topic, partition=0, value=b"mine", headers=[], due=due)

    async def run() -> list[int]:
        async with app.producer:
            mine = [await write(None), await write(1)]
            with KafkaProducer(bootstrap_servers=broker.bootstrap) as stranger:
                stranger.send(topic, value=b"another's", partition=0).get(30)
            assert not ended
            return [*mine, await write(2)]

    app = make_app(
        "alone",
        bootstrap=broker.bootstrap,
        source_topics=[topic],
        partitions_owned=None,
        resume_from=no_marks,
        datadir=tmp_path,
        idempotent=broker.profile.name == "kafka",
    )
    assert asyncio.run(run()) == [0, 1, 3]
    assert [
        f"{topic}/0: a record went to offset 3 instead of 2: another worker writes here" in why for why in ended
    ] == [True]


def test_a_value_too_large_for_a_record_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    async def no_marks(partitions: Collection[TP]) -> dict[TP, int]:
        return {}

    app = make_app(
        "large",
        bootstrap="127.0.0.1:1",
        source_topics=["in"],
        partitions_owned=None,
        resume_from=no_marks,
        datadir=tmp_path,
        idempotent=False,
    )
    with pytest.raises(ValueError, match=f"{RECORD_BYTES_MAX} bytes for out/3: {RECORD_BYTES_MAX} is the most"):
        asyncio.run(send(app, topic="out", partition=3, value=bytes(RECORD_BYTES_MAX), headers=[]))
