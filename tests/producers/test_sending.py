"""The sender keeps every block until it is stored, whatever becomes of the broker, the database or the log."""

from __future__ import annotations

import gc
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from kafka import KafkaConsumer, TopicPartition

from deploy.brokers import EmbeddedBroker, create_topics
from hotline import blocks
from hotline.blocks import Block, complete
from hotline.measured import Verdicts
from hotline.names import BLOCK_ID, EVENTS_TOPICS, INTAKE_TOPIC
from hotline.settings import Settings
from hotline.subjects import CALLS
from producers import json_sending, loading, sending
from producers.adapters.adapter import Batch
from producers.adapters.errors import TruncatedError
from producers.bounds import DEFAULTS, bounds
from producers.sending import Sender, StackAwayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# kafka-python drops, and does not close, the socket of a connection that it was making when it was closed.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

TOPIC = EVENTS_TOPICS["calls"]
BORN = datetime(2023, 5, 1, tzinfo=UTC)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Give a broker of its own: it is killed here."""
    with EmbeddedBroker(tmp_path) as started:
        create_topics(started.bootstrap, {TOPIC: 1})
        yield started
        gc.collect()  # so that such a socket is noticed here and not in another file's test


@dataclass
class Database:
    """What the sender asks of the database; it stores what lies in the broker's log whenever it is told to."""

    broker: EmbeddedBroker
    log: int = 1
    away: int = 0
    """Questions and connections that still fail."""
    connected: int = 0
    verdicts: dict[str, tuple[int, int, int, int, dict[str, int]]] = field(default_factory=dict)

    def connect(self) -> tuple[str, Any]:
        self.connected += 1
        self._answer()
        return self.broker.bootstrap, self

    def query(self, _: str, parameters: Mapping[str, Any] | None = None) -> Any:
        self._answer()
        if parameters is None:
            return Rows([(TOPIC, self.log)])
        stored = [block for block in sorted(parameters["blocks"]) if block in self.verdicts]
        return Rows([(block, self.log, 0, True, *self.verdicts[block]) for block in stored])

    def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise ConnectionError("the database is away")

    def store(self) -> list[str]:
        """Store every block in the log; their ids in order, repeats included."""
        found = self.in_log()
        for block_id in found:
            self.verdicts.setdefault(block_id, (2, 1, 0, 0, {}))
        return found

    def in_log(self) -> list[str]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker.bootstrap, consumer_timeout_ms=1500, enable_auto_commit=False
        )
        try:
            consumer.assign([TopicPartition(TOPIC, 0)])
            consumer.seek(TopicPartition(TOPIC, 0), 0)
            return [dict(record.headers)[BLOCK_ID].decode() for record in consumer]
        finally:
            consumer.close()


@dataclass
class Rows:
    result_rows: list[Any]


def _block(events: int = 3, **columns: Any) -> Block:
    frame = pl.DataFrame(
        {
            "type": ["call.offered"] * events,
            "source": "s",
            "entity": [str(number) for number in range(events)],
            "born_at": BORN,
            "occurred_at": BORN,
            **columns,
        }
    )
    return Block(uuid.uuid4().hex, CALLS, 0, complete(CALLS, frame))


def _finish(sender: Sender) -> None:
    for _ in range(200):
        if not sender.waiting:
            return
        sender.wait()
    pytest.fail("blocks are still not known to be stored")


def test_a_block_is_kept_until_it_is_stored(broker: EmbeddedBroker) -> None:
    database, told = Database(broker), list[tuple[str, Verdicts]]()
    with Sender(database.connect, lambda *stored: told.append(stored)) as sender:
        sent = _block()
        sender.send(sent)
        for _ in range(5):
            sender.wait()
        assert (sender.waiting, told) == (1, [])
        assert database.store() == [sent.block_id]
        _finish(sender)
    assert told == [("calls", Verdicts(counted=2, seen=1))]


def test_a_sender_keeps_to_the_settings(tmp_path: Path) -> None:
    given = Settings(data=tmp_path)
    assert bounds(given) == DEFAULTS == (96 << 20, 1800.0)
    assert bounds(msgspec.structs.replace(given, sent_bytes_max=1 << 20, away_s_max=7)) == (1 << 20, 7.0)


def test_sending_waits_while_too_much_is_not_stored(broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on with what was let go, so that a load of any size needs the memory of a few blocks."""
    database, size = Database(broker), len(_block().encode())
    asked: list[int] = []

    def answer() -> None:
        asked.append(sender.waiting)
        assert sender.waiting <= 3, "no more than the bound and the block that passed it"
        if len(asked) % 3 == 0:
            store()

    def store() -> None:
        database.verdicts |= dict.fromkeys(sender._kept, (2, 1, 0, 0, {}))

    with Sender(database.connect, lambda *_: None, bounds=DEFAULTS._replace(bytes_max=2 * size)) as sender:
        monkeypatch.setattr(database, "_answer", answer)
        for _ in range(5):
            sender.send(_block())
            assert sender.waiting <= 2
        assert max(asked) == 3, "it came to that"
        store()
        _finish(sender)
    assert len(database.in_log()) == 5


@pytest.mark.parametrize(("events_max", "bytes_max"), [(3, 1 << 20), (1_000, 2 * 30)])
def test_single_events_are_settled_when_many_or_much_is_not(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch, events_max: int, bytes_max: int
) -> None:
    create_topics(broker.bootstrap, {INTAKE_TOPIC: 1})
    monkeypatch.setattr(json_sending, "KEPT_EVENTS_MAX", events_max)
    account = json_sending.Sending()
    told: list[tuple[int, int]] = []
    sender = json_sending.JsonSender(
        Database(broker).connect,
        1,
        account,
        lambda: None,
        wait=False,
        pseudonymised=False,
        bounds=DEFAULTS._replace(bytes_max=bytes_max),
    )
    with sender:
        for _ in range(7):
            sender.send(b'{"n": "10"}')
            told.append((account.read, account.sent))
        sender.settle()
    assert told == [(1, 0), (2, 0), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6)]
    assert account.sent == 7


def test_what_a_dead_broker_forgot_is_sent_again_under_the_same_ids(broker: EmbeddedBroker) -> None:
    database = Database(broker)
    with Sender(database.connect, lambda *_: None) as sender:
        stored = _block()
        sender.send(stored)
        database.store()
        _finish(sender)
        lost = [_block(), _block()]
        for block in lost:
            sender.send(block)
        broker.kill()
        broker.start()
        create_topics(broker.bootstrap, {TOPIC: 1})
        database.log = 2
        sender.wait()
        for _ in range(10):
            sender.wait()
        assert set(database.store()) == {block.block_id for block in lost}, "only what is not stored is sent again"
        _finish(sender)


def test_a_database_that_goes_away_is_waited_for_and_nothing_is_sent_twice(broker: EmbeddedBroker) -> None:
    database = Database(broker)
    with Sender(database.connect, lambda *_: None) as sender:
        sent = _block()
        sender.send(sent)
        assert database.store() == [sent.block_id]
        database.away = 4
        _finish(sender)
        assert (database.away, database.connected) == (0, 5), "three times in vain, then once"
        assert database.in_log() == [sent.block_id]


def test_a_stack_that_stays_away_or_stores_nothing_is_given_up(broker: EmbeddedBroker) -> None:
    database, soon = Database(broker, away=1_000), DEFAULTS._replace(away_s_max=0.4)
    with pytest.raises(StackAwayError, match="hotline status"), Sender(database.connect, lambda *_: None, bounds=soon):
        pass
    database.away = 0
    with Sender(database.connect, lambda *_: None, bounds=soon) as sender:
        sender.send(_block())
        with pytest.raises(StackAwayError, match="1 blocks may not be stored"):
            _finish(sender)


def test_a_block_too_large_for_a_record_is_sent_in_pieces(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, told = Database(broker), list[Verdicts]()
    monkeypatch.setattr(sending, "BLOCK_BYTES_MAX", 20_000)
    with Sender(database.connect, lambda _, verdicts: told.append(verdicts)) as sender:
        sender.send(_block(4_000, caller=[uuid.uuid4().hex for _ in range(4_000)]))
        pieces = sender.waiting
        assert pieces > 4
        database.store()
        _finish(sender)
        assert len(told) == pieces
        with pytest.raises(ValueError, match="shorten"):
            sender.send(_block(1, caller=["".join(uuid.uuid4().hex for _ in range(2_000))]))


def test_a_load_that_breaks_off_accounts_for_what_came_before(broker: EmbeddedBroker) -> None:
    class Storing(Database):
        def query(self, _: str, parameters: Mapping[str, Any] | None = None) -> Any:
            for block in (parameters or {}).get("blocks", []):
                self.verdicts.setdefault(block, (3, 0, 0, 0, {}))
            return super().query(_, parameters)

    def batches() -> Iterator[Batch]:
        frame = _block().events.drop("digest", *blocks.REJECT_COLUMNS)
        yield Batch(frames={"calls": frame}, lines_read=4, lines_broken=0, bytes_read=10, skipped={"phantom": 1})
        raise TruncatedError("f.gz", "the gzip data ends too early, at byte 10")

    seen: list[int] = []
    done = loading.load(
        batches(), partitions=1, connect=Storing(broker).connect, progress=lambda load: seen.append(load.read)
    )
    assert (done.read, done.counted, done.lines.read, done.lines.skipped) == (3, 3, 4, {"phantom": 1})
    assert (done.complete, done.topics[TOPIC].adds_up) == (False, True)
    assert "f.gz" in (done.problem or "")
    assert seen[-1] == 3
