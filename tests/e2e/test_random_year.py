"""A year of small random lives, told in order and told anyhow, cold look-ups included: the same rows, the same sums.

Both tellings are of the very same events, so each has a stack of its own.
"""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.blocks import complete
from hotline.catalogue import KPIS
from hotline.data_folder import make_once, pseudonym_key
from hotline.subjects import SUBJECTS, Subject
from hotline.working_time import chinese
from tests.e2e import bank
from tests.e2e.conftest import ZONE
from tests.e2e.sending import send_events
from tests.hotline.random_rows import TIMES, life, moved, rarely_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from producers.accounts import Account
    from tests.e2e.stacks import Hotline

ENTITIES = 400
DAYS = 365
ALL_TIME = "2022-01-01..2024-01-01"
RULE = """
format = 1
name = "of a test"
version = 4
terms = [
    {nature = "consult", within = 1, unit = "working_days"},
    {within = 2, unit = "working_days", from = "receipt"},
]
"""


@cache
def year(subject: Subject) -> pl.DataFrame:
    """Lives born over a year, in order of time; conflicts and ties are the rule among their events."""
    draw = random.Random(7)
    lives = [event for number in range(ENTITIES) for event in _moved_life(subject, draw, number)]
    frame = pl.DataFrame(lives, schema={name: subject.columns[name] for name in lives[0]})
    assert {name for name, dtype in frame.schema.items() if dtype == pl.Datetime} <= TIMES
    return complete(subject, frame.sort("occurred_at", maintain_order=True))


def _moved_life(subject: Subject, draw: random.Random, number: int) -> list[dict[str, Any]]:
    by = timedelta(days=draw.randrange(DAYS) - DAYS)
    return moved([rarely_due(event) for event in life(subject, draw, str(number))], by)


@pytest.fixture(scope="module")
def hotlines(new_hotline: Callable[..., Hotline], tmp_path_factory: pytest.TempPathFactory) -> tuple[Hotline, Hotline]:
    """Give two stacks with a rule of deadlines; the worker of the second may remember next to nothing."""
    rule = tmp_path_factory.mktemp("rule") / "rule.toml"
    rule.write_text(RULE)
    common = {"HOTLINE_ZONE": ZONE, "HOTLINE_CALENDAR": "cn", "HOTLINE_DEADLINE_RULE_FILE": str(rule)}
    in_order, anyhow = new_hotline(**common), new_hotline(**common, HOTLINE_WARM_BYTES_MAX="1048576")
    # What stands of a contradiction depends on pseudonyms as well, so both make the same ones.
    key = pseudonym_key(in_order.data)
    anyhow.data.mkdir()
    (anyhow.data / "secrets").mkdir(mode=0o700)
    make_once(anyhow.data / "secrets" / "pseudonym.key", key, mode=0o600)
    in_order.running()
    anyhow.running()
    return in_order, anyhow


@pytest.fixture(scope="module")
def told(hotlines: tuple[Hotline, Hotline]) -> dict[str, tuple[Account, ...]]:
    """Tell the year in order on one stack and anyhow on the other; what became of the events of each telling."""
    in_order, anyhow = hotlines
    straight = {name: send_events(in_order, of, [year(of)], events_max=1_000) for name, of in SUBJECTS.items()}
    mixed = {name: year(of).sample(fraction=1, shuffle=True, seed=3) for name, of in SUBJECTS.items()}
    half = {name: events[: len(events) // 2] for name, events in mixed.items()}
    first = {name: send_events(anyhow, of, [half[name]], events_max=150) for name, of in SUBJECTS.items()}
    anyhow.restart()  # after it nothing is in memory
    # All of it again: the first half is to be seen among what is new.
    again = {name: events.sample(fraction=1, shuffle=True, seed=4) for name, events in mixed.items()}
    rest = {name: send_events(anyhow, of, [again[name]], events_max=150) for name, of in SUBJECTS.items()}
    return {name: (straight[name], first[name], rest[name]) for name in SUBJECTS}


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_accounts_agree(told: dict[str, tuple[Account, ...]], name: str) -> None:
    straight, first, rest = told[name]
    assert straight.counted > ENTITIES
    assert straight.revised > 0
    assert straight.dead == first.dead == rest.dead == 0
    assert straight.counted == first.counted + rest.counted
    assert straight.revised == first.revised + rest.revised
    assert rest.seen >= first.counted + first.revised


@pytest.mark.parametrize("name", SUBJECTS)
def test_rows_and_events_agree(
    hotlines: tuple[Hotline, Hotline], told: dict[str, tuple[Account, ...]], name: str
) -> None:
    del told
    subject = SUBJECTS[name]
    straight, mixed = (stored(hotline, f"{subject.rows_table} FINAL") for hotline in hotlines)
    assert len(straight) == ENTITIES
    assert mixed == straight
    straight, mixed = (stored(hotline, subject.events_table) for hotline in hotlines)
    assert len(straight) > ENTITIES * 2
    assert mixed == straight


def stored(hotline: Hotline, table: str) -> list[tuple[Any, ...]]:
    with hotline.writer() as client:
        return sorted(map(tuple, client.query(f"SELECT * FROM hotline.{table}").result_rows), key=repr)  # noqa: S608


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_figure_agrees(
    hotlines: tuple[Hotline, Hotline], told: dict[str, tuple[Account, ...]], name: str
) -> None:
    del told
    names = [kpi.name for kpi in KPIS.values() if kpi.subject is SUBJECTS[name]]
    straight, mixed = (hotline.figures(*names, period=ALL_TIME, more=("--by", "day")) for hotline in hotlines)
    assert mixed == straight
    assert sum(bool(result["numerator"]) for result in straight) > 1_000


def test_tickets_that_state_no_deadline_have_one_by_the_rule(
    hotlines: tuple[Hotline, Hotline], told: dict[str, tuple[Account, ...]]
) -> None:
    del told
    sql = (
        "SELECT rule_version, calendar_version, count(), countIf(late), countIf(handling_workdays > 0) "
        "FROM hotline.tickets FINAL WHERE due_at IS NOT NULL AND rule_version > 0 GROUP BY ALL"
    )
    for hotline in hotlines:
        with hotline.writer() as client:
            ((rule, calendar, tickets, late, days),) = client.query(sql).result_rows
            accounts = client.query("SELECT DISTINCT rule, calendar FROM hotline.accounts").result_rows
        assert (rule, calendar) == (4, chinese().version)
        assert list(map(tuple, accounts)) == [(4, chinese().version)]
        assert tickets > late > 0
        assert days > 0


def test_sums_rows_and_events_agree_to_the_last_unit(
    hotlines: tuple[Hotline, Hotline], told: dict[str, tuple[Account, ...]]
) -> None:
    del told
    for hotline in hotlines:
        hotline.reconciled("2022-07")


def test_two_files_that_contradict_each_other_give_the_same_in_either_order(
    hotlines: tuple[Hotline, Hotline], told: dict[str, tuple[Account, ...]], tmp_path: Path
) -> None:
    del told
    header, *rows = bank.lines("january")[:3_000]
    other = [row.replace(b"\tPS\t", b"\tNW\t") if number % 3 else row for number, row in enumerate(rows)]
    assert other != rows
    files = [bank.write(tmp_path / "one.txt", [header, *rows]), bank.write(tmp_path / "two.txt", [header, *other])]
    both = []
    for hotline, order in zip(hotlines, (files, files[::-1]), strict=True):
        assert hotline.load("bank1999", order[0])["revised"] == 0
        assert hotline.load("bank1999", order[1])["revised"] > 500
        both.append(bank.every_figure(hotline, end="02-01"))
    assert both[0] == both[1]
