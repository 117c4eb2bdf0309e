"""`python -m tests.soak`: hundreds of kills, compressed days and outages; a report with pictures.

Takes hours, and ends with 1 when anything failed. The report is written anew after each step, so one that is stopped
leaves what it has.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tests.soak.day import compressed_day
from tests.soak.kills import kills
from tests.soak.outage import outage
from tests.soak.report import Soak, page, undrawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BROKERS = ("embedded", "kafka")
ALL_FAULTS_KILLS_MIN = 250
"""So many kills take two rounds of runs at least, in which each environment has all of its faults."""
Done = TypeVar("Done")


def main() -> int:
    """Do what was asked for, and write the report."""
    asked = _asked()
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    asked.out.mkdir(parents=True, exist_ok=True)
    soak = Soak(seed, datetime.now(UTC).isoformat(timespec="seconds"))
    sys.stdout.write(f"seed {seed}; the report is {asked.out / 'report.html'}\n")
    with tempfile.TemporaryDirectory(prefix="hotline-soak-") as made:
        steps = _Steps(soak, asked.out, Path(made))
        for broker in asked.broker or BROKERS:
            if asked.speed:
                day = partial(compressed_day, broker=broker, speed=asked.speed, scale=asked.scale, seed=seed)
                steps.do(f"day, {broker}", soak.days, day)
            if asked.outage_s:
                still = partial(outage, broker=broker, seconds=asked.outage_s, seed=seed)
                steps.do(f"outage, {broker}", soak.outages, still)
        for run in kills(Path(made) / "kills", times=asked.kills, seed=seed, at_once=asked.at_once):
            soak.runs.append(run)
            steps.write()
        soak.failures.extend(_too_few(soak, asked.kills))
        steps.write()
    for failure in soak.failed:
        sys.stdout.write(f"{failure}\n")
    return 1 if soak.failed else 0


def _too_few(soak: Soak, kills: int) -> Iterator[str]:
    """Say what the kills lack; whatever was broken off has told why itself."""
    killed = sum(run.kills for run in soak.runs)
    if killed < kills:
        yield f"{killed} processes were killed, {kills} were asked for"
    if kills >= ALL_FAULTS_KILLS_MIN:
        yield from (f"never on {name}: {', '.join(faults)}" for name, faults in undrawn(soak.runs).items())


class _Steps:
    """Does one step after another, each in a folder of its own, and writes what is known so far."""

    def __init__(self, soak: Soak, out: Path, folder: Path) -> None:
        self._soak, self._out, self._folder = soak, out, folder

    def do(self, name: str, into: list[Done], step: Callable[[Path], Done]) -> None:
        """Do a step; one that fails is noted, and the others go on."""
        at = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            into.append(step(at))
            sys.stdout.write(f"{name}: right\n")
        except Exception as error:  # noqa: BLE001 whatever it is, it is what the report is for
            self._soak.failures.append(f"{name}: {type(error).__name__}: {error}"[:2000])
        finally:
            shutil.rmtree(at, ignore_errors=True)
        self.write()

    def write(self) -> None:
        """Write the report and its data."""
        (self._out / "report.json").write_bytes(msgspec.json.encode(self._soak))
        (self._out / "report.html").write_text(page(self._soak))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="processes to kill; 0: none (%(default)s)")
    parser.add_argument("--at-once", type=int, default=3, help="runs at once in which they are (%(default)s)")
    parser.add_argument("--speed", type=int, default=100, help="pace of the compressed days; 0: none (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of their city; 1 is a large one (%(default)s)")
    parser.add_argument("--outage-s", type=float, default=600.0, help="how long the engine stands still (%(default)s)")
    parser.add_argument("--broker", choices=BROKERS, action="append", help="of days and outages; default: both in turn")
    parser.add_argument("--seed", type=int, help="the same seed does the same; default: a new one")
    parser.add_argument("--out", type=Path, default=Path("build/soak"), help="folder of the report (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
