"""Whatever is killed while a load runs, as often as one likes: the load goes on, and the numbers are the same.

Each part is killed ten times in random order, at random moments: a third of the times when all parts work, else when
they may still be healing from the kill before. Only the supervisor is started again by the test, as a service manager
would.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import bank
from tests.e2e.conftest import ZONE
from tests.e2e.stacks import COMMAND_S_MAX, ROOT, SUPERVISOR, Hotline, serves_boards, wait_until, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMES = {"embedded": 10, "kafka": 4}
"""Kills of each part: what differs on Apache Kafka is the broker, and the laboratory of faults kills on it as well."""
PARTS = {
    "embedded": ("engine", "broker", "sink", "worker-0", "roll", SUPERVISOR),
    "kafka": ("broker", "sink", "worker-0", "roll"),
}
AT_ONCE_S_MAX, LATER_S_MAX = 0.4, 0.8


class Killer:
    """Kills each of some parts so many times."""

    def __init__(self, hotline: Hotline, parts: tuple[str, ...], times: int, draw: random.Random) -> None:
        self._hotline, self._draw = hotline, draw
        self._left = [name for name in parts for _ in range(times)]
        self.killed: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._left)

    def kill(self, *, healed: bool) -> None:
        """Kill a part that runs, at a random moment; `healed`: wait before until all parts work again."""
        if healed:
            wait_until(self._hotline.ready, "every part is ready again")
        time.sleep(self._draw.uniform(0, AT_ONCE_S_MAX if healed else LATER_S_MAX))
        while not (killed := self._kill_one()):
            time.sleep(0.02)
        name, pid = killed
        self._left.remove(name)
        self.killed.append(name)
        if name == SUPERVISOR:
            self._hotline.serve_again(pid)
        wait_until(lambda: self._hotline.pid(name) != pid, f"the death of {name} is noticed")

    def _kill_one(self) -> tuple[str, int] | None:
        """Kill one of those that run; what is told of them may be a moment old."""
        running = [name for name in self._left if self._hotline.pid(name)]
        if not running:
            return None
        name = self._draw.choice(running)
        pid = self._hotline.pid(name)
        try:
            if pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return (name, pid) if pid else None


def paced(hotline: Hotline, *, pieces: int) -> subprocess.Popen[bytes]:
    """Start a load of both months in more than so many pieces, each of which waits for a line that lets it go.

    Twice as many are asked for, because files are read in whole steps: a piece may be nearly twice its size, and the
    load would be over before the last line.
    """
    pieces *= 2
    size = sum(len(line) for month in bank.MONTHS for line in bank.lines(month))
    files = [str(bank.FILES[month]) for month in bank.MONTHS]
    command = [sys.executable, "-m", "tests.e2e.paced_load", str(hotline.data), "bank1999", str(size // pieces), *files]
    with (hotline.data.parent / "said.log").open("ab") as log:
        return subprocess.Popen(
            command, env=hotline.environ, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )


@contextmanager
def killed_at_last(load: subprocess.Popen[bytes], hotline: Hotline) -> Iterator[None]:
    """Leave nothing running, whatever the test comes to."""
    try:
        yield
    finally:
        load.kill()
        hotline.clean()


def let_go(load: subprocess.Popen[bytes]) -> None:
    assert load.stdin is not None
    assert load.stdout is not None
    if load.poll() is not None:
        pytest.fail(f"the load ended before its time, with {load.returncode}, and said {load.stdout.read()!r}")
    load.stdin.write(b"\n")
    load.stdin.flush()


@pytest.mark.timeout(2 * 900)  # seventy times something heals; on a busy machine each takes ten times as long
def test_each_part_is_killed_ten_times_in_the_middle_of_a_load(
    new_hotline: Callable[..., Hotline], undisturbed: list[dict[str, Any]]
) -> None:
    """On both brokers, side by side, on Kafka fewer times: most of the time is waiting for what heals."""
    seed = int(os.environ.get("KILLS_SEED") or random.randrange(2**32))
    sys.stdout.write(f"KILLS_SEED={seed}\n")  # shown when the test fails; set it to do the same again
    hotlines = [new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_BROKER=broker) for broker in PARTS]
    with ThreadPoolExecutor() as pool:
        work = [
            pool.submit(_killed_again_and_again, hotline, PARTS[broker], TIMES[broker], seed)
            for hotline, broker in zip(hotlines, PARTS, strict=True)
        ]
    assert [one.result() for one in work] == [undisturbed, undisturbed]


def _killed_again_and_again(hotline: Hotline, parts: tuple[str, ...], times: int, seed: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    hotline.running()
    with paced(hotline, pieces=times * len(parts)) as load, killed_at_last(load, hotline):
        killer = Killer(hotline, parts, times, draw)
        while killer:
            let_go(load)
            killer.kill(healed=len(killer.killed) % 3 == 0)
        out, _ = load.communicate(timeout=COMMAND_S_MAX)
        account = whole(json.loads(out))
        wait_until(hotline.ready, "every part is ready at the end")
        assert account["read"] == account["counted"] == sum(bank.EVENTS.values())
        assert hotline.reconciled(bank.months())["events"] == sum(bank.EVENTS.values())
        return bank.every_figure(hotline)


def test_the_command_itself_outlives_the_death_of_every_part(
    new_hotline: Callable[..., Hotline], undisturbed: list[dict[str, Any]]
) -> None:
    """It reads both months from a pipe, a piece before each kill, so that it is at work as long as anything dies.

    Boards are served as by default, and again when who serves them was killed.
    """
    header, *rows = bank.lines("january")
    rows += bank.lines("february")[1:]
    hotline = new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_BOARDS="true")
    parts = (*PARTS["embedded"], "web")
    hotline.running()
    draw = random.Random(1)
    with (
        hotline.start("load", "bank1999", "-", "--json", stdin=subprocess.PIPE) as load,
        killed_at_last(load, hotline),
    ):
        assert load.stdin is not None
        load.stdin.write(header)
        killer = Killer(hotline, parts, 1, draw)
        size = len(rows) // (len(parts) + 1)
        while killer:
            load.stdin.writelines(rows[:size])
            load.stdin.flush()
            del rows[:size]
            time.sleep(draw.uniform(0.3, 0.8))
            killer.kill(healed=True)
            assert load.poll() is None, f"the load was over when {killer.killed[-1]} was killed"
        assert rows
        out, _ = load.communicate(b"".join(rows), timeout=COMMAND_S_MAX)
        account = whole(json.loads(out))
        assert account["counted"] == account["read"] == sum(bank.EVENTS.values())
        assert bank.every_figure(hotline) == undisturbed
        wait_until(lambda: serves_boards(hotline), "boards are served")
