"""Sends blocks, and keeps each one until the sink has stored it.

An embedded broker forgets its log when it dies, and any broker may lose its tail: what is not yet stored is sent again
under the same block id as soon as the topics' logs have other numbers, and what a broker did not take as soon as it
answers. The sets absorb repeats, and an account takes the first stored verdicts of a block.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from kafka.errors import KafkaError

from hotline.measured import Verdicts
from hotline.names import (
    ARROW_STREAM,
    BLOCK_BYTES_MAX,
    BLOCK_ID,
    CONTENT_TYPE,
    EVENTS_TOPICS,
    RECORD_BYTES_MAX,
    REFOLD,
)
from producers.accounts import current_logs, stored_verdicts
from producers.bounds import DEFAULTS, Bounds
from producers.pace import ASK_AFTER_S, Pace

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.blocks import Block
    from hotline.refold import Refold
    from hotline.subjects import Subject

LOOK_EVERY_S = 1.0
"""How often to look whether the topics have other logs."""
ASK_BLOCKS_MAX = 500

Connect = Callable[[], tuple[str, Any]]
"""Gives the broker's address and a client of the database, as they are now; may raise while the stack is away."""
Stored = Callable[[str, Verdicts], None]
"""Called once a block with its subject's name and its verdicts."""


class StackAwayError(RuntimeError):
    """Nothing answered, or nothing was stored, for too long."""


@dataclass
class _Kept:
    subject: str
    partition: int
    value: bytes
    content_type: bytes
    sending: Any = None
    """Future of the producer, None when it refused."""

    @property
    def failed(self) -> bool:
        return self.sending is None or bool(self.sending.failed())


def until_joined(join: Callable[[], None], waiting: Callable[[], str], *, again: str, away_s_max: float) -> None:
    """Do `join` until it raises nothing. Raises StackAwayError after too long, with what is `waiting` to be stored.

    `again` names the command that the user is to repeat then.
    """
    begun = time.monotonic()
    while True:
        try:
            join()
        except Exception as error:  # whatever a starting stack answers
            if time.monotonic() - begun > away_s_max:
                raise StackAwayError(
                    f"the stack did not answer for {away_s_max:.0f} s ({error}); {waiting()} may not be stored. "
                    f"Look at hotline status, then {again} again: what is stored is not counted twice"
                ) from error
            time.sleep(0.3)
        else:
            return


def open_producer(bootstrap: str, **batching: Any) -> Any:
    """Open a producer of records up to the largest there are; `batching` are kafka-python's own settings of it."""
    from kafka import KafkaProducer

    return KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        max_request_size=RECORD_BYTES_MAX,
        reconnect_backoff_max_ms=1000,
        max_block_ms=10_000,
        delivery_timeout_ms=60_000,
        enable_idempotence=False,  # repeats do no harm here, and a broker that starts empty knows no sequences
        allow_auto_create_topics=False,  # one that starts empty must get its topics from their maker
        **batching,
    )


class Sender:
    """Sends blocks of any subject. Use as a context manager; `stored` is called once a block, with its verdicts.

    It asks what is stored `ask_after_s` after the last time or later, as a `Pace` says.
    """

    def __init__(
        self, connect: Connect, stored: Stored, *, bounds: Bounds = DEFAULTS, ask_after_s: float = ASK_AFTER_S
    ) -> None:
        self._connect, self._stored, self._bounds, self._pace = connect, stored, bounds, Pace(ask_after_s)
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._looked_at = 0.0
        self._logs: dict[str, int] = {}
        self._bootstrap = ""
        self._producer: Any = None
        self._client: Client | None = None

    def __enter__(self) -> Self:
        """Connect; waits for a stack that is starting. Raises StackAwayError when it does not come."""
        self._rejoin()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self._close_producer()
        self._close_client()

    @property
    def waiting(self) -> int:
        """Blocks sent and not yet known to be stored."""
        return len(self._kept)

    def send(self, block: Block) -> None:
        """Send a block, in pieces when it is too large for a record; waits while too much is not yet stored.

        Raises ValueError for a single event over 16 MiB, StackAwayError when nothing answers or is stored for too long.
        """
        value = block.encode()
        if len(value) > BLOCK_BYTES_MAX:
            for half in _halves(block):
                self.send(half)
            return
        self._keep(block.block_id, _Kept(block.subject.name, block.partition, value, ARROW_STREAM))

    def send_record(self, subject: str, partition: int, value: bytes) -> None:
        """Send what once stood as a record, as it came, under an id of its own; waits and raises as `send` does."""
        self._keep(uuid.uuid4().hex, _Kept(subject, partition, value, ARROW_STREAM))

    def ask_to_refold(self, request_id: str, subject: Subject, partition: int, request: Refold) -> None:
        """Send a request to fold again, under an id as a block has one. Raises StackAwayError as `send` does."""
        self._keep(request_id, _Kept(subject.name, partition, request.encode(), REFOLD))

    def _keep(self, block_id: str, kept: _Kept) -> None:
        if not self._kept:
            self._pace.begin()
        self._kept[block_id] = kept
        self._bytes += len(kept.value)
        self._produce(block_id, kept)
        self._ask()
        while self._bytes > self._bounds.bytes_max:
            self.wait()

    def wait(self) -> None:
        """Wait a moment and look what is stored. Raises StackAwayError."""
        time.sleep(self._pace.after_s / 2)
        self._ask()

    def look(self) -> None:
        """Look what is stored, and send again what may be lost; for who sends only now and then."""
        self._ask()

    # -- looking ---------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Look, now and then, what is stored, and send again what may be lost."""
        if not self._pace.due:
            return
        self._pace.asked()
        try:
            self._take_verdicts()
            moved = self._logs_moved()
        except Exception:  # noqa: BLE001 the engine may be away in any way there is
            self._rejoin()
            return
        if moved or any(kept.failed for kept in self._kept.values()):
            self._rejoin()
        if self._kept and self._pace.quiet_s > self._bounds.away_s_max:
            raise StackAwayError(
                f"nothing was stored for {self._bounds.away_s_max:.0f} s; {self.waiting} blocks may not be stored. "
                "Look at hotline status, then load again: what is stored is not counted twice"
            )

    @property
    def _asked(self) -> Client:
        if self._client is None:
            raise ConnectionError("not connected")
        return self._client

    def _logs_moved(self) -> bool:
        """Whether a topic has another log, looked at now and then."""
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = time.monotonic()
        return current_logs(self._asked) != self._logs

    def _take_verdicts(self) -> None:
        """Let go of the blocks that are stored."""
        before = self._bytes
        asked = list(self._kept)[:ASK_BLOCKS_MAX]
        for block_id, verdicts in stored_verdicts(self._asked, asked).items() if asked else ():
            kept = self._kept.pop(block_id)
            self._bytes -= len(kept.value)
            self._stored(kept.subject, verdicts)
        self._pace.found(before - self._bytes, self._bytes)

    # -- sending ---------------------------------------------------------------------------------------------------

    def _produce(self, block_id: str, kept: _Kept) -> None:
        headers = [(CONTENT_TYPE, kept.content_type), (BLOCK_ID, block_id.encode())]
        try:
            kept.sending = self._producer.send(
                EVENTS_TOPICS[kept.subject], partition=kept.partition, value=kept.value, headers=headers
            )
        except (KafkaError, AssertionError):  # kafka-python asserts that the partition is in what it knows of the topic
            kept.sending = None  # the broker is away: _ask sends it again

    def _rejoin(self) -> None:
        """Connect anew until it works; then send what may be lost. Raises StackAwayError after too long."""
        away_s_max = self._bounds.away_s_max
        until_joined(self._join, lambda: f"{self.waiting} blocks", again="load", away_s_max=away_s_max)

    def _join(self) -> None:
        self._close_client()
        bootstrap, self._client = self._connect()
        logs = current_logs(self._client)
        if self._producer is not None and (logs, bootstrap) == (self._logs, self._bootstrap):
            lost = {block_id: kept for block_id, kept in self._kept.items() if kept.failed}
        else:
            lost = self._kept
        if lost or self._producer is None:
            self._close_producer()
            # Closing gives up what was under way: that is sent again as well.
            lost = lost | {block_id: kept for block_id, kept in self._kept.items() if kept.failed}
            self._producer = open_producer(bootstrap)
        self._logs, self._bootstrap = logs, bootstrap
        for block_id, kept in lost.items():
            self._produce(block_id, kept)

    def _close_producer(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=1)
        self._producer = None

    def _close_client(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close()
        self._client = None


def _halves(block: Block) -> list[Block]:
    size = len(block.events)
    if size < 2:
        raise ValueError(f"an event has over {BLOCK_BYTES_MAX} bytes, which no record may: shorten what it states")
    pieces = (block.events[: size // 2], block.events[size // 2 :])
    return [replace(block, block_id=uuid.uuid4().hex, events=piece) for piece in pieces]
