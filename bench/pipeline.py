"""The whole pipeline against straight inserts and plain Faust: one run, the same events, side by side.

    python -m bench.pipeline [--days 4] [--broker embedded|kafka]

Three weeks of a city's tickets are warm before the clock starts. Ratios are what to look at: all three ways share one
machine and one run. CPU is summed over the processes of a part.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl
import psutil

from bench.workload import WARM_DAYS, day_blocks, paired
from deploy.brokers import create_topics
from deploy.stack.joining import join_or_start
from deploy.stack.state import read_state
from hotline.blocks import REJECT_COLUMNS, Block
from hotline.settings import Settings, load
from producers.sending import Sender
from sinks.connecting import connect

PLAIN_TOPIC = "bench.plain"
PLAIN_EVENTS = 60_000


@dataclass
class Usage:
    """CPU seconds and the largest resident memory of a part."""

    cpu_s: float
    rss_mib: float


class Meter:
    """CPU and peak memory of the stack's parts, sampled twice a second."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._start = {name: self._cpu(name) for name in pids}
        self._peak: dict[str, float] = defaultdict(float)
        self.whole_peak = 0.0
        self._done = threading.Event()
        threading.Thread(target=self._sample, daemon=True).start()

    def _cpu(self, name: str) -> float:
        times = self._processes[name].cpu_times()
        return float(times.user + times.system)

    def _sample(self) -> None:
        while not self._done.wait(0.5):
            now = {name: process.memory_info().rss / 2**20 for name, process in self._processes.items()}
            self.whole_peak = max(self.whole_peak, sum(now.values()))
            for name, rss in now.items():
                self._peak[name] = max(self._peak[name], rss)

    def stop(self) -> dict[str, Usage]:
        """Usage since the start."""
        self._done.set()
        return {name: Usage(self._cpu(name) - self._start[name], self._peak[name]) for name in self._processes}


@dataclass(frozen=True)
class Packed(Block):
    """A block whose bytes were made before the clock starts."""

    value: bytes = b""

    def encode(self) -> bytes:
        return self.value


def packed(block: Block) -> Packed:
    return Packed(block.block_id, block.subject, block.partition, block.events, block.encode())


def send_all(settings: Settings, blocks: Sequence[Block]) -> float:
    """Seconds from the first block sent to the last one stored."""
    begun = time.perf_counter()
    with Sender(lambda: (settings.bootstrap, connect(settings)), lambda *_: None) as sender:
        for block in blocks:
            sender.send(block)
        while sender.waiting:
            sender.wait()
    return time.perf_counter() - begun


def straight(settings: Settings, blocks: Sequence[Block]) -> float:
    """Seconds to insert the same events, block by block on one connection, into tables of the same definition."""
    writer = connect(settings)
    for name in ("call_events", "ticket_events"):
        writer.command(f"CREATE TABLE IF NOT EXISTS hotline.bench_{name} AS hotline.{name}")
    bodies = []
    for block in blocks:
        out = io.BytesIO()
        block.events.drop(*REJECT_COLUMNS).write_ipc_stream(
            out, compression="lz4", compat_level=pl.CompatLevel.oldest()
        )
        bodies.append((f"hotline.bench_{block.subject.events_table}", out.getvalue()))
    begun = time.perf_counter()
    for table, body in bodies:
        writer.raw_insert(table, insert_block=body, fmt="ArrowStream")
    seconds = time.perf_counter() - begun
    for name in ("call_events", "ticket_events"):
        writer.command(f"DROP TABLE hotline.bench_{name}")
    return seconds


def plain_faust(settings: Settings, blocks: Sequence[Block], folder: Path) -> tuple[float, float]:
    """Wall and CPU microseconds an event of a plain Faust agent that decodes one JSON event a record."""
    from kafka import KafkaProducer

    create_topics(settings.bootstrap, {PLAIN_TOPIC: 1})
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap, acks=1, linger_ms=20)
    sent = 0
    for block in blocks:
        for row in block.events.drop(*REJECT_COLUMNS).iter_rows(named=True):
            producer.send(PLAIN_TOPIC, partition=0, value=msgspec.json.encode(row))
            sent += 1
            if sent == PLAIN_EVENTS:
                break
        if sent == PLAIN_EVENTS:
            break
    producer.flush()
    found = subprocess.run(
        [sys.executable, "-m", "bench.plain_faust", settings.bootstrap, PLAIN_TOPIC, str(sent)],
        env={**os.environ, "BENCH_DATADIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, cpu = found.stdout.split()[-2:]
    return float(wall) / sent * 1e6, float(cpu) / sent * 1e6


def engine_work(settings: Settings) -> dict[str, int]:
    """What the engine counted of inserts and merges so far."""
    names = ("InsertedRows", "InsertQuery", "MergedRows", "MergeTotalMilliseconds", "MergeSourceParts")
    found = (
        connect(settings)
        .query(
            "SELECT event, value FROM system.events WHERE event IN {names:Array(String)}",
            parameters={"names": list(names)},
        )
        .result_rows
    )
    return dict.fromkeys(names, 0) | {str(name): int(value) for name, value in found}


def pids(settings: Settings) -> dict[str, int]:
    """Processes of the stack by part."""
    state = read_state(settings.folder)
    if state is None:
        raise RuntimeError("the stack has gone")
    return {part.name: part.pid for part in state.parts if part.pid} | {"supervisor": state.pid}


def report(events: int, seconds: float, usage: dict[str, Usage], whole_peak: float) -> None:
    print(f"pipeline            {events / seconds:10,.0f} events/s   ({events:,} events, {seconds:.1f} s)")
    for name, used in sorted(usage.items(), key=lambda item: -item[1].cpu_s):
        print(f"  {name:17} {used.cpu_s / events * 1e6:10.2f} us CPU an event, peak {used.rss_mib:,.0f} MiB")
    print(f"  whole stack       peak {whole_peak:,.0f} MiB resident")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=4)
    arguments.add_argument("--broker", default="embedded")
    arguments.add_argument("--warm", type=int, default=WARM_DAYS + 1)
    asked = arguments.parse_args()
    everything = [list(day_blocks(pair, 2)) for pair in paired(asked.warm + asked.days)]
    cut = asked.warm // 2
    warm = [block for pair in everything[:cut] for block in pair]
    blocks = [packed(block) for pair in everything[cut:] for block in pair]
    events = sum(len(block.events) for block in blocks)
    with tempfile.TemporaryDirectory() as folder:
        # Parts that a planned change of log starts anew would leave the meter with half of their CPU.
        settings, _ = load(folder, {"HOTLINE_BROKER": asked.broker, "HOTLINE_LOG_BYTES_MAX": str(1 << 30)})
        with join_or_start(settings, say=lambda text: print(text, file=sys.stderr)) as use:
            settings = use.settings
            print(f"warm: {send_all(settings, warm):.1f} s", file=sys.stderr)
            time.sleep(3)
            meter, before = Meter(pids(settings)), engine_work(settings)
            seconds = send_all(settings, blocks)
            usage, after = meter.stop(), engine_work(settings)
            inserted = straight(settings, blocks)
            plain_wall, plain_cpu = plain_faust(settings, blocks, Path(folder))
    report(events, seconds, usage, meter.whole_peak)
    for name in before:
        print(f"  engine {name:28} {(after[name] - before[name]) / events:10.3f} an event")
    worker = sum(used.cpu_s for name, used in usage.items() if name.startswith("worker")) / events * 1e6
    print(f"straight inserts    {events / inserted:10,.0f} events/s   pipeline / straight = {inserted / seconds:.2f}")
    print(f"plain Faust         {1e6 / plain_wall:10,.0f} events/s   {plain_cpu:.1f} us CPU an event")
    print(f"measure / plain Faust, CPU an event: {plain_cpu / worker:.1f} x")


if __name__ == "__main__":
    main()
