"""The page of the simulator: its program runs, and its figures are the city's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from producers.simulator import CITY
from producers.simulator.mishaps import DISORDER_S_MAX
from producers.simulator.traffic import DAYS_BEFORE

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_its_program_runs_and_loads_a_day() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, int] = {}
    exec(program, found)  # noqa: S102 it is ours
    assert 200_000 < found["loaded"] < 300_000


@pytest.mark.parametrize(
    ("told", "is_so"),
    [
        (f"{CITY.tickets_per_day:,.0f} tickets and {CITY.calls_per_day:,.0f} calls a day", True),
        (f"{CITY.outbound_share:.0%} of them outbound".replace("%", " %"), True),
        (f"mean {CITY.talk.mean_s:.0f} s", True),
        (f"outbound {CITY.talk_outbound.mean_s:.0f} s", True),
        (f"a median of {CITY.patience.median_s:.0f} s", True),
        (f"answered at once {CITY.online_share:.0%}".replace("%", " %"), True),
        ("smoothed over four hours", CITY.shift_hours == 4),
        ("five working days", CITY.due_workdays == 5),
        ("seven days before it", DAYS_BEFORE == 7),
        ("five seconds out of order", DISORDER_S_MAX == 5),
    ],
)
def test_its_figures_are_the_citys(told: str, is_so: bool) -> None:  # noqa: FBT001 a column of a table
    assert is_so
    assert told in re.sub(r"\s+", " ", PAGE)
