"""A load: files through an adapter into the topics, and the account of what became of every line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from hotline import blocks
from hotline.events.rules import problems
from hotline.measured import Verdicts
from hotline.names import EVENTS_TOPICS
from hotline.subjects import SUBJECTS
from producers.accounts import Account
from producers.adapters.adapter import Batch
from producers.adapters.errors import TruncatedError
from producers.sending import Connect, Sender

if TYPE_CHECKING:
    from hotline.blocks import Block


class Lines(msgspec.Struct, kw_only=True):
    """Lines of the files: read, broken (each one dead event), skipped on purpose."""

    read: int = 0
    broken: int = 0
    skipped: dict[str, int] = {}


class Load(msgspec.Struct, kw_only=True):
    """What a load came to. Events, but for `lines`."""

    read: int = 0
    counted: int = 0
    seen: int = 0
    revised: int = 0
    dead: int = 0
    seconds: float = 0.0
    complete: bool = False
    topics: dict[str, Account]
    lines: Lines
    reasons: dict[str, int] = {}
    problem: str | None = None
    """Why a file was not read to its end."""


Progress = Callable[[Load, int], None]
"""Called now and then with the account so far and the bytes read of the current file."""


def load(batches: Iterable[Batch], *, partitions: int, connect: Connect, progress: Progress) -> Load:
    """Send all events of `batches`, wait until they are stored, and account for them."""
    begun = time.monotonic()
    result = _empty()

    def stored(subject: str, events: int, verdicts: Verdicts) -> None:
        del events
        result.topics[EVENTS_TOPICS[subject]].add(verdicts)

    with Sender(connect, stored) as sender:
        for batch in _readable(batches, result):
            for block in _blocks(batch, partitions, result):
                sender.send(block)
            _add_up(result, begun)
            progress(result, batch.bytes_read)
        sender.finish()
    _add_up(result, begun)
    result.complete = result.problem is None and all(account.adds_up for account in result.topics.values())
    return result


def dry_run(batches: Iterable[Batch], *, progress: Progress) -> Load:
    """The same reading, with nothing sent: what would be dead is; all else is said to be counted."""
    begun = time.monotonic()
    result = _empty()
    for batch in _readable(batches, result):
        for block in _blocks(batch, 1, result):
            reasons = dict(problems(block.subject, block.events).drop_nulls().value_counts().iter_rows())
            dead = sum(reasons.values())
            verdicts = Verdicts(counted=len(block.events) - dead, dead=dead, reasons=reasons)
            result.topics[EVENTS_TOPICS[block.subject.name]].add(verdicts)
        _add_up(result, begun)
        progress(result, batch.bytes_read)
    result.complete = result.problem is None
    return result


def _empty() -> Load:
    return Load(topics={topic: Account(reasons={}) for topic in EVENTS_TOPICS.values()}, lines=Lines(skipped={}))


def _readable(batches: Iterable[Batch], result: Load) -> Iterator[Batch]:
    """The batches of a file, up to where it breaks off; its lines are counted on the way."""
    try:
        for batch in batches:
            result.lines.read += batch.lines_read
            result.lines.broken += batch.lines_broken
            for why, count in batch.skipped.items():
                result.lines.skipped[why] = result.lines.skipped.get(why, 0) + count
            yield batch
    except TruncatedError as error:
        result.problem = str(error)


def _blocks(batch: Batch, partitions: int, result: Load) -> Iterator[Block]:
    for name, frame in batch.frames.items():
        for block in blocks.pack(SUBJECTS[name], frame, partitions):
            result.topics[EVENTS_TOPICS[name]].read += len(block.events)
            yield block


def _add_up(result: Load, begun: float) -> None:
    accounts = result.topics.values()
    for name in ("read", "counted", "seen", "revised", "dead"):
        setattr(result, name, sum(getattr(account, name) for account in accounts))
    result.reasons = {}
    for account in accounts:
        for reason, count in account.reasons.items():
            result.reasons[reason] = result.reasons.get(reason, 0) + count
    result.seconds = round(time.monotonic() - begun, 3)
