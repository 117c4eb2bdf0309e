"""Which days of a span the store has data of, month by month, and which it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options

from dashboards import look, sums
from dashboards.entries import OVER, Edition, Entry
from dashboards.finished import column, finished
from dashboards.query import ClickHouseQuery
from dashboards.spans import local
from dashboards.words import Text
from hotline.buckets import By
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

DAYS_MAX = 3660
_NAMES = {"calls": Text("Calls", "话务"), "tickets": Text("Tickets", "诉求")}


def coverage() -> Entry:
    """Of each month of the range how many days have data, and the days that have none."""

    def make(edition: Edition) -> Panel:
        lang = edition.lang
        counted = Text("{name}, days covered", "{name}有数据天数")
        missing = Text("{name}, days missing", "{name}缺数据日")
        columns = [
            column(
                "time", Text("Month", "月份").of(lang), more={"unit": look.BUCKETS[By.MONTH].of(lang), "decimals": 0}
            )
        ]
        for name in SUBJECTS:
            columns.append(column(name, counted.format(name=_NAMES[name]).of(lang), unit="locale", decimals=0))
            columns.append(column(f"{name}_missing", missing.format(name=_NAMES[name]).of(lang)))
        columns.append(column("days", Text("Days", "天数").of(lang), unit="locale", decimals=0))
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=Text("Coverage: which days have data", "数据覆盖:各月有数据的天数").of(lang),
            description=Text(
                "Days that are over of which the store has any event, by the day on which a call or ticket began, and "
                "those days of the month of which it has none, or 0. What of a day was given up or lies in dead "
                "letters, the marks and the pipeline board tell.",
                "已结束且有事件入库的天数,按电话或诉求开始的日期计;以及当月没有任何事件的日期,没有则为0。"
                "某日是否有放弃或搁置的记录,见标注与数据链路看板。",
            ).of(lang),
            targets=[ClickHouseQuery(_sql(edition.zone))],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=columns,
            interval="1d",
        )

    return Entry("coverage", make)


def _sql(zone: str) -> str:
    has = ", ".join(f"day IN ({sums.days(subject)}) AS has_{name}" for name, subject in SUBJECTS.items())
    last = f"least(toDate(until_at - 1), toDate({local('now()', zone)}) - 1)"
    first = "toDate(since_at)"
    span = f"numbers(toUInt64(least({DAYS_MAX}, greatest(0, toInt64({last}) - toInt64({first}) + 1))))"
    of_month = ", ".join(
        f"toInt64(countIf(has_{name})) AS {name}_days, arraySort(groupArrayIf(day, NOT has_{name})) AS {name}_gaps"
        for name in SUBJECTS
    )
    shown = ", ".join(
        f"nullIf({name}_days, 0) AS {name}, if(empty({name}_gaps), '0', {_runs(f'{name}_gaps')}) AS {name}_missing"
        for name in SUBJECTS
    )
    return (
        f"{OVER['range'].span(zone).heads()} SELECT toDateTime(month, '{zone}') AS time, {shown}, days "  # noqa: S608
        f"FROM (SELECT toStartOfMonth(day) AS month, toInt64(count()) AS days, {of_month} "
        f"FROM (SELECT {first} + number AS day, {has} FROM {span}) GROUP BY month) ORDER BY month"
    )


def _runs(days: str) -> str:
    """Days of a month as text: `03, 05–09`."""
    first, last = (f"arrayFilter(day -> NOT has({days}, day {sign} 1), {days})" for sign in "-+")
    one, other = (f"leftPad(toString(toDayOfMonth({day})), 2, '0')" for day in ("a", "b"))
    run = f"(a, b) -> if(a = b, {one}, concat({one}, '–', {other}))"
    return f"arrayStringConcat(arrayMap({run}, {first}, {last}), ', ')"
