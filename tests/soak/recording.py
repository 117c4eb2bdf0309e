"""What a stack takes, second by second: memory of each part, disk, and how far the sink is behind."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from hotline.resident import resident_bytes
from tests.e2e.stacks import SUPERVISOR

if TYPE_CHECKING:
    from tests.e2e.stacks import Hotline

EVERY_S = 1.0


class Sample(msgspec.Struct, frozen=True):
    """One moment, `at_s` seconds after the recording began."""

    at_s: float
    resident: dict[str, int]
    """Part → bytes of memory; a part that does not run just then has none."""
    disk_bytes: int
    """Of the whole data folder."""
    lag_records: int | None
    """Records written and not stored; None while the sink does not answer."""


class Recorder:
    """Takes samples of a stack beside whatever happens to it. Use as a context manager; `samples` grows."""

    def __init__(self, hotline: Hotline) -> None:
        self.samples: list[Sample] = []
        self.others: dict[str, int] = {}
        """Name → process id of whoever is recorded besides the stack's own parts."""
        self._hotline = hotline
        self._begun = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def passed_s(self) -> float:
        """Seconds since the recording began."""
        return time.monotonic() - self._begun

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.samples.append(self._sample())

    def _sample(self) -> Sample:
        state = self._hotline.state()
        pids = {part["name"]: part["pid"] for part in state.get("parts", []) if part["pid"]}
        pids |= {SUPERVISOR: state["pid"]} if state else {}
        pids |= self.others
        resident = {name: size for name, pid in pids.items() if (size := resident_bytes(pid))}
        return Sample(self.passed_s, resident, _disk_bytes(self._hotline.data), _lag_records(state))


def _disk_bytes(folder: Path) -> int:
    """Bytes of all files; what goes away meanwhile counts nothing."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(at, name).stat().st_blocks * 512
    return total


def _lag_records(state: dict[str, object]) -> int | None:
    settings = state.get("raw_settings")
    port = settings.get("sink_health_port") if isinstance(settings, dict) else None
    if not port:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=1)
    try:
        connection.request("GET", "/health")
        return int(json.loads(connection.getresponse().read())["lag"])
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
