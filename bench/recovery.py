"""How soon everything is caught up after a kill (SIGKILL), with a year stored and live traffic going on.

    python -m bench.recovery [--days 365] [--scale 1] [--times 10] [--broker kafka]

Each part is killed in turn. Recovery is the time from the kill until calls that were sent right after it, one to each
partition, are stored; of roll, until it publishes again. Ends with 1 when one took longer than it may.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, TopicPartition

from cli.load import quiet_clients
from hotline import live
from hotline.names import KPIS_TOPIC
from tests.e2e.stacks import SUPERVISOR, Hotline, wait_until
from tests.faults.recovery import calls_now, spread, stored_after_s

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("sink", "worker-0", "engine", "broker", SUPERVISOR, "roll")
RECOVERY_S_MAX = {part: 3.0 if part == "sink" else 10.0 for part in PARTS}
"""What users are promised in docs/guarantees.md: nobody looks at a wall that stands still for longer."""
PAUSE_S = 5.0
"""Between two kills, for live traffic to leave something behind."""


def main() -> int:
    """Store a year, then kill and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=365, help="days that are stored before (%(default)s)")
    parser.add_argument("--scale", default="1", help="size of the city; 1 is Suzhou's (%(default)s)")
    parser.add_argument("--times", type=int, default=10, help="kills of each part (%(default)s)")
    parser.add_argument("--broker", choices=("embedded", "kafka"), default="embedded")
    given = parser.parse_args()
    quiet_clients()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made:
        hotline = Hotline(Path(made) / "d", HOTLINE_BROKER=given.broker)
        try:
            hotline.running()
            _store(hotline, given.days, given.scale)
            with traffic(hotline, given.scale):
                late = _measure(hotline, given.times)
        finally:
            hotline.clean()
    for part in late:
        print(f"{part} took longer than the {RECOVERY_S_MAX[part]:g} s that it may")
    return 1 if late else 0


def _store(hotline: Hotline, days: int, scale: str) -> None:
    begin = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    begun = time.monotonic()
    loading = hotline.start("simulate", "--from", begin, "--days", str(days), "--speed", "max", "--scale", scale)
    out, _ = loading.communicate()
    if loading.returncode:
        raise SystemExit(f"the year could not be stored: {(hotline.data.parent / 'said.log').read_text()[-2000:]}")
    print(out.decode(), f"{days} days at scale {scale} stored in {time.monotonic() - begun:.0f} s", sep="", flush=True)


@contextlib.contextmanager
def traffic(hotline: Hotline, scale: str) -> Iterator[None]:
    """Let the city go on live."""
    going = hotline.start("simulate", "--scale", scale, "--seed", "2", "--days-before", "0")
    try:
        yield
    finally:
        going.send_signal(signal.SIGINT)
        going.communicate()
        print(f"live traffic ended with exit code {going.returncode}: 0 says that its account adds up")


def _measure(hotline: Hotline, times: int) -> list[str]:
    """Kill every part so often; those that took longer than they may."""
    late = []
    print(f"{'killed':<12}{'p50':>8}{'p95':>8}{'max':>8}   seconds until caught up, of {times} kills")
    for part in PARTS:
        took = [_recovery_s(hotline, part) for _ in range(times)]
        print(f"{part:<12}", *(f"{one:>8.2f}" for one in spread(took)), sep="", flush=True)
        if max(took) > RECOVERY_S_MAX[part]:
            late.append(part)
    return late


def _recovery_s(hotline: Hotline, part: str) -> float:
    wait_until(hotline.ready, "every part is ready")
    time.sleep(PAUSE_S)
    partitions = hotline.settings.partitions
    pid, killed_at = hotline.pid(part), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    if part == SUPERVISOR:
        hotline.serve_again(pid)
    if part == "roll":
        return _published_after_s(hotline, killed_at)
    return stored_after_s(hotline, calls_now(partitions, uuid.uuid4().hex), killed_at)


def _published_after_s(hotline: Hotline, killed_at: float) -> float:
    """Until a full set of values comes whose instant lies after the kill."""
    killed_ms = time.time() * 1000
    at = TopicPartition(KPIS_TOPIC, 0)
    with contextlib.closing(KafkaConsumer(bootstrap_servers=hotline.settings.bootstrap, group_id=None)) as consumer:
        consumer.assign([at])
        consumer.seek_to_beginning(at)
        while True:
            for record in consumer.poll(timeout_ms=50).get(at, ()):
                if record.timestamp > killed_ms and live.decode(record.value).full:
                    return time.monotonic() - killed_at


if __name__ == "__main__":
    sys.exit(main())
