"""Sends single JSON events to intake, and finds out what became of them.

What is sent is kept until it is settled: acknowledged by the broker, or, when the caller waits, stored or dead. A
broker that began a new log gets all of it again; the sets absorb repeats.
"""

from __future__ import annotations

import contextlib
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

from hotline.names import INTAKE_TOPIC, JSON_BYTES_MAX, PSEUDONYMISED
from producers.accounts import current_logs
from producers.bounds import DEFAULTS, Bounds
from producers.intake_position import all_stored, dead_reasons, ends_of_events, forwarded
from producers.sending import Connect, StackAwayError, open_producer, until_joined

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from producers.waiting import Waiting

KEPT_EVENTS_MAX = 50_000
"""Events sent and not yet settled; sending waits at so many, or at half the bytes of a sender's bounds."""
ASK_EVERY_S = 0.2
UNSETTLED_S_MAX = 15.0
"""Longest that events of a source that waits stay unsettled; settling takes a second, in which nothing is sent."""
TOLD_EVERY = 1_000
"""Events after which progress is told."""


class Sending(msgspec.Struct, kw_only=True):
    """What a sending came to, in events. read = sent; once waited for, sent = stored + dead."""

    read: int = 0
    sent: int = 0
    """Acknowledged by the broker."""
    stored: int = 0
    dead: int = 0
    reasons: dict[str, int] = {}
    seconds: float = 0.0
    waited: bool = False
    """Whether the end of the pipeline was waited for; if not, `stored` and `dead` are 0."""
    complete: bool = False
    problem: str | None = None
    """Why it is not complete."""


Progress = Callable[[Sending], None]


class _Whose(msgspec.Struct):
    source: str = ""
    entity: str = ""


@dataclass
class _Kept:
    value: bytes
    partition: int
    acknowledged: Any = None
    """Future of the producer, None when it refused."""

    @property
    def failed(self) -> bool:
        return self.acknowledged is None or bool(self.acknowledged.failed())

    @property
    def offset(self) -> int:
        return int(self.acknowledged.value.offset)


def send_events(
    events: Iterable[bytes],
    *,
    partitions: int,
    connect: Connect,
    wait: bool,
    progress: Progress,
    pseudonymised: bool = False,
    source: Waiting | None = None,
    bounds: Bounds = DEFAULTS,
) -> Sending:
    """Send each of `events` (one JSON object each) to intake; with `wait` return when all are stored or dead.

    While the `source` of the events waits for what comes next, it is seen to that what was sent arrives.
    `pseudonymised`: callers and names in them are pseudonyms already. Raises StackAwayError when the stack does not
    answer at the start; whatever goes wrong later stands in the account, as its `problem`.
    """
    begun = time.monotonic()
    account = Sending(waited=wait, reasons={})

    def tell() -> None:
        account.seconds = round(time.monotonic() - begun, 3)
        progress(account)

    with JsonSender(
        connect, partitions, account, tell, wait=wait, pseudonymised=pseudonymised, bounds=bounds
    ) as sender:
        if source:
            source.idle = sender.look
        try:
            for event in events:
                sender.send(event)
                if account.read % TOLD_EVERY == 0:
                    tell()
            sender.settle()
        except StackAwayError as error:
            account.problem = str(error)
    account.complete = account.problem is None and account.read == account.sent
    tell()
    return account


class JsonSender:
    """Sends events one by one, and settles them some ten thousand at a time. Use as a context manager."""

    def __init__(
        self,
        connect: Connect,
        partitions: int,
        account: Sending,
        tell: Callable[[], None],
        *,
        wait: bool,
        pseudonymised: bool,
        bounds: Bounds = DEFAULTS,
    ) -> None:
        self._connect, self._partitions, self._account, self._tell = connect, partitions, account, tell
        self._wait, self._headers = wait, [(PSEUDONYMISED, b"yes")] if pseudonymised else []
        self._bounds = bounds
        self._kept: list[_Kept] = []
        self._kept_since = 0.0
        self._bytes = 0
        self._logs: dict[str, int] = {}
        self._bootstrap = ""
        self._producer: Any = None
        self._client: Client | None = None
        self._address = msgspec.json.Decoder(_Whose)

    def __enter__(self) -> Self:
        """Connect; waits for a stack that is starting. Raises StackAwayError when it does not come."""
        self._rejoin()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self._close()

    def send(self, event: bytes) -> None:
        """Send one event; settles all that are kept when they are many. Raises StackAwayError.

        Of one over the limit only so much is sent that intake refuses it as too large.
        """
        value = event[: JSON_BYTES_MAX + 1]
        kept = _Kept(value, self._home(value))
        self._account.read += 1
        self._kept_since = self._kept_since if self._kept else time.monotonic()
        self._kept.append(kept)
        self._bytes += len(value)
        self._produce(kept)
        if len(self._kept) >= KEPT_EVENTS_MAX or self._bytes >= self._bounds.bytes_max // 2:
            self.settle()

    def look(self) -> None:
        """Settle what was sent some time ago, and tell how far it is; for who sends only now and then."""
        if self._kept and time.monotonic() - self._kept_since > UNSETTLED_S_MAX:
            self.settle()
        self._tell()

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged, or stored or dead. Raises StackAwayError."""
        begun = time.monotonic()
        ends: dict[tuple[str, int], int] | None = None
        while self._kept:
            try:
                if current_logs(self._asked) != self._logs or any(kept.failed for kept in self._kept):
                    raise ConnectionError("another log, or events that the broker did not take")  # noqa: TRY301
                self._producer.flush(timeout=ASK_EVERY_S * 10)
                if all(kept.acknowledged.succeeded() for kept in self._kept) and (not self._wait or self._forwarded()):
                    ends = ends or (ends_of_events(self._bootstrap, range(self._partitions)) if self._wait else {})
                    if not self._wait or all_stored(self._asked, self._logs, ends):
                        self._settled()
                        return
            except StackAwayError:
                raise
            except Exception:  # noqa: BLE001 the stack may be away in any way there is
                ends = None
                self._rejoin()
            self._tell()
            if time.monotonic() - begun > self._bounds.away_s_max:
                raise StackAwayError(
                    f"{len(self._kept)} events were not stored within {self._bounds.away_s_max:.0f} s. "
                    "Look at hotline status, then send again: what is stored is not counted twice"
                )
            time.sleep(ASK_EVERY_S)

    def _forwarded(self) -> bool:
        wanted: dict[int, int] = {}
        for kept in self._kept:
            wanted[kept.partition] = max(wanted.get(kept.partition, 0), kept.offset + 1)
        there = forwarded(self._bootstrap, self._logs[INTAKE_TOPIC], wanted)
        return all(there[partition] >= offset for partition, offset in wanted.items())

    def _settled(self) -> None:
        account = self._account
        account.sent += len(self._kept)
        if self._wait:
            mine: dict[int, set[int]] = {}
            for kept in self._kept:
                mine.setdefault(kept.partition, set()).add(kept.offset)
            dead = dead_reasons(self._asked, self._logs[INTAKE_TOPIC], mine)
            account.dead += sum(dead.values())
            account.stored = account.sent - account.dead
            for reason, count in dead.items():
                account.reasons[reason] = account.reasons.get(reason, 0) + count
        self._kept, self._bytes = [], 0
        self._tell()

    # -- connecting ------------------------------------------------------------------------------------------------

    @property
    def _asked(self) -> Client:
        if self._client is None:
            raise ConnectionError("not connected")
        return self._client

    def _home(self, value: bytes) -> int:
        """Events of one call or ticket go to one partition, so that one worker sees them, in their order."""
        try:
            whose = self._address.decode(value)
            name = f"{whose.source}\0{whose.entity}"
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._account.read % self._partitions
        return zlib.crc32(name.encode()) % self._partitions

    def _produce(self, kept: _Kept) -> None:
        from kafka.errors import KafkaError

        try:
            kept.acknowledged = self._producer.send(
                INTAKE_TOPIC, partition=kept.partition, value=kept.value, headers=self._headers
            )
        except (KafkaError, AssertionError):  # kafka-python asserts that it knows the partition
            kept.acknowledged = None  # the broker is away: sent again when it is back

    def _rejoin(self) -> None:
        """Connect anew until it works, then send again what is kept. Raises StackAwayError after too long."""
        away_s_max = self._bounds.away_s_max
        until_joined(self._join, lambda: f"{len(self._kept)} events", again="send", away_s_max=away_s_max)

    def _join(self) -> None:
        self._close()
        self._bootstrap, self._client = self._connect()
        self._logs = current_logs(self._client)
        self._producer = open_producer(self._bootstrap, linger_ms=20, batch_size=1 << 18)
        for kept in self._kept:
            self._produce(kept)

    def _close(self) -> None:
        from kafka.errors import KafkaError

        if self._producer is not None:
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=1)
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close()
        self._producer = self._client = None
