"""``python -m deploy.stack.changing PID BYTES``: end the embedded broker at a good moment, so that a new log begins.

PID is the broker's process, BYTES what it may have resident before no better moment is waited for. All settings come
from HOTLINE_* variables. The supervisor runs this when the log has become too large, notices the end of the broker as
it would notice a crash, and starts it again, empty, under the next log number. What this program adds to a crash:

- a *moment*: everything that others put into intake is forwarded, and all of it is stored;
- where traffic never leaves such a moment, what of intake is perhaps not stored is kept in memory and written into
  the new log. Our own senders of blocks send again by themselves what is not stored.

A process of its own, so that the supervisor stays small and a look that hangs does not hold it up.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from deploy.stack.answering import process_lives
from deploy.stack.intake_tail import IntakeTail
from hotline.lean import without_pandas
from hotline.names import INTAKE_TOPIC
from hotline.resident import resident_bytes
from hotline.settings import Settings, load

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PATIENCE_S = 30.0
"""How long to look for a moment at which nothing is under way."""
TAIL_BYTES_MAX = 64 << 20
"""Bytes of intake that may be kept over a change; with more not yet stored the log grows on instead."""
NEW_LOG_WITHIN_S = 300.0
_POLL_S = 0.1

Logs = Mapping[str, int]


class BrokerEndedError(Exception):
    """Somebody else ended the broker whose log was to be changed, and another log has begun."""


class Looking:
    """Looks for the moment, on one log. Every method may raise what the clients of broker and database raise."""

    def __init__(
        self,
        settings: Settings,
        client: "Client",
        logs: Logs,
        *,
        pressed: Callable[[], bool],
        lives: Callable[[], bool],
    ) -> None:
        """`pressed` tells that there is no time left to wait for a better moment, `lives` that the broker is there."""
        self._bootstrap, self._partitions = settings.bootstrap, range(settings.partitions)
        self._client, self._logs, self._pressed = client, logs, pressed
        self._lives = lives
        self._tail: IntakeTail | None = None

    def moment(self) -> IntakeTail:
        """Wait for the moment; what of intake is perhaps not stored then, as of a few milliseconds ago."""
        while True:
            ends = self._store_what_is_forwarded()
            if self._tail is None or self._tail.bytes > TAIL_BYTES_MAX:
                time.sleep(_POLL_S)
                continue
            quiet = ends is not None and self._ends() == ends
            if (quiet and not self._tail) or self._pressed():
                return self._tail

    def _store_what_is_forwarded(self) -> Mapping[tuple[str, int], int] | None:
        """Wait until everything that intake has forwarded by now is stored, and forget it; where the events ended then.

        None when there was no time to wait for it.
        """
        from producers.intake_position import all_stored, forwarded

        offsets = forwarded(self._bootstrap, self._logs[INTAKE_TOPIC], self._partitions)
        ends = self._ends()
        while not all_stored(self._client, self._logs, ends):
            time.sleep(_POLL_S)
            if not self._lives():
                raise BrokerEndedError("somebody else ended the broker, and another log has begun")
            if self._tail is not None and self._pressed():
                return None
        if self._tail is None:
            self._tail = IntakeTail(self._bootstrap, offsets)
        self._tail.forget_before(offsets)
        self._tail.read_on()
        return ends

    def _ends(self) -> Mapping[tuple[str, int], int]:
        from producers.intake_position import ends_of_events

        return ends_of_events(self._bootstrap, self._partitions)


def change(settings: Settings, pid: int, bytes_max: int) -> int:
    """Change the log; how many events of intake were kept over it."""
    from producers.accounts import current_logs
    from sinks.connecting import connect

    deadline = time.monotonic() + PATIENCE_S
    with closing(connect(settings)) as client:
        logs = current_logs(client)
        pressed = lambda: time.monotonic() > deadline or resident_bytes(pid) > bytes_max  # noqa: E731
        tail = Looking(settings, client, logs, pressed=pressed, lives=partial(process_lives, pid)).moment()
        # What others put into intake between the answer to the last fetch and the end of the broker is lost.
        tail.read_on(then=partial(os.kill, pid, signal.SIGKILL))
        if tail:
            _give_back(settings, client, tail, logs)
        return len(tail)


def _give_back(settings: Settings, client: "Client", tail: IntakeTail, former: Logs) -> None:
    """Write what was kept into the new log, as soon as it has its number: nobody takes away its topics then."""
    from kafka.errors import KafkaError

    from producers.accounts import current_logs

    deadline = time.monotonic() + NEW_LOG_WITHIN_S
    while True:
        try:
            if current_logs(client).get(INTAKE_TOPIC, 0) > former[INTAKE_TOPIC]:
                tail.send_again(settings.partitions)
                return
        except (KafkaError, AssertionError):  # the broker went away again; the sets absorb what is repeated
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def main(arguments: list[str]) -> int:
    """Run it; 0 when the broker was ended and nothing is missing, 1 with a reason when the log was not changed."""
    import logging

    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    pid, bytes_max = map(int, arguments)
    try:
        kept = change(load()[0], pid, bytes_max)
    except Exception as error:  # noqa: BLE001  whatever it is, the supervisor tries again
        sys.stderr.write(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}\n")
        return 1
    sys.stdout.write(f"{kept} events of intake were kept over the change\n" if kept else "nothing was under way\n")
    return 0


if __name__ == "__main__":
    without_pandas()
    sys.exit(main(sys.argv[1:]))
