"""Sending what no file and no command sends: other sizes of blocks, events of our own, records of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer

from cli.load import as_json
from hotline.blocks import pack
from hotline.names import ARROW_STREAM, BLOCK_ID, CONTENT_TYPE, EVENTS_TOPICS, RECORD_BYTES_MAX
from hotline.settings import pseudonym_key
from producers.accounts import Account
from producers.adapters import ADAPTERS
from producers.loading import load
from producers.sending import Sender
from sinks.connecting import connect
from tests.e2e.stacks import wait_until, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import polars as pl

    from hotline.blocks import Block
    from hotline.measured import Verdicts
    from hotline.subjects import Subject
    from tests.e2e.stacks import Hotline


def connecting(hotline: Hotline) -> Callable[[], tuple[str, Any]]:
    """Give the stack's addresses as a sender asks for them."""
    return lambda: (hotline.settings.bootstrap, connect(hotline.settings, "reader"))


def load_in_chunks(hotline: Hotline, adapter: str, file: str | Path, *, chunk_bytes: int) -> dict[str, Any]:
    """Load a file in batches of about so many bytes; the account, of which nothing is missing."""
    batches = ADAPTERS[adapter].read(file, key=pseudonym_key(hotline.data), chunk_bytes=chunk_bytes)
    settings = hotline.settings
    done = load(batches, partitions=settings.partitions, connect=connecting(hotline), progress=lambda _: None)
    return whole(as_json(done))


def send_events(hotline: Hotline, subject: Subject, frames: Iterable[pl.DataFrame], *, events_max: int) -> Account:
    """Send frames of events in blocks of at most so many, and wait until all are stored; what became of them."""
    partitions = hotline.settings.partitions
    return send_blocks(
        hotline, (block for frame in frames for block in pack(subject, frame, partitions, events_max=events_max))
    )


def send_blocks(hotline: Hotline, blocks: Iterable[Block]) -> Account:
    """Send blocks and wait until all are stored; what became of their events."""
    account = Account(reasons={})

    def stored(_: str, verdicts: Verdicts) -> None:
        account.add(verdicts)

    with Sender(connecting(hotline), stored) as sender:
        for block in blocks:
            account.read += len(block.events)
            sender.send(block)
        while sender.waiting:
            sender.wait()
    assert account.adds_up, account
    return account


def send_record(
    hotline: Hotline, subject: Subject, partition: int, value: bytes, *, block_id: str, key: bytes | None = None
) -> dict[str, Any]:
    """Put any bytes into a topic as anybody could, and wait for what becomes of them.

    Returns their account, and the place (topic/partition/log/offset) where they stood.
    """
    producer = KafkaProducer(
        bootstrap_servers=hotline.settings.bootstrap, max_request_size=RECORD_BYTES_MAX, enable_idempotence=False
    )
    headers = [(CONTENT_TYPE, ARROW_STREAM), (BLOCK_ID, block_id.encode())]
    topic = EVENTS_TOPICS[subject.name]
    producer.send(topic, partition=partition, key=key, value=value, headers=headers).get(timeout=30)
    producer.close()
    with connect(hotline.settings, "reader") as client:

        def account() -> list[Any]:
            sql = (
                "SELECT sum(counted), sum(seen), sum(revised), sum(dead), sumMap(reasons), "
                "concat(any(topic), '/', any(partition), '/', any(log), '/', any(offset)) FROM hotline.accounts "
                "WHERE block_id = {block:String} HAVING max(final)"
            )
            return list(client.query(sql, parameters={"block": block_id}).result_rows)

        wait_until(account, f"the record {block_id} is stored")
        counted, seen, revised, dead, reasons, place = account()[0]
    found = {"counted": counted, "seen": seen, "revised": revised, "dead": dead, "reasons": dict(reasons)}
    return {**found, "place": place}
