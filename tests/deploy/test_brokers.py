"""Both brokers do what the stack relies on, and differ as their table says."""

import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from deploy.brokers import (
    BROKERS,
    DIFFERENCES,
    EMBEDDED,
    KAFKA,
    KAFKA_VERSION,
    RECORD_BYTES_MAX,
    Broker,
    BrokerError,
    EmbeddedBroker,
    KafkaBroker,
    create_topics,
    delete_topics,
    install_kafka,
    open_admin,
)
from deploy.ports import free_port

Headers = list[tuple[str, bytes]]


@pytest.fixture(scope="class", params=["kafka", "embedded"])
def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give a broker that a class of tests may stop and kill; it may be down when a test begins."""
    own = BROKERS[request.param](tmp_path_factory.mktemp("own") / "数据 热线, é")
    yield own
    own.kill()


def topic_of(request: pytest.FixtureRequest) -> str:
    """Return a topic name of the test's own on a shared broker."""
    return f"{request.node.originalname}-{random.randbytes(4).hex()}"


def produce(
    broker: Broker, topic: str, values: list[bytes], *, partition: int = 0, headers: Headers | None = None
) -> None:
    options = {"linger_ms": 200, "reconnect_backoff_max_ms": 1000, "max_request_size": 2 * RECORD_BYTES_MAX}
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type="lz4", **options)) as producer:
        sent = [producer.send(topic, value=value, partition=partition, headers=headers or []) for value in values]
        for record in sent:
            record.get(timeout=30)


def consumer(broker: Broker) -> Any:
    return closing(
        KafkaConsumer(
            bootstrap_servers=broker.bootstrap,
            group_id=None,
            auto_offset_reset="none",
            enable_auto_commit=False,
            reconnect_backoff_max_ms=1000,
            max_partition_fetch_bytes=2 * RECORD_BYTES_MAX,
        )
    )


def read(broker: Broker, topic: str, *, count: int, partition: int = 0, offset: int = 0) -> list[Any]:
    """Read `count` records by assign and seek, or as many as come within 30 s."""
    with consumer(broker) as reader:
        here = TopicPartition(topic, partition)
        reader.assign([here])
        reader.seek(here, offset)
        found: list[Any] = []
        for _ in range(60):
            found += [record for records in reader.poll(500).values() for record in records]
            if len(found) >= count:
                break
        return found


def topics(broker: Broker) -> set[str]:
    with open_admin(broker.bootstrap) as admin:
        return set(admin.list_topics())


class TestRecords:
    def test_a_record_comes_back_from_its_partition_with_its_headers(
        self, broker: Broker, request: pytest.FixtureRequest
    ) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 3})
        headers = [("content-type", b"a"), ("source", b"1"), ("source", b"2")]
        for partition in range(3):
            produce(broker, topic, [b"first", b"p%d" % partition], partition=partition, headers=headers)
        for partition in range(3):
            (record,) = read(broker, topic, count=1, partition=partition, offset=1)
            assert (record.value, record.offset, list(record.headers)) == (b"p%d" % partition, 1, headers)

    def test_a_record_of_15_mb_comes_back_whole(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1})
        value = random.randbytes(15_000_000)  # lz4 cannot make it smaller
        produce(broker, topic, [value])
        assert [record.value == value for record in read(broker, topic, count=1)] == [True]


class TestTopics:
    def test_creating_topics_again_changes_nothing(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 2})
        produce(broker, topic, [b"kept"])
        create_topics(broker.bootstrap, {topic: 2, f"{topic}-more": 1})
        assert [record.value for record in read(broker, topic, count=1)] == [b"kept"]
        assert {topic, f"{topic}-more"} <= topics(broker)

    def test_another_number_of_partitions_is_an_error_that_names_both(
        self, broker: Broker, request: pytest.FixtureRequest
    ) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 2})
        with pytest.raises(BrokerError, match=f"{topic} has 2 partitions, not 5"):
            create_topics(broker.bootstrap, {f"{topic}-more": 1, topic: 5})

    def test_topics_are_kept_for_ever_and_take_large_records(
        self, broker: Broker, request: pytest.FixtureRequest
    ) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1})
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic)
        with open_admin(broker.bootstrap) as admin:
            settings = admin.describe_configs([wanted], config_filter="all")["topic"][topic]
        found = {name: settings[name]["value"] for name in ("retention.ms", "cleanup.policy", "max.message.bytes")}
        assert found == {"retention.ms": "-1", "cleanup.policy": "delete", "max.message.bytes": "20971520"}

    def test_deleted_topics_are_gone_and_begin_anew(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1, f"{topic}-stays": 1})
        produce(broker, topic, [b"old"])
        delete_topics(broker.bootstrap, [topic, f"{topic}-never-was"])
        assert topics(broker) & {topic, f"{topic}-stays", f"{topic}-never-was"} == {f"{topic}-stays"}
        create_topics(broker.bootstrap, {topic: 1})
        produce(broker, topic, [b"new"])
        assert [(record.offset, record.value) for record in read(broker, topic, count=1)] == [(0, b"new")]

    def test_a_name_that_cannot_be_is_an_error_that_says_so(self, kafka_broker: KafkaBroker) -> None:
        with pytest.raises(BrokerError, match="cannot create topic a b: InvalidTopicError"):
            create_topics(kafka_broker.bootstrap, {"a b": 1})

    def test_no_topics_are_no_work(self) -> None:
        create_topics("127.0.0.1:1", {})
        delete_topics("127.0.0.1:1", [])

    def test_a_broker_that_is_not_there_is_an_error_with_its_address(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        with pytest.raises(BrokerError, match=f"no Kafka broker answers at {address}: start it"):
            create_topics(address, {"x": 1})


class TestLifeCycle:
    def test_a_restart_keeps_or_loses_records_as_the_profile_says(self, own_broker: Broker) -> None:
        own_broker.start()
        create_topics(own_broker.bootstrap, {"restart": 3})
        produce(own_broker, "restart", [b"before"], partition=2)
        address, cluster = own_broker.bootstrap, own_broker.cluster_id
        own_broker.stop()
        assert not own_broker.alive()
        own_broker.start()
        assert own_broker.bootstrap == address
        assert (own_broker.cluster_id == cluster) == own_broker.profile.durable
        assert ("restart" in topics(own_broker)) == own_broker.profile.durable
        create_topics(own_broker.bootstrap, {"restart": 3})
        produce(own_broker, "restart", [b"after"], partition=2)
        kept = [b"before", b"after"] if own_broker.profile.durable else [b"after"]
        assert [record.value for record in read(own_broker, "restart", count=len(kept), partition=2)] == kept

    def test_after_a_crash_it_is_dead_and_starts_again_in_the_same_place(self, own_broker: Broker) -> None:
        own_broker.start()
        create_topics(own_broker.bootstrap, {"crash": 1})
        produce(own_broker, "crash", [b"acknowledged"])
        first = own_broker.pid
        assert own_broker.alive()
        own_broker.kill()
        assert (own_broker.alive(), own_broker.pid) == (False, None)
        own_broker.start()
        assert own_broker.pid not in (None, first)
        create_topics(own_broker.bootstrap, {"crash": 1})
        produce(own_broker, "crash", [b"next"])
        kept = [b"acknowledged", b"next"] if own_broker.profile.durable else [b"next"]
        assert [record.value for record in read(own_broker, "crash", count=len(kept))] == kept

    def test_starting_and_stopping_twice_is_harmless(self, own_broker: Broker) -> None:
        own_broker.start()
        first = own_broker.pid
        own_broker.start()
        assert own_broker.pid == first
        own_broker.stop()
        own_broker.stop()
        own_broker.kill()
        assert not own_broker.alive()

    def test_a_folder_that_moved_to_another_port_works(self, own_broker: Broker) -> None:
        own_broker.stop()
        with type(own_broker)(own_broker.folder) as moved:
            assert moved.port != own_broker.port
            create_topics(moved.bootstrap, {"moved": 1})
            produce(moved, "moved", [b"x"])
            assert len(read(moved, "moved", count=1)) == 1

    def test_a_start_that_takes_too_long_is_an_error_and_leaves_nothing_running(self, own_broker: Broker) -> None:
        own_broker.stop()
        with pytest.raises(
            BrokerError, match=f"{own_broker.profile.name} broker did not answer on {own_broker.bootstrap}"
        ):
            own_broker.start(timeout_s=-1)
        assert (own_broker.alive(), own_broker.pid) == (False, None)

    def test_a_taken_port_is_an_error_that_names_it(self, own_broker: Broker, tmp_path: Path) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            other = type(own_broker)(tmp_path, port=port)
            with pytest.raises(BrokerError, match=f"port {port} is taken"):
                other.start()
            assert not other.alive()

    def test_two_brokers_at_once_know_nothing_of_each_other(
        self, own_broker: Broker, request: pytest.FixtureRequest
    ) -> None:
        shared: Broker = request.getfixturevalue(f"{own_broker.profile.name}_broker")
        own_broker.start()
        assert shared.alive()
        assert own_broker.port != shared.port
        assert own_broker.cluster_id != shared.cluster_id
        topic = topic_of(request)
        create_topics(own_broker.bootstrap, {topic: 1})
        assert topic in topics(own_broker)
        assert topic not in topics(shared)


class TestProfile:
    """Each line of the table of differences that can be shown in seconds, shown."""

    def test_the_table_names_each_field_once(self) -> None:
        names = [line.field for line in DIFFERENCES]
        assert ["name", *names] == [field.name for field in fields(KAFKA)]
        assert all(line.kafka != line.embedded and line.why.endswith(".") for line in DIFFERENCES)
        assert [getattr(KAFKA, line.field) for line in DIFFERENCES] == [line.kafka for line in DIFFERENCES]
        assert [getattr(EMBEDDED, line.field) for line in DIFFERENCES] == [line.embedded for line in DIFFERENCES]

    def test_idempotent_producer(self, broker: Broker) -> None:
        async def starts() -> bool:
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True)
            try:
                await asyncio.wait_for(producer.start(), 10)
            except Exception:  # noqa: BLE001  aiokafka raises KafkaError and others
                return False
            finally:
                await producer.stop()
            return True

        assert asyncio.run(starts()) == broker.profile.idempotent_producer

    def test_enforces_record_bytes(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1}, record_bytes_max=1 << 20)
        refused = False
        try:
            produce(broker, topic, [random.randbytes(2 << 20)])
        except MessageSizeTooLargeError:
            refused = True
        assert refused == broker.profile.enforces_record_bytes

    def test_reliable_latest_offset(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1})
        produce(broker, topic, [b"%d" % i for i in range(50)])
        assert read(broker, topic, count=50)[-1].offset == 49
        here = TopicPartition(topic, 0)
        with consumer(broker) as reader:
            latest = reader.end_offsets([here])[here]
            reader.assign([here])
            reader.seek(here, 49)
            assert reader.poll(10_000)
            assert reader.highwater(here) == 50
        assert (latest == 50) == broker.profile.reliable_latest_offset

    def test_deletes_records(self, expendable: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(expendable.bootstrap, {topic: 1})
        produce(expendable, topic, [b"a", b"b", b"c"])
        works = self._works(expendable, lambda admin: admin.delete_records({TopicPartition(topic, 0): 2}))
        assert works == expendable.profile.deletes_records
        assert expendable.alive()

    def test_adds_partitions(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        create_topics(broker.bootstrap, {topic: 1})
        assert self._works(broker, lambda admin: admin.create_partitions({topic: 2})) == broker.profile.adds_partitions

    def test_honours_default_partitions(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        with open_admin(broker.bootstrap) as admin:
            admin.create_topics([topic], wait_for_metadata=True)
            (described,) = admin.describe_topics([topic])
        assert (len(described["partitions"]) == 1) == broker.profile.honours_default_partitions

    def test_creates_unknown_topics(self, broker: Broker, request: pytest.FixtureRequest) -> None:
        topic = topic_of(request)
        with consumer(broker) as reader, contextlib.suppress(KafkaTimeoutError):
            reader.end_offsets([TopicPartition(topic, 0)], timeout_ms=1500)
        assert (topic in topics(broker)) == broker.profile.creates_unknown_topics

    def test_memory_of_the_embedded_broker_comes_back_with_the_topic(
        self, embedded_broker: EmbeddedBroker, request: pytest.FixtureRequest
    ) -> None:
        topic = topic_of(request)
        create_topics(embedded_broker.bootstrap, {topic: 1})
        process = psutil.Process(embedded_broker.pid)
        before = process.memory_info().rss
        produce(embedded_broker, topic, [random.randbytes(8_000_000) for _ in range(10)])
        grown = process.memory_info().rss - before
        delete_topics(embedded_broker.bootstrap, [topic])
        left = process.memory_info().rss - before
        assert grown > 60_000_000
        assert left < grown / 2

    @pytest.fixture(params=["kafka", "embedded"])
    def expendable(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
        """Give a broker that may be harmed: Kafka is not, the embedded one is of the test's own."""
        if request.param == "kafka":
            yield request.getfixturevalue("kafka_broker")
            return
        with EmbeddedBroker(tmp_path) as own:
            yield own

    @staticmethod
    def _works(broker: Broker, order: Callable[[Any], object]) -> bool:
        try:
            with open_admin(broker.bootstrap, timeout_s=5) as admin:
                order(admin)
        except (KafkaError, NotImplementedError):
            return False
        return True


class TestKafkaInstallation:
    def test_two_installers_at_once_end_with_one_whole_set_of_jars(self, tmp_path: Path) -> None:
        (tmp_path / "unfinished-by-a-crash").mkdir()
        code = "import sys, pathlib, deploy.brokers as b; print(b.install_kafka(pathlib.Path(sys.argv[1])))"
        both = [
            subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        try:
            answers = {process.communicate(timeout=200)[0].strip() for process in both}
        finally:
            for process in both:
                process.kill()
                process.wait()
        (jars,) = tmp_path.glob("jars-*")
        assert answers == {str(jars)}
        assert (jars / f"kafka_2.13-{KAFKA_VERSION}.jar").exists()
        assert not list(tmp_path.glob("unfinished-*"))

    def test_without_maven_the_error_names_the_remedy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BrokerError, match="needs mvn, which is not on PATH: apt-get install maven"):
            install_kafka(tmp_path / "cache")
        assert not list((tmp_path / "cache").glob("jars-*"))

    def test_without_java_the_error_names_the_remedy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BrokerError, match="needs java, which is not on PATH: apt-get install openjdk-17"):
            KafkaBroker(tmp_path / "broker").start()

    def test_a_failing_maven_is_an_error_with_its_words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        maven = tmp_path / "mvn"
        maven.write_text("#!/bin/sh\necho no route to the repository; exit 7\n")
        maven.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(BrokerError, match=r"ended with code 7(.|\n)*no route to the repository"):
            install_kafka(tmp_path / "cache")
        assert not list((tmp_path / "cache").glob("jars-*"))

    def test_a_start_takes_the_loaded_classes_of_the_one_before_and_goes_without_when_they_are_damaged(
        self, tmp_path: Path
    ) -> None:
        cache = tmp_path / "cache"
        shutil.copytree(install_kafka(), cache / install_kafka().name)
        archives: list[Path] = []
        for number in range(3):
            with KafkaBroker(tmp_path / str(number), cache=cache) as broker:
                (archive,) = cache.glob("*.jsa")
                taken = str(archive) in Path(f"/proc/{broker.pid}/maps").read_text()
                assert taken == (number < 2)
                archives.append(archive)
            if number == 1:
                archive.chmod(0o600)
                archive.write_bytes(b"no archive")
        assert len(set(archives)) == 1
        assert not list(cache.glob("unfinished-*"))

    def test_a_folder_that_kafka_cannot_use_is_an_error_with_the_end_of_its_log(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        broker = KafkaBroker(tmp_path)
        with pytest.raises(BrokerError, match=r"ended with code 1 instead of starting(.|\n)*meta\.properties"):
            broker.start()
        assert not broker.alive()
