"""Another of a part's kind beside it, as on another machine: with the same settings and a data folder of its own.

A part that stood still and wakes up beside its successor is a zombie. Here it must end itself, whichever of the two is
the zombie at last, and what it wrote meanwhile must have done no harm.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from hotline.data_folder import DataFolder, told_ready
from sinks.writer.run import EXIT_FENCED
from tests.e2e.stacks import ROOT, wait_until
from tests.faults.signalling import signalled

if TYPE_CHECKING:
    from types import TracebackType

    from tests.faults.laboratory import Laboratory

SINK, WORKER = "sink", "worker-0"
MODULES = {SINK: "sinks.writer", WORKER: "streams"}


class Stranger:
    """A second process of a part's kind. Use as a context manager: it is killed at the end, if it still runs then."""

    def __init__(self, lab: Laboratory, name: str) -> None:
        self._lab, self._name = lab, name
        self.folder = DataFolder(Path(tempfile.mkdtemp(prefix=f"stranger-{name}-", dir=lab.hotline.data.parent)))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it. What is secret is copied: passwords, and the key without which pseudonyms would be others."""
        shutil.copytree(self._lab.hotline.settings.folder.secrets, self.folder.secrets, dirs_exist_ok=True)
        self.folder.make()
        environ = _environ_of(self._lab, self._name)
        environ |= {"HOTLINE_DATA": str(self.folder.root), "HOTLINE_SINK_HEALTH_PORT": "0"}  # the part's own has it
        with (self.folder.root / "log" / f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULES[self._name]], env=environ, cwd=ROOT, stdout=log, stderr=log
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def said(self) -> str:
        """What it printed."""
        return (self.folder.root / "log" / f"{self._name}.log").read_text()

    def await_ready(self) -> None:
        """Wait until it works: it knows what is under way, and reads on. Raises AssertionError if it ends before."""
        wait_until(lambda: self.is_ready or self.code is not None, f"the other {self._name} is ready")
        assert self.is_ready, f"the other {self._name} ended with {self.code}: {self.said()[-2000:]}"

    @property
    def is_ready(self) -> bool:
        """Whether it works."""
        if self._name == SINK:
            return (self.folder.run / "sink.json").exists()
        return told_ready(self.folder.ready(self._name), self.pid)


def two_sinks(lab: Laboratory) -> int:
    """Let a sink wake up beside its successor, then the successor beside the next one: each ends itself, in vain.

    Each is stopped between two batches. In the middle of one it must not be replaced without its spool, which the
    guarantees say, and a model of the protocol shows.
    """
    lab.heal()
    first = lab.pid(SINK)
    _stop_between_batches(first, lab.hotline.settings.folder.sink)
    try:
        with Stranger(lab, SINK) as other:
            other.await_ready()
            lab.tell_again()  # it is stored, by the other: the first stands still
            _stop_between_batches(other.pid, other.folder.sink)
            signalled(first, signal.SIGCONT)
            wait_until(lambda: lab.pid(SINK) not in {first, 0}, "the sink that woke up ends itself")
            lab.heal()
            lab.tell_again()  # and this by the one that the supervisor started then
            signalled(other.pid, signal.SIGCONT)
            wait_until(lambda: other.code is not None, "the other sink ends itself")
            assert other.code == EXIT_FENCED, other.said()[-2000:]
    finally:
        signalled(first, signal.SIGCONT)
    assert "it must end" in (lab.hotline.data / "log" / "sink.log").read_text()
    return 2


def two_workers(lab: Laboratory) -> int:
    """Let a worker wake up over a block that another measured in its place meanwhile, and what came after that.

    It stood still before it sent an output, and sends it late; or it had sent it and did not hear of it, and goes on
    behind it. In either case it finds somebody else's outputs, and ends itself.
    """
    lab.heal()
    first = lab.freeze_at_work(WORKER)
    if lab.draw.random() < 0.5:
        _send_unheard(lab, first)
    try:
        with Stranger(lab, WORKER) as other:
            other.await_ready()
            lab.tell_again()  # the other measures it
            signalled(first, signal.SIGCONT)
            wait_until(lambda: lab.pid(WORKER) != first, "the worker that woke up ends itself")
    finally:
        signalled(first, signal.SIGCONT)
    assert "another worker writes here" in (lab.hotline.data / "log" / f"{WORKER}.log").read_text()
    return 1


def _send_unheard(lab: Laboratory, worker: int) -> None:
    """Let a worker that stands still over a block send its output to a broker that stands still; then it does again."""
    broker = lab.pid("broker")
    signalled(broker, signal.SIGSTOP)
    try:
        signalled(worker, signal.SIGCONT)
        wait_until(lambda: not lab.at_work(WORKER), "the output is made")
        time.sleep(UNHEARD_S)
        signalled(worker, signal.SIGSTOP)
    finally:
        signalled(broker, signal.SIGCONT)


UNHEARD_S = 0.3
"""So long a worker takes at most from an output that is made until it is on the line."""
STORM = 4
"""Workers that come and leave, a few seconds each."""


def come_and_go(lab: Laboratory) -> int:
    """Let workers come and leave in traffic, one after the other: of two that write, one finds the other and ends.

    Nobody waits until that is healed. How many of them ended by themselves, which some must.
    """
    lab.heal()
    return sum(_comes_and_goes(lab) for _ in range(STORM))


def _comes_and_goes(lab: Laboratory) -> int:
    wait_until(lambda: lab.pid(WORKER), "a worker runs")
    first = lab.pid(WORKER)
    with Stranger(lab, WORKER) as other:
        wait_until(lambda: other.is_ready or other.code is not None, f"the other {WORKER} is ready, or ends")
        lab.in_traffic()
        time.sleep(lab.draw.uniform(0.2, 2))
        return (lab.pid(WORKER) != first) + (other.code is not None)


def _environ_of(lab: Laboratory, name: str) -> dict[str, str]:
    """The environment of a part, as soon as it runs."""
    found: dict[str, str] = {}

    def read() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found.update(psutil.Process(lab.pid(name)).environ() if lab.pid(name) else {})
        return bool(found)

    wait_until(read, f"{name} runs")
    return found


def _stop_between_batches(pid: int, spool: Path) -> None:
    """Stop a sink while no batch is under way: what it is about to begin is on no disk and in no table."""

    def stopped() -> bool:
        assert signalled(pid, signal.SIGSTOP), f"the sink {pid} is gone"
        if not any(spool.glob("*.batch")):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_until(stopped, f"the sink {pid} is between two batches")
