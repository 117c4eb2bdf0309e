"""Watching over a target's process: what kills or stops it is found, named by its number, kept, and passed over."""

from __future__ import annotations

import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.child import target_named
from tests.fuzz.targets import draw_of

ROOT = Path(__file__).parents[2]
HANG_CPU_S = 10.0
"""CPU seconds after which a case that does not end is ended."""
STILL_S = 180.0
"""Seconds after which one that does nothing is ended: a busy machine may well hold a process up for a minute."""
GROWTH_BYTES_MAX = 128 << 20
"""Growth of resident memory from the second fifth of a run to its last that is still noise of the allocators."""
FAULTS_MAX = 20
"""A run with so many is broken off."""


@dataclass
class Summary:
    """What a run came to."""

    target: str
    seed: int
    records: int = 0
    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    slowest_s: float = 0.0
    slowest: int = 0
    """Number of the case that took longest."""
    resident: list[int] = field(default_factory=list)

    @property
    def growth_bytes(self) -> int:
        """How much resident memory grew from the second fifth of the run to the last; 0 for a short run."""
        fifth = len(self.resident) // 5
        if fifth < 20:
            return 0
        last, second = self.resident[-fifth:], self.resident[fifth : 2 * fifth]
        return int(statistics.median(last) - statistics.median(second))

    def told(self) -> str:
        """The run in words."""
        rate = self.records / self.cpu_s if self.cpu_s else 0
        lines = [
            f"{self.target}: {self.records} records in {self.cases} cases, seed {self.seed}: {rate:.0f} records/s of CPU, "
            f"slowest case {self.slowest} with {self.slowest_s:.2f} s, memory {max(self.resident, default=0) >> 20} MiB at most, "
            f"growth {self.growth_bytes >> 20} MiB, faults: {len(self.faults)}",
            *(f"  {name}: {count}" for name, count in self.verdicts.most_common()),
            *self.faults,
        ]
        return "\n".join(lines)


def fly(
    target: str,
    *,
    seed: int,
    records: int,
    first: int = 0,
    folder: Path,
    progress: Callable[[Summary], None] = lambda _: None,
) -> Summary:
    """Judge so many records of a target, in processes that are begun anew when one dies."""
    summary = Summary(target, seed)
    number = first
    while summary.records < records and len(summary.faults) < FAULTS_MAX:
        number = _one_process(summary, number, records - summary.records, folder, progress)
    if summary.growth_bytes > GROWTH_BYTES_MAX:
        summary.faults.append(f"{target}: memory grew by {summary.growth_bytes >> 20} MiB")
    return summary


def _one_process(
    summary: Summary, first: int, records: int, folder: Path, progress: Callable[[Summary], None]
) -> int:
    """Run one process until it is done or dead: the number of the case to go on with."""
    command = [sys.executable, "-m", "tests.fuzz.child", summary.target]
    command += ["--seed", str(summary.seed), "--first", str(first), "--records", str(records)]
    environment = os.environ | {"RUST_BACKTRACE": "0", "POLARS_MAX_THREADS": "1", "PYTHONFAULTHANDLER": "1"}
    errors = folder / f"{summary.target}.stderr"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
        try:
            return _watched(summary, process, first, folder, errors, progress)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all it started."""
    for one in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
        one.kill()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()


def _watched(
    summary: Summary,
    process: subprocess.Popen[bytes],
    first: int,
    folder: Path,
    errors: Path,
    progress: Callable[[Summary], None],
) -> int:
    number, begun, why = first, False, ""
    lines = _lines(process)
    for line in lines:
        if isinstance(line, str):
            why = line
            break
        if "begun" in line:
            number, begun = line["begun"], True
            continue
        begun = False
        _add(summary, line, folder)
        number = line["number"] + 1
        progress(summary)
    code = process.wait() if not why else None
    if code == 0:
        return number
    told = why or f"the process ended with {code}"
    if not begun:
        raise RuntimeError(f"{summary.target}: {told} between two cases: {errors.read_text(errors='replace')[-3000:]}")
    tail = errors.read_text(errors="replace")[-1500:]
    _fault(summary, number, f"{told}\n{tail}", folder)
    summary.records += 1
    return number + 1


def _lines(process: subprocess.Popen[bytes]) -> Any:
    """The lines of a process; a text instead says that it hangs."""
    assert process.stdout is not None
    watched = psutil.Process(process.pid)
    held = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        since, cpu_s = time.monotonic(), _cpu_s(watched)
        while True:
            if not selector.select(0.5):
                if _cpu_s(watched) - cpu_s > HANG_CPU_S:
                    yield f"it hangs: more than {HANG_CPU_S} s of CPU"
                elif time.monotonic() - since > STILL_S:
                    yield f"it stands still: nothing for {STILL_S} s"
                continue
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                return
            *whole, held = (held + piece).split(b"\n")
            since, cpu_s = time.monotonic(), _cpu_s(watched)
            yield from map(json.loads, whole)


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _add(summary: Summary, line: dict[str, Any], folder: Path) -> None:
    summary.cases += 1
    summary.records += line["records"]
    summary.verdicts.update(line["verdicts"])
    summary.resident.append(line["resident"])
    spent = line.get("cpu_s", 0.0)
    summary.cpu_s += spent
    if spent > summary.slowest_s:
        summary.slowest_s, summary.slowest = spent, line["number"]
    if "fault" in line:
        _fault(summary, line["number"], line["fault"], folder)


def _fault(summary: Summary, number: int, told: str, folder: Path) -> None:
    """Keep the record, and how to see it again."""
    kept = folder / f"{summary.target}-{summary.seed}-{number}.bin"
    kept.write_bytes(target_named(summary.target).case(draw_of(summary.seed, summary.target, number)).value)
    again = f"python -m tests.fuzz --target {summary.target} --seed {summary.seed} --case {number}"
    summary.faults.append(f"FAULT {again}\n  record: {kept}\n{told}")
