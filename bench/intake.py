"""Intake against plain Faust that only decodes: the same JSON events on the same topic of the same broker, in one run.

    python -m bench.intake [--events 150000] [--broker embedded|kafka]

Plain Faust hands over one record after another and decodes it; intake decodes, judges, makes pseudonyms, packs and
sends blocks, and waits for their acknowledgement. Ratios are what to look at.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
from kafka import KafkaProducer

from bench.workload import days
from deploy.stack.joining import join_or_start
from hotline.data_folder import told_ready
from hotline.marks import LOGS_SQL, logs
from hotline.names import INTAKE_TOPIC
from hotline.settings import Settings, environment, load
from producers.intake_position import forwarded
from sinks.connecting import connect

PLAIN_EVENTS = 60_000
WAIT_S_MAX = 300.0


def json_events() -> Iterator[bytes]:
    """Events of a city as an outside system would send them: what is absent is left out, callers are plain numbers."""
    for number, day in enumerate(days(10)):
        for frame in day.values():
            for row in frame.iter_rows(named=True):
                stated = {name: value for name, value in row.items() if value is not None and name != "digest"}
                if "caller" in stated:
                    stated["caller"] = f"1390{number:03}{hash(stated['caller']) % 10**6:06}"
                yield msgspec.json.encode(stated)


def fill(settings: Settings, count: int) -> tuple[int, float]:
    """Send so many events; their number and their mean bytes."""
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap, acks=1, linger_ms=20, batch_size=1 << 18)
    size = 0
    for number, event in enumerate(itertools.islice(json_events(), count)):
        producer.send(INTAKE_TOPIC, partition=number % settings.partitions, value=event)
        size += len(event)
    producer.flush()
    producer.close()
    return count, size / count


def intake(settings: Settings, events: int, folder: Path) -> tuple[float, float, float]:
    """Wall and CPU microseconds an event of a worker that runs only intake, and its peak MiB."""
    own = msgspec.structs.replace(settings, agents="intake", worker=0)
    ready = settings.folder.ready("worker-0")
    ready.unlink(missing_ok=True)
    log = logs(connect(settings).query(LOGS_SQL).result_rows)[INTAKE_TOPIC]
    with (folder / "intake.log").open("wb") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams"], env={**os.environ, **environment(own)}, stdout=out, stderr=out
        )
    try:
        process = psutil.Process(worker.pid)
        deadline = time.monotonic() + WAIT_S_MAX
        while not told_ready(ready, worker.pid):
            time.sleep(0.005)
            if time.monotonic() > deadline or worker.poll() is not None:
                raise RuntimeError((folder / "intake.log").read_text())
        begun, cpu, peak = time.perf_counter(), sum(process.cpu_times()[:2]), 0
        while sum(forwarded(settings.bootstrap, log, range(settings.partitions)).values()) < events:
            time.sleep(0.05)
            peak = max(peak, process.memory_info().rss)
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "intake.log").read_text())
        wall, used = time.perf_counter() - begun, sum(process.cpu_times()[:2]) - cpu
    finally:
        worker.kill()
        worker.wait()
    return wall / events * 1e6, used / events * 1e6, peak / 2**20


def plain_faust(settings: Settings, folder: Path, events: int) -> tuple[float, float]:
    """Wall and CPU microseconds an event of a plain Faust agent that decodes what it gets."""
    found = subprocess.run(
        [sys.executable, "-m", "bench.plain_faust", settings.bootstrap, INTAKE_TOPIC, str(events)],
        env={**os.environ, "BENCH_DATADIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
        check=False,
    )
    wall, cpu = found.stdout.split()[-2:]
    return float(wall) / events * 1e6, float(cpu) / events * 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=150_000)
    arguments.add_argument("--broker", default="embedded")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings, _ = load(folder, {"HOTLINE_BROKER": asked.broker, "HOTLINE_AGENTS": "measure"})
        # The topic is filled before anybody reads it, so the stack runs only as far as its broker.
        with join_or_start(settings, say=lambda text: print(text, file=sys.stderr)) as use:
            settings = use.settings
            events, size = fill(settings, asked.events)
            plain_wall, plain_cpu = plain_faust(settings, Path(folder), min(PLAIN_EVENTS, events))
            wall, cpu, peak = intake(settings, events, Path(folder))
    print(f"{events:,} events of {size:.0f} bytes")
    print(f"intake       {1e6 / wall:10,.0f} events/s, {cpu:6.1f} us CPU an event, peak {peak:.0f} MiB")
    print(f"plain Faust  {1e6 / plain_wall:10,.0f} events/s, {plain_cpu:6.1f} us CPU an event")
    print(f"intake / plain Faust: {plain_wall / wall:.1f} x events/s, {plain_cpu / cpu:.1f} x for the same CPU")


if __name__ == "__main__":
    main()
