"""The engine stands still for minutes under full load: memory stays flat, and in the end nothing is missing."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import msgspec

from tests.e2e.stacks import Hotline, wait_until, whole
from tests.soak.recording import EVERY_S, Recorder, Sample

if TYPE_CHECKING:
    from pathlib import Path

TEN_DAYS = ("2023-03-01", "2023-03-11")
"""Several times what all buffers together hold."""
SETTLE_S = 60.0
"""After so long everything that may fill up has filled up."""
GROWTH_BYTES_MAX = 64 << 20
"""Growth of the whole stack after that which is still noise of allocators."""


class Outage(msgspec.Struct, frozen=True):
    """What an outage took: seconds into the recording at which the engine stood still and went on."""

    broker: str
    began_s: float
    ended_s: float
    growth_bytes: int
    """Memory of the whole stack at most after it had settled, minus what it was then."""
    account: dict[str, Any]
    samples: list[Sample]


def outage(
    folder: Path,
    *,
    broker: str,
    seconds: float,
    seed: int,
    span: tuple[str, str] = TEN_DAYS,
    scale: float = 1.0,
    settle_s: float = SETTLE_S,
) -> Outage:
    """Stop the engine in the middle of a load; raises AssertionError when memory grows or anything is missing."""
    first, after = span
    hotline = Hotline(folder / "d", HOTLINE_BROKER=broker)
    try:
        hotline.running()
        with Recorder(hotline) as recorder:
            loading = hotline.start(
                *("simulate", "--from", first, "--until", after, "--speed", "max", "--seed", str(seed), "--json"),
                *("--scale", str(scale)),
            )
            recorder.others["sender"] = loading.pid
            wait_until(lambda: recorder.samples and _stored_events(hotline), "the load is in its middle")
            began = recorder.passed_s
            _stand_still(hotline.pid("engine"), seconds)
            ended = recorder.passed_s
            out, _ = loading.communicate()
        assert loading.returncode == 0, (hotline.data.parent / "said.log").read_text()[-2000:]
        account = whole(msgspec.json.decode(out))
        hotline.reconciled(first[:7])
        growth = growth_bytes(recorder.samples, began + settle_s, ended)
        assert growth <= GROWTH_BYTES_MAX, f"memory grew by {growth >> 20} MiB while the engine stood still"
    finally:
        hotline.clean()
    return Outage(broker, began, ended, growth, account, recorder.samples)


def _stored_events(hotline: Hotline) -> int:
    with hotline.writer() as client:
        found: int = client.query("SELECT count() FROM hotline.ticket_events").result_rows[0][0]
    return found


def _stand_still(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def growth_bytes(samples: list[Sample], from_s: float, until_s: float) -> int:
    """Memory of all processes at most between two instants, minus what it was at the first; there must be samples."""
    during = [sum(sample.resident.values()) for sample in samples if from_s <= sample.at_s < until_s]
    told = f"{len(during)} samples in {until_s - from_s:.0f} s"
    assert during, told
    assert len(during) * 4 * EVERY_S >= until_s - from_s, told
    return max(during) - during[0]
