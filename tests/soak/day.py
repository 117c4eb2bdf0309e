"""A day of a large city, many times as fast as it would pass, badly told; and the same day in one load."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tests.e2e.databases import BADLY, figures, same_databases
from tests.e2e.live_values import compared
from tests.e2e.stacks import Hotline, whole
from tests.soak.recording import Recorder, Sample

if TYPE_CHECKING:
    from pathlib import Path

DATE = "2023-05-10"
WHOLE_DAY = (DATE, "2023-05-11")
COMPARED_ONE_IN = 20
"""A comparison of a live record takes a second."""


class Day(msgspec.Struct, frozen=True):
    """What a day took. `instants` of live values were compared with SQL; the embedded broker keeps none for that."""

    broker: str
    speed: int
    scale: float
    account: dict[str, Any]
    instants: int
    samples: list[Sample]
    simulated_s: float = 0.0
    passed_s: float = 0.0
    """How long it took until all was stored; how much simulated time that was, is beside it."""


def compressed_day(
    folder: Path, *, broker: str, speed: int, scale: float, seed: int, span: tuple[str, str] = WHOLE_DAY
) -> Day:
    """Let a day pass, load it into another database, and compare everything; raises AssertionError when they differ.

    `span` is of that day: from when until when.
    """
    live = Hotline(folder / "live" / "d", HOTLINE_BROKER=broker, HOTLINE_CLOCK="events")
    loaded = Hotline(folder / "loaded" / "d")
    begins, ends = map(datetime.fromisoformat, span)
    city = ("simulate", "--from", span[0], "--until", span[1], "--scale", str(scale), "--seed", str(seed), "--json")
    try:
        account, samples, passed_s = _passed(live, (*city, "--speed", str(speed), *BADLY))
        instants = -(-len(compared(live, one_in=COMPARED_ONE_IN)[0]) // COMPARED_ONE_IN) if broker == "kafka" else 0
        loaded.data.parent.mkdir()
        loaded.running()
        done = loaded.do(*city, "--speed", "max")
        assert done.code == 0, done.said
        assert whole(done.json)["counted"] == account["counted"]
        same_databases(live, loaded, DATE)
        assert figures(live, DATE) == figures(loaded, DATE)
    finally:
        live.clean()
        loaded.clean()
    return Day(broker, speed, scale, account, instants, samples, (ends - begins).total_seconds(), passed_s)


def _passed(hotline: Hotline, command: tuple[str, ...]) -> tuple[dict[str, Any], list[Sample], float]:
    hotline.data.parent.mkdir()
    hotline.running()
    with Recorder(hotline) as recorder:
        begun_s, passing = recorder.passed_s, hotline.start(*command)
        recorder.others["sender"] = passing.pid
        out, _ = passing.communicate()
        passed_s = recorder.passed_s - begun_s
    assert passing.returncode == 0, (hotline.data.parent / "said.log").read_text()[-2000:]
    account = whole(msgspec.json.decode(out))
    assert (account["revised"], account["dead"]) == (0, 0)
    return account, recorder.samples, passed_s
