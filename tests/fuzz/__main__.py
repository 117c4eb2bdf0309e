"""`python -m tests.fuzz`: mutated records against all doors, or one; the process fails when a fault is found."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.flight import Summary, fly

SHARES = {"intake": 0.85, "blocks": 0.04, "adapters": 0.1, "door": 0.01}
"""Of a run of all targets: a block of many events takes twenty times what a single event takes, a request more."""
PROGRESS_S = 20.0


class _Progress:
    """Prints how far a run is, now and then."""

    def __init__(self, records: int) -> None:
        self._records, self._due = records, time.monotonic() + PROGRESS_S

    def __call__(self, summary: Summary) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + PROGRESS_S
            told = f"{summary.target}: {summary.records} of {self._records} records, faults: {len(summary.faults)}"
            print(told, file=sys.stderr, flush=True)


def main() -> int:
    """Run what was asked for; 1 when a fault was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="mutated records in all")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed makes the same records; default: a new one"
    )
    parser.add_argument("--target", choices=SHARES, default=None, help="default: all of them")
    parser.add_argument("--case", type=int, default=None, help="this case of the target alone")
    parser.add_argument("--keep", type=Path, default=None, help="folder for records that fail; default: a new one")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="hotline-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}; records that fail are kept in {folder}", flush=True)
    targets = [asked.target] if asked.target else list(SHARES)
    faults = 0
    for target in targets:
        records = asked.records if asked.target else max(1, int(asked.records * SHARES[target]))
        first, wanted = (0, records) if asked.case is None else (asked.case, 1)
        summary = fly(target, seed=seed, records=wanted, first=first, folder=folder, progress=_Progress(records))
        print(summary.told(), flush=True)
        faults += len(summary.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
