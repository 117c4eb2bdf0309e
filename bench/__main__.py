"""`python -m bench`: every benchmark, one after another, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

MODULES = (
    "bench.measure_stage",
    "bench.working_time",
    "bench.door",
    "bench.intake",
    "bench.roll",
    "bench.idle",
    "bench.demo",
    "bench.boards",
    "bench.pipeline",
)


def main() -> int:
    for module in MODULES:
        print(f"== {module}", flush=True)
        failed = subprocess.run([sys.executable, "-m", module], check=False).returncode
        if failed:
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main())
