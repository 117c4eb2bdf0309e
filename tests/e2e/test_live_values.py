"""Every value that is published live, against SQL over the sums of exactly the outputs that it names."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from hotline.subjects import SUBJECTS
from producers.simulator import CITY, day
from tests.e2e.live_values import compared
from tests.e2e.one_answer import agree
from tests.e2e.sending import send_events
from tests.e2e.stacks import Hotline, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ZONE = "Asia/Shanghai"
FALL_BACK = ("2026-10-31T21:30", "2026-11-01T04:30")
"""A midnight and the end of daylight saving in New York, where one o'clock comes twice: eight hours."""
SMALL = CITY.scaled(tickets_per_day=260, calls_per_day=130)
DAYS, SLICES = 12, 6
COMPARED_MIN, FIGURES_MIN = 10, 20


def traffic() -> Iterator[dict[str, pl.DataFrame]]:
    """Twelve days of a small city up to now at once, but for every sixth event: those come later, shuffled."""
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    days = [day(SMALL, today - timedelta(days=back), 1) for back in range(DAYS)]
    events = {name: pl.concat([frames[name] for frames in days]) for name in SUBJECTS}
    events = {name: frame.filter(pl.col("occurred_at") <= now) for name, frame in events.items()}
    yield {name: frame.filter(pl.int_range(pl.len()) % SLICES > 0) for name, frame in events.items()}
    late = {
        name: frame.filter(pl.int_range(pl.len()) % SLICES == 0).sample(fraction=1, shuffle=True, seed=1)
        for name, frame in events.items()
    }
    for place in range(SLICES):
        yield {name: frame[place::SLICES] for name, frame in late.items()}


def kill_roll(hotline: Hotline) -> None:
    pid = hotline.part("roll")["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: hotline.part("roll").get("pid") not in {pid, None} and hotline.ready(), "roll works again")


def test_every_published_value_is_that_of_the_sums_at_its_positions(new_hotline: Callable[..., Hotline]) -> None:
    """Late and shuffled events, two deaths of roll: one goes on from its snapshot, one without any.

    In the end the boards, `hotline watch` and `hotline kpi` say the same at once.
    """
    hotline = new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_BOARDS="true")
    hotline.running()
    for number, frames in enumerate(traffic()):
        for name, frame in frames.items():
            send_events(hotline, SUBJECTS[name], [frame], events_max=1_000)
        snapshot = hotline.data / "roll" / "state"
        if number == 2:
            wait_until(snapshot.exists, "a first snapshot")
            kill_roll(hotline)
        if number == 4:
            snapshot.unlink()
            kill_roll(hotline)
    instants, last = compared(hotline)
    assert len(instants) >= COMPARED_MIN
    assert last.age_s() is not None
    assert min(agree(hotline, "1h", "today", "7d")) > FIGURES_MIN


def test_in_a_replay_the_events_move_the_windows_over_midnight_and_an_hour_that_comes_twice(
    new_hotline: Callable[..., Hotline],
) -> None:
    """A city lives through eight hours in half a minute, with late, repeated and overtaken events; on Apache Kafka."""
    hotline = new_hotline(HOTLINE_ZONE="America/New_York", HOTLINE_CLOCK="events", HOTLINE_BROKER="kafka")
    hotline.running()
    begin, end = FALL_BACK
    pace = ["--speed", "900", "--scale", "0.1", "--late", "0.05", "--duplicates", "0.02", "--disorder", "0.1", "--json"]
    done = hotline.do("simulate", "--from", begin, "--until", end, *pace)
    assert done.code == 0, done.said
    instants, last = compared(hotline)
    assert len(instants) >= 2 * COMPARED_MIN
    minutes = [minute for minute, _ in instants if minute]  # there is no instant before the first event
    assert minutes == sorted(minutes)
    assert len({datetime.fromtimestamp(60 * minute, ZoneInfo("America/New_York")).date() for minute in minutes}) == 2
    age_s = last.age_s()
    assert age_s is not None
    assert age_s <= 0  # the partition that is furthest behind says what time it is
