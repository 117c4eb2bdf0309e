"""A durable log that is another than it was, under the same cluster and the same name: noticed, and nothing is lost.

One stack lives through all of it; after each fork a part of one story is told, and in the end all of it is there.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.brokers import KafkaBroker, create_topics, open_admin
from hotline.blocks import pack
from hotline.marks import MARKS_SQL, marks
from hotline.measured import decode, new_output_id
from hotline.names import (
    ARROW_STREAM,
    BLOCK_ID,
    CONTENT_TYPE,
    EVENTS_TOPICS,
    INTAKE_TOPIC,
    KPIS_TOPIC,
    MEASURED,
    MEASURED_TOPICS,
    RECORD_BYTES_MAX,
)
from hotline.subjects import SUBJECTS
from sinks.logs import current_logs
from tests.e2e.sending import send_blocks
from tests.e2e.stacks import Hotline, wait_until
from tests.faults.checker import Checker
from tests.faults.story import Piece, story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

ZONE = "Asia/Shanghai"
EVENTS_MAX = 20
"""In a block: many small ones, so that logs are long."""
SINGLY, GROWN = 20, 200
"""Single events sent at once, and those that are written into a log that was cut."""
MARKS = "__consumer_offsets-*"
FORKED = [*EVENTS_TOPICS.values(), *MEASURED_TOPICS.values()]
CALLS, CALLS_MEASURED = EVENTS_TOPICS["calls"], MEASURED_TOPICS["calls"]


def test_logs_that_fork_are_read_again_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    told = story(3, entities=60, pieces=16)
    pieces = sorted(told.pieces, key=lambda piece: piece.subject.name)
    parts = [pieces[start::6] for start in range(6)]
    assert all({piece.subject for piece in part} == set(SUBJECTS.values()) for part in parts), (
        "each log grows each time"
    )
    hotline = Hotline(tmp_path / "d", HOTLINE_ZONE=ZONE, HOTLINE_CALENDAR="none", HOTLINE_BROKER="kafka")
    try:
        hotline.running()
        tell(hotline, parts[0])
        send_singly(hotline, "kept")
        stopped(hotline, lambda folder: shutil.copytree(folder, tmp_path / "then"))
        tell(hotline, parts[1])
        send_singly(hotline, "cut")
        assert numbers(hotline, [*FORKED, KPIS_TOPIC]) == {1}, "a log that is what it was keeps its number"

        stopped(hotline, lambda folder: give_back(tmp_path / "then", folder))
        tell(hotline, parts[2])
        send_singly(hotline, "cut again")
        assert numbers(hotline, FORKED) == {2}, "a log whose tail was cut is another log"

        stopped(hotline, lambda folder: grown(give_back(tmp_path / "then", folder), parts[3]))
        tell(hotline, parts[4])
        assert numbers(hotline, FORKED) == {3}, "one that was cut and grew past the marks is, too"
        wait_until(lambda: sent_singly(hotline, "grown") == GROWN, "single events that were written where others stood")
        assert sent_singly(hotline, "kept") == SINGLY
        worker = (hotline.data / "log" / "worker-0.log").read_text()
        assert worker.count("is another log than intake read up to") == 2 * hotline.settings.partitions

        written = astray(hotline)
        sink_log = hotline.data / "log" / "sink.log"
        wait_until(lambda: sink_log.read_text().count("not accepted: it is passed over") == written, "they are seen")
        made_again(hotline, CALLS)
        tell(hotline, parts[5])
        assert numbers(hotline, [CALLS]) == {4}, "and so is a topic of events that was made again"
        made_again(hotline, CALLS_MEASURED)
        tell(hotline, parts[0])
        assert numbers(hotline, [CALLS_MEASURED]) == {4}, "and one of outputs"
        with hotline.writer() as client:
            Checker(client, told, ZONE, hotline.settings.partitions, dead_besides=besides()).check()
        forgotten(hotline)
        tell(hotline, parts[5])
        assert hotline.do("gaps", "list", "--json").json == [], "what is stored is not read again: nobody misses it"
        given_up = overtaken(hotline, parts[1])
        tell(hotline, parts[1])
        with hotline.writer() as client:
            Checker(client, told, ZONE, hotline.settings.partitions, dead_besides=besides()).check()
        check_gaps(hotline, given_up)
        assert "ALARM the logs of" in sink_log.read_text()
    finally:
        hotline.clean()


def check_gaps(hotline: Hotline, given_up: dict[str, int]) -> None:
    """Everybody tells of the same records that were given up, and nothing is wrong beside them."""
    listed = hotline.do("gaps", "list", "--json").json
    assert {f"{gap['topic']}/{gap['partition']}": gap["records"] for gap in listed} == given_up
    assert hotline.do("status", "--json").json["given_up"] == sum(given_up.values())
    deep = {found["check"]: found for found in hotline.do("doctor", "--deep", "--json").json}
    assert deep["accepted sources"]["ok"], deep
    assert f"{sum(given_up.values())} records in {len(given_up)} gaps" in deep["given up"]["found"]
    assert "marks" not in deep


def tell(hotline: Hotline, pieces: Iterable[Piece]) -> None:
    """Tell pieces and wait until they are stored."""
    for piece in pieces:
        blocks = pack(piece.subject, piece.events, hotline.settings.partitions, events_max=EVENTS_MAX)
        assert send_blocks(hotline, blocks).read == len(piece.events)


def send_singly(hotline: Hotline, name: str) -> None:
    """Send single events that become dead letters, so that the story stays what it is, and wait for them."""
    assert hotline.do("send", "-", "--wait", stdin=b"\n".join(singly(name, SINGLY))).code == 0


def singly(name: str, count: int) -> list[bytes]:
    return [b'{"entity": "%s %d"}' % (name.encode(), number) for number in range(count)]


def besides() -> list[bytes]:
    """All that is sent besides the story."""
    return [b"{}", *(one for name in ("kept", "cut", "cut again", "grown") for one in singly(name, GROWN))]


def sent_singly(hotline: Hotline, name: str) -> int:
    """How many different ones of that name are stored."""
    sql = "SELECT uniq(original) FROM hotline.dead_letters WHERE original LIKE {name:String}"
    with hotline.writer() as client:
        return int(client.query(sql, parameters={"name": f'%"{name} %'}).result_rows[0][0])


def stopped(hotline: Hotline, then: Callable[[Path], Any]) -> None:
    """Stop the stack, do something to its broker's folder, and start it again."""
    assert hotline.do("down").code == 0
    hotline.ups[-1].wait(60)
    then(hotline.data / "broker")
    hotline.running()


def give_back(then: Path, folder: Path) -> Path:
    """Put the broker's folder back to what it was then, all but intake's marks: its logs were cut, these were not."""
    now = folder.rename(folder.with_name("broker then"))
    shutil.copytree(then, folder, ignore=shutil.ignore_patterns(MARKS))
    for kept in now.rglob(MARKS):
        shutil.copytree(kept, folder / kept.relative_to(now))
    shutil.rmtree(now)
    return folder


def grown(folder: Path, pieces: Iterable[Piece]) -> None:
    """Let others write into the broker while nobody reads: far past what was read before."""
    partitions = 2
    with KafkaBroker(folder) as broker:
        producer: Any = KafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=RECORD_BYTES_MAX)
        blocks = [
            block for piece in pieces for block in pack(piece.subject, piece.events, partitions, events_max=EVENTS_MAX)
        ]
        for _ in range(20):
            for block in blocks:
                headers = [(CONTENT_TYPE, ARROW_STREAM), (BLOCK_ID, block.block_id.encode())]
                topic = EVENTS_TOPICS[block.subject.name]
                producer.send(topic, partition=block.partition, value=block.encode(), headers=headers)
        for number, value in enumerate(singly("grown", GROWN)):
            producer.send(INTAKE_TOPIC, partition=number % partitions, value=value)
        for topic in MEASURED_TOPICS.values():
            for partition in range(partitions):
                for value in values(broker.bootstrap, topic, partition) * 20:  # a zombie's, say
                    producer.send(topic, partition=partition, value=value, headers=[(CONTENT_TYPE, MEASURED)])
        producer.flush()
        producer.close()


def astray(hotline: Hotline) -> int:
    """Write what a worker had on its way that had measured upon an output which a log then lost; how many outputs.

    Each stands where the next output is due, and would double what it brings.
    """
    with hotline.writer() as client:
        found = {at: mark.accepted for at, mark in marks(client.query(MARKS_SQL).result_rows).items()}
    bootstrap, outputs = hotline.settings.bootstrap, [at for at in found if at[0] in MEASURED_TOPICS.values()]
    producer: Any = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=RECORD_BYTES_MAX)
    for at in outputs:
        record = decode(max(values(bootstrap, *at), key=len))
        due = {"log": found[at].log, "offset": found[at].next_offset, "first": found[at].next_first}
        source = msgspec.structs.replace(record.source, **due, output_id=new_output_id(), upon=new_output_id())
        value = msgspec.structs.replace(record, source=source).encode()
        producer.send(at[0], partition=at[1], value=value, headers=[(CONTENT_TYPE, MEASURED)])
    producer.close()
    return len(outputs)


def forgotten(hotline: Hotline) -> None:
    """Let the logs lose all that is stored, and everybody who read it die: what a start reads lies behind the marks.

    So the work of a start does not grow with what was stored, or with how long a log is.
    """
    places = [TopicPartition(topic, partition) for topic in FORKED for partition in (0, 1)]
    with open_admin(hotline.settings.bootstrap) as admin:
        admin.delete_records(dict.fromkeys(places, -1))
    for part in ("sink", "worker-0", "roll"):
        hotline.kill(part)
    wait_until(hotline.ready, "everybody goes on without what is stored")


def overtaken(hotline: Hotline, pieces: Iterable[Piece]) -> dict[str, int]:
    """Let retention take records before the worker reads them, and give them up as its alarm says; how many, by place.

    What is lost was told before, so that the story stays whole.
    """
    bootstrap, places = hotline.settings.bootstrap, [TopicPartition(CALLS, 0), TopicPartition(INTAKE_TOPIC, 1)]
    assert hotline.do("send", "-", "--wait", stdin=b"{}\n" * 8).code == 0, "intake has a position, too"
    os.kill(hotline.pid("worker-0"), signal.SIGSTOP)
    producer: Any = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=RECORD_BYTES_MAX)
    sent: Counter[str] = Counter()
    for piece in pieces:
        for block in pack(piece.subject, piece.events, 2, events_max=EVENTS_MAX):
            if (EVENTS_TOPICS[block.subject.name], block.partition) == tuple(places[0]):
                producer.send(CALLS, partition=0, value=block.encode(), headers=[(BLOCK_ID, b"lost")])
                producer.send(INTAKE_TOPIC, partition=1, value=b"{}")
                sent += Counter(f"{place.topic}/{place.partition}" for place in places)
    producer.close()
    with open_admin(bootstrap) as admin:
        admin.delete_records(dict.fromkeys(places, -1))
    assert sent.total()
    hotline.kill("worker-0")
    for _ in places:
        wait_until(hotline.stands, "the worker says where it stands still")
        assert hotline.do("status").code
        place = stops(hotline)[0].rpartition(" ")[2]
        assert hotline.do("gaps", "accept", place).code == 0
        wait_until(lambda place=place: place not in " ".join(hotline.stands()), "it goes on")  # type: ignore[misc]
    wait_until(hotline.ready, "every part works")
    return dict(sent)


def stops(hotline: Hotline) -> list[str]:
    """Read why parts stand still."""
    found = hotline.do("status", "--json").json
    return [why for part in found["parts"] for why in part["stopped"]]


def values(bootstrap: str, topic: str, partition: int) -> list[bytes]:
    """Read all that a partition holds."""
    at = TopicPartition(topic, partition)
    consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    consumer.assign([at])
    end = consumer.end_offsets([at])[at]
    found: list[bytes] = []
    while len(found) < end:
        found += [record.value for record in consumer.poll(timeout_ms=500).get(at, [])]
    consumer.close()
    assert found, topic
    return found


def made_again(hotline: Hotline, topic: str) -> None:
    """Delete a topic of a running stack and make it again, empty."""
    bootstrap = hotline.settings.bootstrap
    with open_admin(bootstrap) as admin:
        admin.delete_topics([topic])
        wait_until(lambda: topic not in admin.list_topics(), f"{topic} is gone")
    create_topics(bootstrap, {topic: 2}, record_bytes_max=RECORD_BYTES_MAX)


def numbers(hotline: Hotline, topics: Iterable[str]) -> set[int]:
    with hotline.writer() as client:
        found = current_logs(client)
    return {found[topic] for topic in topics}
