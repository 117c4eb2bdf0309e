"""What `make soak` does for hours is done here for a moment, so that it is known to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.soak.day import DATE, compressed_day
from tests.soak.outage import growth_bytes, outage
from tests.soak.recording import Sample
from tests.soak.report import Soak, page

if TYPE_CHECKING:
    from pathlib import Path

MORNING = (f"{DATE}T09:00", f"{DATE}T09:30")
SPEED, SCALE = 600, 0.02


def test_half_an_hour_passes_at_a_great_pace_and_is_that_of_one_load(tmp_path: Path) -> None:
    day = compressed_day(tmp_path, broker="kafka", speed=SPEED, scale=SCALE, seed=1, span=MORNING)
    assert day.account["counted"]
    assert day.simulated_s == 1800
    assert day.passed_s >= day.simulated_s / SPEED, "it kept its pace"
    assert day.instants
    assert day.samples[-1].disk_bytes
    assert {"engine", "sender"} <= day.samples[-1].resident.keys()
    assert "all of it was stored" in page(Soak(1, "now", days=[day]))


def test_an_outage_that_nobody_recorded_proves_nothing() -> None:
    flat = [Sample(float(second), {"engine": 1 << 20}, 1, 0) for second in range(100)]
    assert growth_bytes(flat, 10.0, 90.0) == 0
    for few in ([], flat[:20]):
        with pytest.raises(AssertionError, match="samples in 80 s"):
            growth_bytes(few, 10.0, 90.0)
    grown = [msgspec.structs.replace(one, resident={"engine": int(one.at_s) << 20}) for one in flat]
    assert growth_bytes(grown, 10.0, 90.0) == 79 << 20


def test_an_engine_that_stands_still_for_a_moment_loses_nothing(tmp_path: Path) -> None:
    span = ("2023-03-01", "2023-03-02")
    still = outage(tmp_path, broker="embedded", seconds=3, seed=1, span=span, scale=SCALE, settle_s=1)
    assert still.account["counted"]
    assert still.ended_s - still.began_s >= 3
    assert any(still.began_s <= one.at_s < still.ended_s and one.lag_records is not None for one in still.samples)
    assert "The engine stood still for 3 s" in page(Soak(1, "now", outages=[still]))
