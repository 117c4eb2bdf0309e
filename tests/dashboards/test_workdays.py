"""Counts a working day and a day off, and holidays in trends, on the real engine, against plain Python."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from dashboards.boards.annual import ANNUAL
from dashboards.entries import Edition
from dashboards.links import OWN
from dashboards.macros import Chosen, expand
from dashboards.words import Lang
from dashboards.workdays import a_day
from hotline.catalogue import KPIS
from hotline.names import DATABASE
from tests.dashboards.asking import Asking
from tests.dashboards.cells import followed
from tests.dashboards.conftest import ZONE, store_calendar
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

TZ = ZoneInfo(ZONE)
FIRST, LAST = date(2022, 11, 20), date(2024, 2, 20)
"""Days with sums."""
KNOWN_FIRST, KNOWN_LAST = date(2023, 1, 1), date(2024, 1, 20)
"""Days that the calendar knows."""
EMPTY_MONTH = (2023, 3)
ONLY_OFF_MONTH = (2023, 10)
HOLIDAYS = {
    date(2023, 4, 29): (False, "Labour Day"),
    date(2023, 4, 30): (False, "Labour Day"),
    date(2023, 5, 1): (False, "Labour Day"),
    date(2023, 5, 2): (False, ""),
    date(2023, 5, 4): (True, ""),
    date(2024, 1, 20): (True, "Labour Day"),
}
"""Whether it is worked on, and its name: over the end of a month, without a name, in another year."""
SHOWN = {"tickets": ("tickets_created",), "calls": ("calls_offered", "calls_answered")}


@dataclass
class Year:
    """What is stored, as plain Python."""

    asking: Asking
    working: dict[date, bool] = field(default_factory=dict)
    covered: dict[str, set[date]] = field(default_factory=lambda: {name: set() for name in SHOWN})
    sums: dict[str, Counter[date]] = field(default_factory=lambda: {kpi: Counter() for kpi in KPIS})


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=at) for at in range((last - first).days + 1)]


NEAR = span(datetime.now(TZ).date() - timedelta(days=1), datetime.now(TZ).date() + timedelta(days=1))
"""Days that are over, or not, or will be before a test asks: the local day may end meanwhile."""


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """A calendar that took the place of one which said otherwise and knew more; sums of some days, covered or not."""
    draw = random.Random(13)
    with engine(tmp_path_factory.mktemp("year"), ZONE) as settings, migrated(settings) as client:
        found = Year(Asking(settings))
        known = [*span(KNOWN_FIRST, KNOWN_LAST), *NEAR]
        found.working = {day: draw.random() < 0.7 and month_of(day) != ONLY_OFF_MONTH for day in known}
        found.working |= {day: working for day, (working, _) in HOLIDAYS.items()}
        every = {day: not found.working.get(day, False) for day in [*span(FIRST, LAST), *NEAR]}
        store_calendar(client, 7, [(day, working, True, "Never") for day, working in every.items()])
        names = {day: HOLIDAYS.get(day, (False, ""))[1] for day in found.working}
        store_calendar(client, 8, [(day, found.working[day], day in HOLIDAYS, names[day]) for day in names])
        for subject, shown in SHOWN.items():
            store_sums(client, found, draw, subject, shown)
        yield found
        found.asking.close()


def store_sums(client: Client, year: Year, draw: random.Random, subject: str, names: tuple[str, ...]) -> None:
    """Three minutes a day of the city, the first and the last among them, and the same of a line, which is no more."""
    columns = [KPIS[name].measures[0].column for name in names]
    rows: list[list[Any]] = []
    for day in [*span(FIRST, LAST), *NEAR]:
        start = datetime(day.year, day.month, day.day, tzinfo=TZ)
        if month_of(day) != EMPTY_MONTH and draw.random() < 0.8:
            year.covered[subject].add(day)
        for minute in (0, draw.randrange(1, 1439), 1439) if draw.random() < 0.8 else ():
            counts = [draw.randrange(100) for _ in names]
            at = start + timedelta(minutes=minute)
            rows += [[kind, scope, at, *counts] for kind, scope in (("all", ""), ("line", "a"))]
            for name, count in zip(names, counts, strict=True):
                year.sums[name][day] += count
    names_ = ["scope_kind", "scope", "at", *columns]
    client.insert(f"{DATABASE}.minute_sums_{subject}", rows, names_, settings={"max_partitions_per_insert_block": 0})
    days = [[subject, day] for day in year.covered[subject]]
    client.insert(f"{DATABASE}.covered_days", days, column_names=["subject", "day"])


def month_of(day: date) -> tuple[int, int]:
    return day.year, day.month


def at(day: date, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=TZ).timestamp())


def asked(year: Year, subject: str, chosen: Chosen, *, without: str = "") -> list[dict[str, Any]]:
    """Ask the panel of the board; `without` a table as if it were empty."""
    sql = expand(panel_of(subject)["targets"][0]["rawSql"], chosen)
    if without:
        assert f"FROM {without} " in sql
        sql = sql.replace(f"FROM {without} ", f"FROM (SELECT * FROM {without} LIMIT 0) ")  # noqa: S608
    found = year.asking.ask(sql).records
    return [{name: value for name, value in record.items() if name not in OWN} for record in found]


def panel_of(subject: str) -> dict[str, Any]:
    title = {"tickets": "Tickets by working days", "calls": "Calls by working days"}[subject]
    (panel,) = (each for each in ANNUAL.json(Edition(Lang.EN, ZONE))["panels"] if each["title"] == title)
    return dict(panel)


def expected(year: Year, subject: str, days: list[date]) -> list[dict[str, Any]]:
    """What plain Python makes of these days, each of which is over."""
    found = []
    for month in dict.fromkeys(map(month_of, days)):
        counted = [day for day in days if month_of(day) == month and day in year.covered[subject]]
        of = {
            kind: [day for day in counted if year.working.get(day) is working]
            for kind, working in (("working", True), ("off", False))
        }
        record: dict[str, Any] = {"time": f"{month[0]}-{month[1]:02}-01 00:00:00"}
        for kind, some in of.items():
            record[f"days_{kind}"] = len(some) if any(of.values()) else None
            for name in SHOWN[subject]:
                record[f"{name}_{kind}"] = sum(year.sums[name][day] for day in some) / len(some) if some else None
        found.append(record)
    return found


@pytest.mark.parametrize("subject", SHOWN)
def test_a_kind_of_day_has_its_sum_over_the_number_of_its_days(subject: str, year: Year) -> None:
    """In months that the calendar knows, knows in part and does not know; without data, and without a working day."""
    days = span(FIRST, LAST)
    wanted = expected(year, subject, days)
    assert asked(year, subject, Chosen(from_s=at(FIRST, 5, 17), to_s=at(LAST, 23, 59) + 59)) == [
        {name: pytest.approx(value) if isinstance(value, float) else value for name, value in record.items()}
        for record in wanted
    ]
    by_month = {record["time"][:7]: record for record in wanted}
    assert {by_month[month]["days_working"] for month in ("2022-12", "2023-03", "2024-02")} == {None}
    assert by_month["2023-10"]["days_working"] == 0 < by_month["2023-10"]["days_off"]
    assert by_month["2023-10"][f"{SHOWN[subject][0]}_working"] is None
    assert 0 < by_month["2024-01"]["days_working"] + by_month["2024-01"]["days_off"] <= 20


@pytest.mark.parametrize("subject", SHOWN)
def test_a_day_that_a_range_cuts_counts_whole(subject: str, year: Year) -> None:
    name = SHOWN[subject][0]
    day = min(day for day in year.covered[subject] & year.working.keys() if year.sums[name][day])
    found = asked(year, subject, Chosen(from_s=at(day, 5, 17), to_s=at(day, 15)))
    assert found == expected(year, subject, [day])


@pytest.mark.parametrize("subject", SHOWN)
def test_a_value_of_days_of_a_month_leads_to_the_total_of_those_days_of_it_that_the_range_touches(
    subject: str, year: Year
) -> None:
    """Both kinds of day, and those that are left out: the list is of the whole month."""
    panel, days = panel_of(subject), span(date(2023, 3, 20), date(2023, 5, 10))
    chosen = Chosen(from_s=at(days[0], 5, 17), to_s=at(days[-1], 15))
    records = year.asking.ask(expand(panel["targets"][0]["rawSql"], chosen)).records
    for record, month in zip(records, dict.fromkeys(map(month_of, days)), strict=True):
        found = dict(followed(panel, record, year.asking))
        assert found.keys() == {f"{name}_{kind}" for name in SHOWN[subject] for kind in ("working", "off")}
        for name in SHOWN[subject]:
            total = sum(year.sums[name][day] for day in days if month_of(day) == month)
            assert (found[f"{name}_working"] or 0, found[f"{name}_off"] or 0) == (total, total)


@pytest.mark.parametrize("subject", SHOWN)
def test_a_day_that_is_not_over_does_not_count(subject: str, year: Year) -> None:
    today = now = None
    while today is None or now != today:  # else the day ended while it was asked
        today = datetime.now(TZ).date()
        start = (today - timedelta(days=1)).replace(day=1)
        found = asked(year, subject, Chosen(from_s=at(start), to_s=at(today + timedelta(days=40))))
        now = datetime.now(TZ).date()
    assert found == expected(year, subject, span(start, today - timedelta(days=1)))


@pytest.mark.parametrize("without", ["hotline.calendar_days", "hotline.covered_days"])
def test_without_a_calendar_or_data_there_is_no_value(without: str, year: Year) -> None:
    found = asked(year, "calls", Chosen(from_s=at(FIRST), to_s=at(LAST)), without=without)
    assert len(found) == 16
    assert {value for record in found for name, value in record.items() if name != "time"} == {None}


def test_only_counts_have_an_amount_a_day() -> None:
    for name in ("answer_rate", "tickets_open", "wait_p90_s"):
        with pytest.raises(ValueError, match=name):
            a_day((KPIS[name],), ZONE)


def marked(year: Year, lang: Lang, first_s: int, last_s: int) -> list[list[Any]]:
    notes = ANNUAL.json(Edition(lang, ZONE))["annotations"]["list"]
    (sql,) = (each["target"]["rawSql"] for each in notes if each["name"] in {"Holidays", "节假日"})
    return year.asking.ask(expand(sql, Chosen(from_s=first_s, to_s=last_s))).rows


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        (
            Lang.EN,
            [
                "Holiday: Labour Day, 2023-04-29 … 2023-05-01",
                "Holiday, 2023-05-02",
                "Worked in exchange, 2023-05-04",
                "Worked in exchange: Labour Day, 2024-01-20",
            ],
        ),
        (
            Lang.ZH,
            [
                "节假日: 中Labour Day, 2023-04-29 … 2023-05-01",
                "节假日, 2023-05-02",
                "调休上班, 2023-05-04",
                "调休上班: 中Labour Day, 2024-01-20",
            ],
        ),
    ],
)
def test_each_run_of_a_holiday_is_marked_once_where_it_begins(lang: Lang, texts: list[str], year: Year) -> None:
    """Or where the range begins, in the middle of one; of the calendar that stands, and of no day outside the range."""
    begins = ["2023-04-29 00:00:00", "2023-05-02 00:00:00", "2023-05-04 00:00:00", "2024-01-20 00:00:00"]
    assert marked(year, lang, at(FIRST), at(LAST)) == [list(mark) for mark in zip(begins, texts, strict=True)]
    within = marked(year, lang, at(date(2023, 4, 30), 9, 30), at(date(2023, 4, 30), 15))
    assert within == [["2023-04-30 09:30:00", texts[0]]]
    assert marked(year, lang, at(date(2023, 5, 3)), at(date(2023, 5, 3), 23, 59)) == []
