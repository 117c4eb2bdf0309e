"""The first command of a newcomer: how long until the board is there, in a fresh folder and when the demo goes on.

    python -m bench.demo

From the start of `hotline demo` to the first line of the board, which is printed when it has figures. What comes before
the command on a fresh machine, the environment that `make demo` makes, is not in it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

SECONDS = 60.0


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python -m bench.demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="how long the first demo shows its board (%(default)s)"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made:
        for how, seconds in (("in a fresh folder", given.seconds), ("second start", 1.0)):
            print(f"demo, {how}: {board_after_s(Path(made), seconds):.1f} s to the first line of the board", flush=True)


def board_after_s(folder: Path, seconds: float) -> float:
    """Run the demo until it ends, some seconds after its board began; how long that took to begin."""
    command = [sys.executable, "-m", "cli", "demo", "--data", str(folder / "demo"), "--seconds", str(seconds)]
    begun = time.monotonic()
    with (folder / "said").open("w+") as said:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process:
            found = _first_line_at(process.stdout)
        if process.returncode or found is None:
            said.seek(0)
            raise SystemExit(f"hotline demo ended with {process.returncode} and said:\n{said.read()}")
    return found - begun


def _first_line_at(out: IO[bytes] | None) -> float | None:
    """When the first line that is not blank came; everything after it is read, too."""
    found = None
    for line in out or ():
        if found is None and line.strip():
            found = time.monotonic()
    return found


if __name__ == "__main__":
    main()
