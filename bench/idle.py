"""The idle stack: what everything that `hotline up` starts costs while nothing happens."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from deploy.stack.joining import join_or_start
from deploy.stack.state import read_state
from hotline.settings import load

if TYPE_CHECKING:
    from hotline.data_folder import DataFolder

SETTLE_S = 20.0


def main() -> None:
    """Print CPU of each process as a share of one core, and its resident memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is watched (%(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made:
        settings, _ = load(Path(made))
        with join_or_start(settings, say=lambda _: None, boards=True) as stack:
            _watch(stack.settings.folder, given.seconds)


def _watch(folder: DataFolder, seconds: float) -> None:
    told = read_state(folder)
    if told is None:
        raise SystemExit(f"no stack runs on {folder.root}")
    processes = {part.name: psutil.Process(part.pid) for part in told.parts if part.pid is not None}
    processes["supervisor"] = psutil.Process(told.pid)
    time.sleep(SETTLE_S)
    before = {name: _cpu_s(process) for name, process in processes.items()}
    time.sleep(seconds)
    shares = {name: (_cpu_s(process) - before[name]) / seconds for name, process in processes.items()}
    sizes = {name: process.memory_info().rss for name, process in processes.items()}
    for name, share in shares.items():
        print(f"  {name:<12}{share:7.2%} of a core, {sizes[name] / 2**20:6,.0f} MiB")
    print(f"idle stack    {sum(shares.values()):7.2%} of a core, {sum(sizes.values()) / 2**20:6,.0f} MiB resident")


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
