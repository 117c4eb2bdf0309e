"""The table of working days is the calendar of the settings, as of the last start of a sink."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotline.calendar_days import standing
from hotline.settings import Settings
from hotline.working_time import Calendar, Holiday, calendar_from, chinese
from sinks.migrations import apply, migrations
from sinks.writer.store import Store
from sinks.writer.working_days import keep_working_days
from tests.sinks.sinking import ZONE, EngineProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clickhouse_connect.driver.client import Client

MADE_BY = next(each for each in migrations() if "hotline.calendar_days" in each.text)
ALL_ROWS = "SELECT count(), uniqExact(epoch) FROM hotline.calendar_days"


@dataclass
class Lives:
    """Sinks that start one after another on one database."""

    folder: Path
    url: str
    client: Client

    def store(self) -> Store:
        settings = Settings(data=self.folder, clickhouse_url=self.url)
        found = Store(settings, threading.Event(), on_trouble=lambda _: None)
        found.take_epoch()
        return found

    def start(self, calendar: str) -> None:
        keep_working_days(self.store(), Settings(data=self.folder, calendar=calendar))

    def ask(self, sql: str) -> Any:
        return self.client.query(sql).result_rows

    def stands(self) -> list[tuple[Any, ...]]:
        columns = "day, working, listed, holiday, holiday_zh, calendar, version"
        return sorted(tuple(row) for row in self.ask(standing(columns)))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as started:
        with started.client() as client:
            apply(client, ZONE)
        yield started


@pytest.fixture
def lives(engine: EngineProcess) -> Iterator[Lives]:
    with engine.client() as client:
        for statement in MADE_BY.statements(ZONE):
            client.command(statement)
        client.command("TRUNCATE TABLE hotline.calendar_days")
        yield Lives(engine.data, engine.url, client)


def days_of(calendar: Calendar) -> list[tuple[Any, ...]]:
    """What the table must hold, read from the calendar once more."""
    found, day = [], calendar.first
    while day <= calendar.last:
        names = calendar.listed.get(day, Holiday())
        worked = day in calendar.working
        found.append((day, worked, day in calendar.listed, *names, calendar.name, calendar.version))
        day += timedelta(days=1)
    return found


def written(path: Path, *, holidays: str = "", last: str = "2023-12-31") -> str:
    path.write_text(
        f'format = 1\nname = "办公室"\nversion = 4\nzone = "{ZONE}"\nfirst_day = 2023-01-01\nlast_day = {last}\n'
        f'base = "{chinese().name}"\nextra_hours = [["09:00", "17:00"]]\nholidays = [{holidays}]\n'
        '[week]\nmon = [["09:00", "17:00"]]\n'
    )
    return str(path)


def test_the_days_of_a_calendar_are_written_once_and_another_takes_their_place(lives: Lives, tmp_path: Path) -> None:
    """Also one of a lower version that knows fewer days, and a file that changed without a new version."""
    for _ in range(2):
        lives.start("none")
    assert lives.ask(ALL_ROWS) == [(0, 0)], "no calendar, and none before: nothing is written"
    for _ in range(2):
        lives.start("cn")
    assert lives.ask(ALL_ROWS) == [(len(days_of(chinese())), 1)], "the second start finds what it would write"
    assert lives.stands() == days_of(chinese())
    assert (date(2023, 10, 8), True, True, "National Day", "国庆节", chinese().name, 110) in lives.stands()
    file = tmp_path / "calendar.toml"
    for holidays in ("", "2023-11-06"):
        lives.start(written(file, holidays=holidays, last="2023-12-30"))
        assert lives.stands() == days_of(calendar_from(file)) != []
    lives.client.command("OPTIMIZE TABLE hotline.calendar_days FINAL")
    assert lives.stands() == days_of(calendar_from(file)), "merged days of two calendars are those of the last one"
    for _ in range(2):
        lives.start("none")
    assert lives.stands() == [(date(1970, 1, 1), False, False, "", "", "none", 0)], "a calendar that was given up"


def test_a_wrong_calendar_leaves_what_stands_and_the_sink_goes_on(
    lives: Lives, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lives.start("cn")
    lives.start(written(tmp_path / "calendar.toml", holidays="2024-01-01"))
    assert lives.stands() == days_of(chinese())
    assert "holidays" in caplog.text
    assert "working days stay as they are stored" in caplog.text


def test_a_sink_that_another_one_followed_writes_nothing(lives: Lives) -> None:
    zombie = lives.store()
    lives.start("none")
    keep_working_days(zombie, Settings(data=lives.folder, calendar="cn"))
    assert lives.ask(ALL_ROWS) == [(0, 0)]


def test_without_the_table_the_log_names_the_remedy(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """As in a database of the version before."""
    lives.client.command("DROP TABLE hotline.calendar_days SYNC")
    lives.start("cn")
    assert "apply the migrations" in caplog.text
