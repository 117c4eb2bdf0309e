"""Watching over a target's process: what kills or stops it is found, named by its number, kept, and passed over."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
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
FIFTH_MIN = 100
"""Growth of resident memory from the second fifth of a run to its last that is still noise of the allocators."""
LOOK_S = 0.5
TAIL_CHARS = 1500
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
        """How much resident memory grew from the second fifth of the run to the last; 0 for a short run.

        In a short one the largest block that is drawn, which takes 256 MiB unpacked, may come late by chance.
        """
        fifth = len(self.resident) // 5
        if fifth < FIFTH_MIN:
            return 0
        last, second = self.resident[-fifth:], self.resident[fifth : 2 * fifth]
        return int(statistics.median(last) - statistics.median(second))

    def told(self) -> str:
        """The run in words."""
        rate = self.records / self.cpu_s if self.cpu_s else 0
        head = (
            f"{self.target}: {self.records} records in {self.cases} cases, seed {self.seed}: "
            f"{rate:.0f} records/s of CPU, slowest case {self.slowest} with {self.slowest_s:.2f} s, "
            f"memory {max(self.resident, default=0) >> 20} MiB at most, growth {self.growth_bytes >> 20} MiB, "
            f"faults: {len(self.faults)}"
        )
        counts = (f"  {name}: {count}" for name, count in self.verdicts.most_common())
        lines = [head, *counts, *self.faults]
        return "\n".join(lines)


def fly(
    target: str,
    *,
    seed: int,
    records: int,
    first: int = 0,
    folder: Path,
    progress: Callable[[Summary], None] = lambda _: None,
    hang_cpu_s: float = HANG_CPU_S,
) -> Summary:
    """Judge so many records of a target, in processes that are begun anew when one dies.

    Raises RuntimeError when a process dies between two cases: that is no fault of the product.
    """
    summary = Summary(target, seed)
    watch = _Watch(summary, folder, progress, hang_cpu_s)
    number = first
    while summary.records < records and len(summary.faults) < FAULTS_MAX:
        number = watch.one_process(number, records - summary.records)
    if summary.growth_bytes > GROWTH_BYTES_MAX:
        summary.faults.append(f"{target}: memory grew by {summary.growth_bytes >> 20} MiB")
    return summary


@dataclass(frozen=True)
class _Watch:
    """Runs the processes of one target, one after the other."""

    summary: Summary
    folder: Path
    progress: Callable[[Summary], None]
    hang_cpu_s: float

    def one_process(self, first: int, records: int) -> int:
        """Run one process until it is done or dead: the number of the case to go on with."""
        with self._errors.open("wb") as stderr:
            process = subprocess.Popen(
                self._command(first, records),
                cwd=ROOT,
                env=os.environ | {"RUST_BACKTRACE": "0", "POLARS_MAX_THREADS": "1", "PYTHONFAULTHANDLER": "1"},
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                return self._watched(process, first)
            finally:
                _end(process)

    @property
    def _errors(self) -> Path:
        return self.folder / f"{self.summary.target.replace(':', '.')}.stderr"

    def _command(self, first: int, records: int) -> list[str]:
        numbers = {"--seed": self.summary.seed, "--first": first, "--records": records}
        given = [text for name, number in numbers.items() for text in (name, str(number))]
        return [sys.executable, "-m", "tests.fuzz.child", self.summary.target, *given]

    def _watched(self, process: subprocess.Popen[bytes], first: int) -> int:
        number, begun, why = first, False, ""
        for line in self._lines(process):
            if isinstance(line, str):
                why = line
                break
            begun = "begun" in line
            if begun:
                number = line["begun"]
                continue
            self._add(line)
            number = line["number"] + 1
            self.progress(self.summary)
        code = None if why else process.wait()
        if code == 0:
            return number
        told = f"{why or f'the process ended with {code}'}\n{self._errors.read_text(errors='replace')[-TAIL_CHARS:]}"
        if not begun:
            raise RuntimeError(f"{self.summary.target}: between two cases {told}")
        self._fault(number, told)
        self.summary.records += 1
        return number + 1

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[Any]:
        """The lines of a process; a text instead says that it hangs."""
        if process.stdout is None:
            raise ValueError("the process has no pipe")
        watched = psutil.Process(process.pid)
        held = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            since, cpu_s = time.monotonic(), _cpu_s(watched)
            while True:
                if not selector.select(LOOK_S):
                    if _cpu_s(watched) - cpu_s > self.hang_cpu_s:
                        yield f"it hangs: more than {self.hang_cpu_s} s of CPU"
                    elif time.monotonic() - since > STILL_S:
                        yield f"it stands still: nothing for {STILL_S} s"
                    continue
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    return
                *whole, held = (held + piece).split(b"\n")
                since, cpu_s = time.monotonic(), _cpu_s(watched)
                yield from map(json.loads, whole)

    def _add(self, line: dict[str, Any]) -> None:
        summary, spent_s = self.summary, line.get("cpu_s", 0.0)
        summary.cases += 1
        summary.records += line["records"]
        summary.verdicts.update(line["verdicts"])
        summary.resident.append(line["resident"])
        summary.cpu_s += spent_s
        if spent_s > summary.slowest_s:
            summary.slowest_s, summary.slowest = spent_s, line["number"]
        if "fault" in line:
            self._fault(line["number"], line["fault"])

    def _fault(self, number: int, told: str) -> None:
        """Keep the record, and how to see it again."""
        name, seed = self.summary.target, self.summary.seed
        kept = self.folder / f"{name.replace(':', '.')}-{seed}-{number}.bin"
        kept.write_bytes(target_named(name).case(draw_of(seed, name, number)).value)
        again = f"python -m tests.fuzz --target {name} --seed {seed} --case {number}"
        self.summary.faults.append(f"FAULT {again}\n  record: {kept}\n{told}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all it started."""
    with contextlib.suppress(psutil.Error):
        for one in psutil.Process(process.pid).children(recursive=True):
            one.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
