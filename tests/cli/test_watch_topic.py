"""Whoever joins the topic of live values knows them at once, and goes on through all that happens to the broker."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cli.watch.freshness import SILENT_OLD_S
from cli.watch.listening import Listener, Phase
from cli.watch.topic import BACK_RECORDS, NewLogError, NoAnswerError, NoTopicError, Taken, joined
from deploy.brokers import Broker, EmbeddedBroker, create_topics
from deploy.ports import free_port
from hotline.names import KPIS_TOPIC, LIVE
from tests.cli.live_topics import OFFERED, Publisher, offered
from tests.deploy.stacks import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.watch.topic import KpisTopic


@pytest.fixture
def publisher(broker: Broker) -> Iterator[Publisher]:
    with Publisher(broker, f"live-{uuid.uuid4().hex[:8]}") as made:
        yield made


@contextmanager
def topic_of(broker: Broker, publisher: Publisher) -> Iterator[KpisTopic]:
    with joined(broker.bootstrap, publisher._topic) as topic:
        yield topic


def next_records(topic: KpisTopic, count: int) -> list[Taken]:
    found: list[Taken] = []

    def enough() -> bool:
        found.extend(topic.poll(0.1))
        return len(found) >= count

    wait_until(enough, f"{count} records come")
    return found


class TestTheTopic:
    def test_a_latecomer_begins_with_the_last_full_record_and_the_changes_since(
        self, broker: Broker, publisher: Publisher
    ) -> None:
        for number in range(3):
            publisher.publish(values=offered(number))
        publisher.publish(full=False, values=offered(7))
        with topic_of(broker, publisher) as topic:
            assert [(taken.offset, taken.live.full) for taken in next_records(topic, 2)] == [(2, True), (3, False)]

    def test_the_last_full_record_is_found_however_far_back_it_is(self, broker: Broker, publisher: Publisher) -> None:
        publisher.publish(values=offered(1))
        for _ in range(BACK_RECORDS * 5):
            publisher.publish(full=False)
        with topic_of(broker, publisher) as topic:
            assert next_records(topic, 1)[0].offset == 0

    def test_the_record_that_has_the_values_is_read_by_its_offset_and_reading_goes_on_where_it_was(
        self, broker: Broker, publisher: Publisher
    ) -> None:
        publisher.publish(values=offered(5))
        for _ in range(BACK_RECORDS * 2):
            publisher.publish(values_offset=0)
        with topic_of(broker, publisher) as topic:
            last = next_records(topic, 1)[-1]
            assert last.offset == BACK_RECORDS * 2
            values = topic.one(last.live.values_offset or 0)
            assert values is not None
            assert (values.offset, values.live.values) == (0, offered(5))
            publisher.publish(values_offset=0)
            assert [taken.offset for taken in next_records(topic, 1)] == [BACK_RECORDS * 2 + 1]

    def test_a_record_beyond_the_end_is_none(self, broker: Broker, publisher: Publisher) -> None:
        publisher.publish(values=offered(5))
        with topic_of(broker, publisher) as topic:
            assert topic.one(1) is None
            assert topic.one(-1) is None

    def test_only_what_came_after_joining_is_fresh(self, broker: Broker, publisher: Publisher) -> None:
        publisher.publish(values=offered(1))
        with topic_of(broker, publisher) as topic:
            publisher.publish(full=False, values=offered(2))
            assert [taken.fresh for taken in next_records(topic, 2)] == [False, True]

    def test_records_of_another_kind_or_that_cannot_be_read_are_left_out(
        self, broker: Broker, publisher: Publisher
    ) -> None:
        publisher.send(b"\xff", content_type=LIVE)
        publisher.publish(values=offered(1))
        publisher.send(b"not of ours", content_type=b"text/plain")
        publisher.send(b"\xff", content_type=LIVE)
        publisher.publish(full=False, values=offered(2))
        with topic_of(broker, publisher) as topic:
            assert [taken.offset for taken in next_records(topic, 2)] == [1, 4]

    def test_an_empty_topic_waits_and_then_gives_what_comes(self, broker: Broker, publisher: Publisher) -> None:
        with topic_of(broker, publisher) as topic:
            assert topic.poll(0.2) == []
            publisher.publish(values=offered(1))
            assert [(taken.offset, taken.fresh) for taken in next_records(topic, 1)] == [(0, True)]

    def test_a_topic_that_is_not_there_is_told_and_not_made(self, broker: Broker) -> None:
        for _ in range(2):
            with pytest.raises(NoTopicError), joined(broker.bootstrap, "live-never-made"):
                pass

    def test_nobody_at_the_address_is_told(self) -> None:
        with pytest.raises(NoAnswerError), joined(f"127.0.0.1:{free_port()}"):
            pass

    def test_a_position_that_the_log_does_not_have_is_an_error_and_not_silence(
        self, broker: Broker, publisher: Publisher
    ) -> None:
        publisher.publish(values=offered(1))
        with topic_of(broker, publisher) as topic:
            topic._due = 40
            with pytest.raises(NewLogError):
                next_records(topic, 1)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Give a broker that a test may kill."""
    broker = EmbeddedBroker(tmp_path / "broker")
    yield broker
    broker.kill()


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[], str | None]], Listener]]:
    made: list[Listener] = []

    def start(find: Callable[[], str | None]) -> Listener:
        made.append(Listener(find))
        made[-1].start()
        return made[-1]

    yield start
    for listener in made:
        listener.stop()


def phase(listener: Listener) -> Phase:
    with listener.look() as (_, found, _):
        return found


def shown(listener: Listener) -> float | int | None:
    with listener.look() as (current, _, _):
        figure = current.figure(OFFERED, "5min")
        return figure.value if figure else None


def silence_s(listener: Listener) -> float:
    with listener.look() as (_, _, silent_s):
        return silent_s


class TestListening:
    def test_it_says_what_it_waits_for_from_no_stack_to_values(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        address: list[str | None] = [None]
        listener = listen(lambda: address[0])
        wait_until(lambda: phase(listener) is Phase.NO_STACK, "it says that no stack runs")
        address[0] = own_broker.bootstrap
        wait_until(lambda: phase(listener) is Phase.NO_BROKER, "it says that no broker answers")
        own_broker.start()
        wait_until(lambda: phase(listener) is Phase.NO_TOPIC, "it says that nobody publishes")
        with Publisher(own_broker) as publisher:
            wait_until(lambda: phase(listener) is Phase.NO_VALUES, "it says that nothing was published")
            publisher.publish(full=False, values=offered(1))
            publisher.publish(values=offered(2))
            wait_until(lambda: phase(listener) is Phase.VALUES, "it has values")
        assert shown(listener) == 2

    def test_a_latecomer_knows_values_that_a_quiet_hour_did_not_repeat(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        with Publisher(own_broker) as publisher:
            publisher.publish(values=offered(3))
            for _ in range(BACK_RECORDS * 2):
                publisher.publish(values_offset=0)
            listener = listen(lambda: own_broker.bootstrap)
            wait_until(lambda: shown(listener) == 3, "the values are known")

    # kafka-python leaves sockets of connections that did not come about to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_it_goes_on_with_a_broker_that_began_anew(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        listener = listen(lambda: own_broker.bootstrap)
        with Publisher(own_broker) as publisher:
            for number in range(20):
                publisher.publish(values=offered(number))
            wait_until(lambda: shown(listener) == 19, "the values are known")
        own_broker.kill()
        wait_until(lambda: phase(listener) is Phase.NO_BROKER, "it says that the broker is away")
        assert shown(listener) == 19
        own_broker.start()
        with Publisher(own_broker) as publisher:
            publisher.publish(values=offered(100))
            publisher.publish(full=False, values=offered(101))
            wait_until(lambda: shown(listener) == 101, "the values of the new log are known")
            publisher.publish(values=offered(102))
            wait_until(lambda: shown(listener) == 102, "it follows the new log")
        assert phase(listener) is Phase.VALUES

    def test_a_publisher_that_began_anew_in_the_same_log_is_followed(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        listener = listen(lambda: own_broker.bootstrap)
        with Publisher(own_broker) as publisher:
            publisher.publish(values=offered(1))
            offset = publisher.publish(values=offered(2))
            wait_until(lambda: shown(listener) == 2, "the values are known")
            publisher.sequence = 0
            publisher.publish(values_offset=offset)
            publisher.publish(full=False, values=offered(3))
            wait_until(lambda: shown(listener) == 3, "the other process is believed")

    def test_values_that_are_old_when_it_joins_are_as_old_as_they_are(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        with Publisher(own_broker) as publisher:
            publisher.publish(values=offered(1), written_at_ms=int((time.time() - 3600) * 1000))
            listener = listen(lambda: own_broker.bootstrap)
            wait_until(lambda: shown(listener) == 1, "the values are known")
            assert silence_s(listener) > 3000 > SILENT_OLD_S
            publisher.publish(values=offered(2), written_at_ms=int((time.time() - 3600) * 1000))
            wait_until(lambda: shown(listener) == 2, "something new comes")
            assert silence_s(listener) < 3000, "a clock that is wrong ages nothing that comes while we look"

    def test_values_that_are_not_there_any_more_are_unknown_until_they_come_again(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        with Publisher(own_broker) as publisher:
            listener = listen(lambda: own_broker.bootstrap)
            publisher.publish(values=offered(1))
            wait_until(lambda: shown(listener) == 1, "the values are known")
            publisher.publish(values_offset=999)
            wait_until(lambda: phase(listener) is Phase.NO_VALUES, "it says that there are none")
            assert shown(listener) is None
            publisher.publish(values=offered(2))
            wait_until(lambda: shown(listener) == 2, "the values are known again")
            assert phase(listener) is Phase.VALUES

    def test_silence_grows_while_nothing_is_published(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        with Publisher(own_broker) as publisher:
            listener = listen(lambda: own_broker.bootstrap)
            publisher.publish(values=offered(1))
            wait_until(lambda: shown(listener) == 1, "the values are known")
        before = silence_s(listener)
        wait_until(lambda: silence_s(listener) > before + 0.5, "the silence grows")
        assert phase(listener) is Phase.VALUES

    def test_a_topic_of_another_shape_is_no_reason_to_end(
        self, own_broker: EmbeddedBroker, listen: Callable[[Callable[[], str | None]], Listener]
    ) -> None:
        own_broker.start()
        create_topics(own_broker.bootstrap, {KPIS_TOPIC: 3})
        listener = listen(lambda: own_broker.bootstrap)
        wait_until(lambda: phase(listener) is Phase.NO_VALUES, "it waits for values")
