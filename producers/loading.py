"""A load: files through an adapter into the topics, and the account of what became of every line."""

from __future__ import annotations

import itertools
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
from producers.adapters.errors import TruncatedError
from producers.bounds import DEFAULTS, Bounds
from producers.files import IncompleteError
from producers.pace import ASK_AFTER_S
from producers.sending import Connect, Sender, StackAwayError

if TYPE_CHECKING:
    from hotline.blocks import Block
    from producers.adapters.adapter import Batch
    from producers.waiting import Waiting

UNHURRIED_S = 0.5
"""How soon to ask again for what is stored of a source that sends small blocks for ever."""


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
    """Every file was read to its end, and every event read has its verdict."""
    topics: dict[str, Account]
    lines: Lines
    reasons: dict[str, int] = {}
    problem: str | None = None
    """Why it is not complete."""


Progress = Callable[[Load], None]
"""Called now and then with the account so far."""


def load(
    batches: Iterable[Batch],
    *,
    partitions: int,
    connect: Connect,
    progress: Progress,
    follower: Waiting | None = None,
    bounds: Bounds = DEFAULTS,
) -> Load:
    """Send all events of `batches`, wait until they are stored, and account for them.

    While a `follower` waits for what comes next, it is seen to that what was sent is stored.

    Raises UnreadableError when there is not one batch (then nothing is connected either), StackAwayError when the
    stack does not answer at the start. Whatever goes wrong later stands in the account, as its `problem`.
    """
    begun = time.monotonic()
    result = _empty()
    readable = _begun(_readable(batches, result))

    def stored(subject: str, verdicts: Verdicts) -> None:
        result.topics[EVENTS_TOPICS[subject]].add(verdicts)

    ask_after_s = UNHURRIED_S if follower else ASK_AFTER_S
    with Sender(connect, stored, bounds=bounds, ask_after_s=ask_after_s) as sender:

        def idle() -> None:
            if sender.waiting:
                sender.look()
                _tell(result, begun, progress)

        if follower:
            follower.idle = idle
        try:
            for batch in readable:
                for block in _blocks(batch, partitions, result):
                    sender.send(block)
                _tell(result, begun, progress)
            while sender.waiting:
                sender.wait()
                _tell(result, begun, progress)
        except StackAwayError as error:
            result.problem = str(error)
    _tell(result, begun, progress)
    result.complete = result.problem is None and all(account.adds_up for account in result.topics.values())
    return result


def dry_run(batches: Iterable[Batch], *, progress: Progress) -> Load:
    """Read in the same way and send nothing: what would be dead is; all else is said to be counted.

    Raises UnreadableError when there is not one batch.
    """
    begun = time.monotonic()
    result = _empty()
    for batch in _begun(_readable(batches, result)):
        for block in _blocks(batch, 1, result):
            reasons = dict(problems(block.subject, block.events).drop_nulls().value_counts().iter_rows())
            dead = sum(reasons.values())
            verdicts = Verdicts(counted=len(block.events) - dead, dead=dead, reasons=reasons)
            result.topics[EVENTS_TOPICS[block.subject.name]].add(verdicts)
        _tell(result, begun, progress)
    result.complete = result.problem is None
    return result


def _empty() -> Load:
    return Load(topics={topic: Account(reasons={}) for topic in EVENTS_TOPICS.values()}, lines=Lines(skipped={}))


def _begun(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Read the first one at once: a file of something else must raise before anything is done."""
    return itertools.chain([first] if (first := next(batches, None)) else [], batches)


def _readable(batches: Iterable[Batch], result: Load) -> Iterator[Batch]:
    """Give the batches up to where they break off; count their lines on the way."""
    try:
        for batch in batches:
            result.lines.read += batch.lines_read
            result.lines.broken += batch.lines_broken
            for why, count in batch.skipped.items():
                result.lines.skipped[why] = result.lines.skipped.get(why, 0) + count
            yield batch
    except (TruncatedError, IncompleteError) as error:
        result.problem = str(error)


def _blocks(batch: Batch, partitions: int, result: Load) -> Iterator[Block]:
    for name, frame in batch.frames.items():
        for block in blocks.pack(SUBJECTS[name], frame, partitions):
            result.topics[EVENTS_TOPICS[name]].read += len(block.events)
            yield block


def _tell(result: Load, begun: float, progress: Progress) -> None:
    accounts = result.topics.values()
    for name in ("read", "counted", "seen", "revised", "dead"):
        setattr(result, name, sum(getattr(account, name) for account in accounts))
    result.reasons = {}
    for account in accounts:
        for reason, count in account.reasons.items():
            result.reasons[reason] = result.reasons.get(reason, 0) + count
    result.seconds = round(time.monotonic() - begun, 3)
    progress(result)
