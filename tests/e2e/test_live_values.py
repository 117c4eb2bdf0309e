"""Every value that is published live, against SQL over the sums of exactly the outputs that it names."""

from __future__ import annotations

import os
import re
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from hotline.names import KPIS_TOPIC, MEASURED_TOPICS
from hotline.subjects import SUBJECTS
from producers.simulator import CITY, day
from streams.roll.snapshot import restored
from tests.e2e.live_values import caught_up, compared, consumer, stored_ends
from tests.e2e.one_answer import agree
from tests.e2e.sending import send_events
from tests.e2e.stacks import Hotline, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotline.live import Live

ZONE = "Asia/Shanghai"
FALL_BACK = ("2026-10-31T21:30", "2026-11-01T04:30")
"""A midnight and the end of daylight saving in New York, where one o'clock comes twice: eight hours."""
SMALL = CITY.scaled(tickets_per_day=260, calls_per_day=130)
DAYS, SLICES = 12, 6
COMPARED_MIN, FIGURES_MIN = 10, 20
DEATHS, RECORDS_A_SECOND = 2, 4


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


def kill_roll(hotline: Hotline, *, keeping: bool) -> None:
    """Kill roll, with its snapshot kept or gone: it goes on where that ends, else where the tables do."""
    file, log = hotline.settings.folder.roll_state, hotline.settings.folder.log / "roll.log"
    wait_until(file.exists, "this life of roll has a snapshot")
    pid, said = hotline.part("roll")["pid"], len(log.read_text())
    os.kill(pid, signal.SIGSTOP)  # it could save once more
    state = restored(file, ZoneInfo(ZONE), 0)
    assert state is not None
    ends = {at: read.offset for at, read in state.read.items()} if keeping else all_stored(hotline)
    if not keeping:
        file.unlink()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: hotline.part("roll").get("pid") not in {pid, None} and hotline.ready(), "roll works again")
    begun = "roll goes on from its snapshot, at " if keeping else "roll starts from the tables, at "
    (places,) = re.findall(f"{begun}([^;\n]+)", log.read_text()[said:])
    found = {(topic, int(number)): int(offset) for topic, number, _, offset in (at.split("/") for at in places.split())}
    assert found == ends
    assert min(found.values()) > 0, "the beginning is no place to go on from"


def all_stored(hotline: Hotline) -> dict[tuple[str, int], int]:
    """The position behind the last stored output of each measured partition."""
    topics = MEASURED_TOPICS.values()
    return {(topic, number): end for topic in topics for number, end in stored_ends(hotline, topic).items()}


def keeps_its_pace(records: list[Live]) -> None:
    """Changes come between two full records, but no more of them than quarters of a second; fulls no more than seconds.

    Whatever the machine does meanwhile makes both fewer. How few, `streams/test_roll_pace.py` shows on a driven loop.
    """
    starts = [place for place, record in enumerate(records) if record.sequence == 1]
    lives = [records[start:end] for start, end in pairwise([*starts, len(records)])]
    for life in lives:
        fulls = [place for place, record in enumerate(life) if record.full]
        assert fulls[0] == 0
        assert max(later - earlier for earlier, later in pairwise([*fulls, len(life)])) <= RECORDS_A_SECOND
        seconds = (life[fulls[-1]].as_of_ms - life[0].as_of_ms) / 1000
        assert len(fulls) <= seconds + 2
    assert len(lives) == DEATHS + 1
    assert any(record.values and not record.full for record in records)


def test_every_published_value_is_that_of_the_sums_at_its_positions(new_hotline: Callable[..., Hotline]) -> None:
    """Late and shuffled events, two deaths of roll: one starts from the tables, one goes on from its snapshot.

    Before the first event and in the end the boards, `hotline watch` and `hotline kpi` say the same at once.
    """
    hotline = new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_BOARDS="true")
    hotline.running()
    assert min(agree(hotline, "today")) > FIGURES_MIN
    for number, frames in enumerate(traffic()):
        for name, frame in frames.items():
            send_events(hotline, SUBJECTS[name], [frame], events_max=1_000)
        if number in {2, 4}:
            kill_roll(hotline, keeping=number == 4)
    instants, last = compared(hotline)
    assert len(instants) >= COMPARED_MIN
    with consumer(hotline, KPIS_TOPIC, 1) as reading:
        keeps_its_pace(caught_up(hotline, reading))
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
