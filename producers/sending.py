"""Sends blocks, and keeps each one until the sink has stored it.

An embedded broker forgets its log when it dies, and any broker may lose its tail: what is not yet stored is sent again
under the same block id as soon as the topic's log has another number or a sending failed. The sets absorb repeats.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from hotline.measured import Verdicts
from hotline.names import ARROW_STREAM, BLOCK_BYTES_MAX, BLOCK_ID, CONTENT_TYPE, EVENTS_TOPICS, RECORD_BYTES_MAX
from producers.accounts import current_logs, stored_verdicts

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.blocks import Block

KEPT_BYTES_MAX = 96 * 2**20
"""Bytes of blocks sent and not yet stored; sending waits above it."""
ASK_EVERY_S = 0.1
ASK_BLOCKS_MAX = 500
AWAY_S_MAX = 120.0
"""How long the stack may be away before sending gives up."""

Connect = Callable[[], tuple[str, Any]]
"""Gives the broker's address and a client of the database, as they are now; may raise while the stack is away."""


class StackAwayError(RuntimeError):
    """Nothing answered for too long."""


@dataclass
class _Kept:
    subject: str
    partition: int
    events: int
    value: bytes
    sending: Any = None


class Sender:
    """Sends blocks of any subject. Use as a context manager; `stored` is called once a block, with its verdicts."""

    def __init__(self, connect: Connect, stored: Callable[[str, int, Verdicts], None]) -> None:
        self._connect, self._stored = connect, stored
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._asked_at = 0.0
        self._away_since: float | None = None
        self._logs: dict[str, int] = {}
        self._producer: Any = None
        self._client: Client | None = None

    def __enter__(self) -> Sender:
        """Connect; waits for a stack that is starting."""
        self._until(self._open)
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self._close()

    def send(self, block: Block) -> None:
        """Send a block; waits while too much is not yet stored. Raises ValueError for a block over 16 MiB."""
        value = block.encode()
        if len(value) > BLOCK_BYTES_MAX:
            raise ValueError(f"block {block.block_id} has {len(value)} bytes, {BLOCK_BYTES_MAX} is the most: split it")
        kept = _Kept(block.subject.name, block.partition, len(block.events), value)
        self._kept[block.block_id] = kept
        self._bytes += len(value)
        self._produce(block.block_id, kept)
        self._ask()
        while self._bytes > KEPT_BYTES_MAX:
            self._wait()

    def finish(self) -> None:
        """Wait until everything sent is stored. Raises StackAwayError when nothing answers for too long."""
        while self._kept:
            self._wait()

    # ------------------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        time.sleep(ASK_EVERY_S / 2)
        self._ask()

    def _ask(self) -> None:
        """Look, now and then, what is stored, and send again what may be lost."""
        if time.monotonic() - self._asked_at < ASK_EVERY_S:
            return
        self._asked_at = time.monotonic()
        try:
            self._take_verdicts()
            lost = self._lost_topics()
        except Exception as error:  # noqa: BLE001 the engine may be away in any way there is
            self._away(error)
            return
        self._away_since = None
        failed = any(kept.sending is None or kept.sending.failed() for kept in self._kept.values())
        if lost or failed:
            self._until(self._reopen)

    def _take_verdicts(self) -> None:
        asked = list(self._kept)[:ASK_BLOCKS_MAX]
        if not asked or self._client is None:
            return
        for block_id, verdicts in stored_verdicts(self._client, asked).items():
            kept = self._kept.pop(block_id)
            self._bytes -= len(kept.value)
            self._stored(kept.subject, kept.events, verdicts)

    def _lost_topics(self) -> bool:
        return self._client is not None and current_logs(self._client) != self._logs

    def _produce(self, block_id: str, kept: _Kept) -> None:
        headers = [(CONTENT_TYPE, ARROW_STREAM), (BLOCK_ID, block_id.encode())]
        try:
            kept.sending = self._producer.send(
                EVENTS_TOPICS[kept.subject], partition=kept.partition, value=kept.value, headers=headers
            )
        except KafkaError:
            kept.sending = None  # the broker is away: it is sent again by _ask

    def _open(self) -> None:
        bootstrap, self._client = self._connect()
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            max_request_size=RECORD_BYTES_MAX,
            reconnect_backoff_max_ms=1000,
            max_block_ms=10_000,
        )
        self._logs = current_logs(self._client)

    def _reopen(self) -> None:
        self._close()
        self._open()
        for block_id, kept in self._kept.items():
            self._produce(block_id, kept)

    def _close(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=1)
        self._producer = None

    def _until(self, action: Callable[[], None]) -> None:
        """Try until it works or the stack was away for too long."""
        while True:
            try:
                action()
            except Exception as error:  # noqa: BLE001 whatever a starting stack answers
                self._away(error)
                time.sleep(0.3)
            else:
                self._away_since = None
                return

    def _away(self, error: Exception) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > AWAY_S_MAX:
            raise StackAwayError(
                f"the stack did not answer for {AWAY_S_MAX:.0f} s ({error}); {len(self._kept)} blocks may not be stored. "
                "Look at hotline status, then load again: what is stored is not counted twice"
            ) from error
