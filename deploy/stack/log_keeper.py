"""Keeps the embedded broker small: it frees nothing, so its log is begun anew when it has become too large."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.processes import Child
from deploy.stack.broker_part import BrokerPart
from deploy.stack.log_state import LogState
from hotline.resident import resident_bytes

LOOK_EVERY_S = 1.0
RETRY_S = 10.0
LIVE_FACTOR = 0.75
"""From what part of `log_bytes_max` on a good moment is looked for, so that live traffic stays below it."""
BULK_FACTOR = 1.5
"""How many times `log_bytes_max` the log may grow to while traffic leaves no good moment, as at full speed."""


class LogKeeper:
    """Looks now and then at the broker's memory, and runs the program that changes the log."""

    def __init__(
        self,
        broker: BrokerPart,
        program: Sequence[str],
        *,
        bytes_max: int,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
    ) -> None:
        """`bytes_max`: what the broker's resident memory may grow by; `program` gets its process and a higher bound."""
        self._broker = broker
        self._bytes_max = bytes_max
        self._child = Child(program, log=log, env=env, cwd=cwd)
        self._program = tuple(program)
        self._changing = False
        self._look_at = 0.0
        self._pid: int | None = None
        self._bytes_at_start = 0
        self._changes = 0

    @property
    def state(self) -> LogState:
        """What is known of the log."""
        self._measure()
        return LogState(
            number=self._broker.log_number,
            bytes_max=self._bytes_max,
            resident_bytes_at_start=self._bytes_at_start,
            changes=self._changes,
        )

    def look(self) -> str:
        """Look, if it is time to; a sentence when there is something to tell, else an empty text.

        To be called again and again while every part is ready; otherwise what is under way goes on by itself.
        """
        if self._changing:
            return "" if self._child.alive() else self._ended()
        if time.monotonic() < self._look_at:
            return ""
        self._look_at = time.monotonic() + LOOK_EVERY_S
        size = self._measure()
        return self._begin(self._pid, size) if self._pid and size > LIVE_FACTOR * self._bytes_max else ""

    def stop(self) -> None:
        """End what is under way."""
        self._child.kill()

    def _measure(self) -> int:
        """Bytes by which the broker's memory has grown since it was first looked at."""
        pid = self._broker.pid
        resident = resident_bytes(pid) if pid else 0
        if pid != self._pid:
            self._pid, self._bytes_at_start = pid, resident
        return resident - self._bytes_at_start

    def _begin(self, pid: int, size: int) -> str:
        self._child.args = (*self._program, str(pid), str(self._bytes_at_start + int(BULK_FACTOR * self._bytes_max)))
        self._broker.may_end = True
        self._changing = True
        self._child.start()
        return f"the log has {size >> 20} MiB: it is begun anew as soon as nothing is under way"

    def _ended(self) -> str:
        self._changing = False
        self._broker.may_end = False
        last = self._child.log_tail(1).strip()
        if self._child.exit_code != 0:
            self._look_at = time.monotonic() + RETRY_S
            return f"the log could not be changed, and grows on ({last}); trying again (log: {self._child.log})"
        self._changes += 1
        self._measure()
        return f"log {self._broker.log_number} has begun: {last}"
