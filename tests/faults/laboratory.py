"""A stack under fault: the real processes as `hotline up` runs them, a sender, and hands to break them with."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from hotline.blocks import pack
from hotline.names import BLOCK_EVENTS, EVENTS_TOPICS
from sinks.writer.store import AWAY
from tests.e2e.sending import send_blocks
from tests.e2e.stacks import ROOT, SUPERVISOR, Hotline, wait_until
from tests.faults.signalling import signalled
from tests.faults.story import NO_EVENT
from tests.faults.within import Within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.faults.cluster import Cluster
    from tests.faults.proxy import Proxy
    from tests.faults.story import Story

SENDER = "sender"
LONG_EVENTS = 110_000
"""Events of a block that takes a worker a while: as many as a record takes, some of them more than a slice."""
WITHIN_S = 300.0


@dataclass
class Laboratory:
    """One stack, what is told to it, and what can be broken. `lines` are proxies before what the stack does not own."""

    hotline: Hotline
    story: Story
    told: Sequence[str]
    """What the sender is told of its story: day, seed, entities, pieces."""
    lines: Mapping[str, Proxy] = field(default_factory=dict)
    cluster: Cluster | None = None
    draw: random.Random = field(default_factory=random.Random)
    """What the fault of the moment draws from."""
    done: list[str] = field(default_factory=list)
    """Faults so far, as they are named."""
    killed_at: float = 0.0
    """When something was killed last, by the monotonic clock."""
    bites: Counter[str] = field(default_factory=Counter)
    """Fault → how often it met something that it broke."""
    killed: Counter[str] = field(default_factory=Counter)
    """Part → how many of its processes were killed."""
    _sender: subprocess.Popen[bytes] | None = None
    _telling: list[Future[None]] = field(default_factory=list)
    _let_go: int = 0

    def __post_init__(self) -> None:
        """Have boards served, as `hotline up` does, where all of it is our own."""
        if not self.lines and "HOTLINE_BROKER" not in self.hotline.environ:
            self.hotline.environ["HOTLINE_BOARDS"] = "true"

    # -- sending ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the sender; one that was killed begins anew and is not held up where the former was let go."""
        with (self.hotline.data.parent / "said.log").open("ab") as log:
            self._sender = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.telling", str(self.hotline.data), *self.told],
                env=self.hotline.environ,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._write(self._let_go)

    def let_go(self) -> None:
        """Let the next piece go."""
        self._let_go += 1
        self._write(1)

    def finish(self) -> dict[str, Any]:
        """Let all the rest go and wait until it is stored; the sender's account."""
        assert self._sender is not None
        out, _ = self._sender.communicate(timeout=WITHIN_S)
        assert self._sender.returncode == 0, (self.hotline.data.parent / "said.log").read_text()[-3000:]
        for told in self._telling:
            told.result(WITHIN_S)
        account: dict[str, Any] = json.loads(out)
        return account

    def _write(self, lines: int) -> None:
        assert self._sender is not None
        assert self._sender.stdin is not None
        assert self._sender.poll() is None, (self.hotline.data.parent / "said.log").read_text()[-3000:]
        self._sender.stdin.write(b"\n" * lines)
        self._sender.stdin.flush()

    # -- breaking --------------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process id of a part, 0 while it does not run."""
        if name == SENDER:
            return self._sender.pid if self._sender else 0
        return self.hotline.pid(name)

    def kill(self, *names: str) -> int:
        """Kill parts at once (SIGKILL), as soon as all of them run; how many that were.

        Sees to it that whoever has nobody who restarts it is restarted.
        """
        pids = self._signal(signal.SIGKILL, *names)
        self.killed_at = time.monotonic()
        killed = [name for name, pid in pids.items() if pid]
        self.killed.update(killed)
        if SENDER in killed:
            self._ended_sender()
        if SUPERVISOR in killed:
            self.hotline.serve_again(pids[SUPERVISOR])
        wait_until(lambda: all(self.pid(name) != pids[name] for name in killed), f"the death of {killed} is noticed")
        return len(killed)

    def freeze(self, name: str, seconds: float) -> int:
        """Stop a part (SIGSTOP) for so long, as soon as it runs, then let it go on; 1."""
        pid = self._signal(signal.SIGSTOP, name)[name]
        time.sleep(seconds)
        signalled(pid, signal.SIGCONT)
        return 1

    def in_traffic(self, *, at_length: bool = False) -> None:
        """Tell again beside whatever comes next, so that it meets somebody. It is stored when all is finished.

        `at_length`: in blocks that keep a worker busy for a while, some of them in two slices.
        """
        told: Future[None] = Future()

        def tell() -> None:
            try:
                self.tell_again(LONG_EVENTS if at_length else 0)
                told.set_result(None)
            except Exception as error:  # noqa: BLE001 whoever waits for it gets it
                told.set_exception(error)

        threading.Thread(target=tell, daemon=True).start()
        self._telling.append(told)

    def tell_again(self, events_min: int = 0) -> None:
        """Tell the largest piece of the story once more, to every partition, and return when it is stored.

        With `events_min` its events over and over, but for those that are none, so that each block has about as many.
        """
        piece = max(self.story.pieces, key=lambda one: len(one.events))
        partitions, events = self.hotline.settings.partitions, piece.events
        if events_min:
            some = events.filter(pl.col("type") != NO_EVENT)
            events = pl.concat([some] * (1 + events_min * partitions // len(some)))
        blocks = list(pack(piece.subject, events, partitions, events_max=max(BLOCK_EVENTS, 2 * events_min)))
        assert len(blocks) == partitions
        send_blocks(self.hotline, blocks)

    def at_work(self, name: str = "worker-0") -> bool:
        """Whether a worker has a block in hand whose next output is not yet made, let alone sent."""
        folder = self.hotline.settings.folder
        files = [folder.in_hand(topic, at) for topic in EVENTS_TOPICS.values() for at in self._partitions_of(name)]
        return any(_in_hand(file) for file in files)

    def _partitions_of(self, name: str) -> range:
        settings = self.hotline.settings
        return range(int(name.removeprefix("worker-")), settings.partitions, settings.workers)

    def at_work_at_length(self, name: str, met: Callable[[], bool] = lambda: True) -> None:
        """Give a worker blocks that keep it busy for a while until it is `met` at one."""
        self.in_traffic(at_length=True)

        def at_work() -> bool:
            if self._telling[-1].done():
                self.in_traffic(at_length=True)
            return self.at_work(name) and met()

        wait_until(at_work, f"{name} has a block in hand")

    def freeze_at_work(self, name: str) -> int:
        """Stop a worker (SIGSTOP) in the middle of a block, out of traffic that it gets for that; its process id."""
        pid = 0

        def stopped() -> bool:
            nonlocal pid
            pid = self.pid(name)
            if not signalled(pid, signal.SIGSTOP):
                return False
            time.sleep(0.01)  # what ran on another core when it got the signal stands still then
            still_at_work = self.at_work(name)
            if not still_at_work:
                signalled(pid, signal.SIGCONT)
            return still_at_work

        self.at_work_at_length(name, stopped)
        return pid

    def set_of_table(self, table: str, setting: str, value: int) -> None:
        """Change a setting of a table in the engine, as soon as that answers."""

        def done() -> bool:
            with contextlib.suppress(*AWAY), self.hotline.writer() as client:
                client.command(f"ALTER TABLE hotline.{table} MODIFY SETTING {setting} = {value}")
                return True
            return False

        wait_until(done, f"{setting} of {table} is {value}")

    @property
    def within(self) -> Within:
        """What is done to processes from within."""
        return Within(self.hotline.data.parent / "within")

    def heal(self) -> None:
        """Wait until every part works again."""
        wait_until(self.hotline.ready, f"every part is ready again after {self.done[-1:]}")

    def clean(self) -> None:
        """Leave nothing running."""
        if self._sender:
            self._sender.kill()
            self._sender.communicate()
        self.hotline.clean()

    def _signal(self, number: signal.Signals, *names: str) -> dict[str, int]:
        """Send parts a signal as soon as all of them run; the process ids of those that got it, 0 of the others.

        What is told of a process may be a moment old, and one may die of another's death; at least one gets it.
        """
        got: dict[str, int] = {}

        def sent() -> bool:
            pids = {name: self.pid(name) for name in names}
            if all(pids.values()):
                got.update({name: pid if signalled(pid, number) else 0 for name, pid in pids.items()})
            return any(got.values())

        wait_until(sent, f"{names} run")
        return got

    def _ended_sender(self) -> None:
        assert self._sender is not None
        self._sender.communicate()
        self.begin()


def _in_hand(file: Path) -> bool:
    """Whether a worker states there that it reads a record; of seven numbers the first three say which."""
    stated = file.read_bytes() if file.exists() else b""
    return bool(stated) and struct.unpack("<7q", stated)[:3] != (0, 0, 0)
