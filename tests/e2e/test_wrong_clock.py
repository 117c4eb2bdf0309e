"""Every process of the hotline but the engine has a clock that is wrong by hours: windows and refusals are right."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.stacks import ROOT, Hotline, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHIFTED = """
import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {hours} * 3600
time.time_ns = lambda: _time_ns() + {hours} * 3600 * 10**9
"""


@pytest.mark.parametrize("hours", [-7, 20])
def test_windows_are_right_and_tomorrow_is_refused_whatever_a_worker_takes_for_now(
    new_hotline: Callable[..., Hotline], tmp_path: Path, hours: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(hours=hours))
    hotline = new_hotline(HOTLINE_ZONE="America/New_York")
    right = dict(hotline.environ)
    hotline.environ["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT)])
    hotline.running()
    hotline.environ = right
    now = datetime.now(UTC).replace(microsecond=0)
    events = [_offered(number, now - timedelta(seconds=number)) for number in range(40)]
    lines = "".join(f"{json.dumps(event)}\n" for event in [*events, _offered(99, now + timedelta(days=1))])
    done = hotline.do("send", "-", "--wait", "--json", stdin=lines.encode())
    assert done.json["reasons"] == {"future_time": 1}, done.out + done.said
    wait_until(lambda: _offered_by_window(hotline) == dict.fromkeys(["5min", "30min", "1h", "7d"], 40), "all is shown")


def _offered_by_window(hotline: Hotline) -> dict[str, int]:
    board = hotline.do("watch", "--once", "--json").json
    mine = [one for one in board["figures"] if one["kpi"] == "calls_offered" and one["window"] != "today"]
    return {one["window"]: one["numerator"] for one in mine}


def _offered(number: int, at: datetime) -> dict[str, Any]:
    return {
        "type": "call.offered",
        "source": "test",
        "entity": str(number),
        "born_at": at.isoformat(),
        "occurred_at": at.isoformat(),
        "direction": "inbound",
    }
