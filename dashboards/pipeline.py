"""Panels about the pipeline itself, from what the sink stores beside the figures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import common, statetimeline, timeseries
from grafana_foundation_sdk.models import common as options

from dashboards import look, stored
from dashboards.entries import Edition, Entry
from dashboards.finished import column
from dashboards.plain import COUNTS, FAULTS, made, number, table
from dashboards.query import SERIES, ClickHouseQuery
from dashboards.words import Text
from hotline.names import DEAD_LETTERS_TABLE, KPIS_TABLE, MARKS_TABLE, REPAIRS_TABLE
from hotline.subjects import SUBJECTS
from hotline.windows import DAY_S, HOUR_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.models.dashboard import Panel, Threshold

LIVE_LATE_S, LIVE_OLD_S = 120.0, 900.0
"""Live values are stored once a minute."""
_AGES = look.bounds((0.0, look.GOOD), (LIVE_LATE_S, look.WARN), (LIVE_OLD_S, look.BAD))


def stored_age() -> Entry:
    """How long ago the sink last stored a batch."""
    title = Text("Last stored", "最近入库")
    about = Text(
        "Time since the sink moved a mark, which ends every batch.", "距入库进程最近一次推进标记(每批结束时)的时间。"
    )
    return _age("stored age", title, about, partial(stored.age, MARKS_TABLE, "marked_at"))


def live_age() -> Entry:
    """How old the stored live values are."""
    title = Text("Live values", "实时值时效")
    about = Text(
        "Time since the newest set of live values that is stored, one a minute.",
        "距最近一组已入库实时值(每分钟一组)的时间。",
    )
    sql = partial(stored.age, KPIS_TABLE, "as_of", of=stored.ONE_LIVE_VALUE)
    return _age("live age", title, about, sql)


def dead_in_the_last_hour() -> Entry:
    """How many records could not be counted of late."""
    title = Text("Dead letters, last hour", "近1小时死信")
    about = Text(
        "Records set aside with a reason in the last hour: see the tables below.",
        "近1小时因故未计入的记录,见下方各表。",
    )
    return _entries("dead letters hour", title, about, (DEAD_LETTERS_TABLE, "set_aside_at", HOUR_S), FAULTS)


def repairs() -> Entry:
    """How often stored sums were corrected."""
    title = Text("Repairs, 24 h", "近24小时更正次数")
    about = Text("Corrections of stored sums by `hotline repair`.", "`hotline repair` 对存储的和所做的更正。")
    return _entries("repairs", title, about, (REPAIRS_TABLE, "repaired_at", DAY_S), FAULTS)


def dead_by_reason() -> Entry:
    """Dead letters by reason."""
    title = Text("Dead letters by reason", "死信原因")
    about = Text(
        "All that could not be counted; each reason is explained in the runbook.",
        "所有未能计入的记录;各原因见运维手册。",
    )
    columns = {
        "reason": Text("Reason", "原因"),
        "recent": Text("Last hour", "近1小时"),
        "day": Text("Last 24 hours", "近24小时"),
        "all_time": Text("All", "全部"),
        "newest_at": Text("Newest", "最近一条"),
    }
    return table("dead by reason", title, about, stored.dead_by_reason, columns)


def dead_letters() -> Entry:
    """What could not be counted of late, one by one."""
    title = Text("Newest dead letters", "最近死信")
    about = Text(
        "The newest records that were set aside. `hotline dead-letters show ID` shows one as it came.",
        "最近被搁置的记录;用 `hotline dead-letters show 编号` 查看原文。",
    )
    columns = {
        "set_aside_at": Text("Set aside", "搁置时间"),
        "reason": Text("Reason", "原因"),
        "id": Text("ID", "编号"),
    }
    return table("dead letters", title, about, stored.dead_letters, columns)


def marks() -> Entry:
    """How far every partition is stored."""
    title = Text("Stored by partition", "各分区入库进度")
    about = Text(
        "The mark of each partition of the measured topics: its log, the offset read next, and when it moved.",
        "各测量主题分区的标记:所属日志、下一个偏移量、最近推进时间。",
    )
    columns = {
        "topic": Text("Topic", "主题"),
        "partition": Text("Partition", "分区"),
        "log": Text("Log", "日志"),
        "position": Text("Stored to", "已存至"),
        "marked_at": Text("Moved", "推进时间"),
        "age_s": Text("Ago", "已过"),
    }
    units, limits = {"age_s": look.AGE_UNIT}, {"age_s": _AGES}
    return table("marks", title, about, stored.marks, columns, units=units, limits=limits)


def logs() -> Entry:
    """The logs that were begun."""
    title = Text("Logs begun", "日志开始记录")
    about = Text(
        "A log is begun when a broker starts empty or its topic forks.", "消息代理从空启动或主题分叉时开始新日志。"
    )
    columns = {"registered_at": Text("Begun", "开始时间"), "topic": Text("Topic", "主题"), "log": Text("Log", "日志")}
    return table("logs", title, about, stored.logs, columns)


def dead_trend() -> Entry:
    """Dead letters by the hour."""

    def make(edition: Edition) -> Panel:
        panel = (
            timeseries.Panel()
            .draw_style(options.GraphDrawStyle.BARS)
            .fill_opacity(60)
            .span_nulls(False)
            .legend(common.VizLegendOptions().show_legend(False).placement(options.LegendPlacement.BOTTOM))
        )
        title = Text("Dead letters by the hour", "每小时死信")
        about = Text("By when they were set aside.", "按搁置时间计。")
        words = [column("dead", title.of(edition.lang), unit="locale", decimals=0)]
        query = ClickHouseQuery(stored.dead_by_hour(edition.zone), SERIES)
        return made(edition, panel, title, about, query, words=words, interval="1h")

    return Entry("dead trend", make)


def covered() -> Entry:
    """On which days the store has data."""

    def make(edition: Edition) -> Panel:
        panel = (
            statetimeline.Panel()
            .show_value(options.VisibilityMode.NEVER)
            .merge_values(True)
            .legend(common.VizLegendOptions().show_legend(False).placement(options.LegendPlacement.BOTTOM))
        )
        title = Text("Days with data", "有数据的日期")
        about = Text(
            "A bar where the day has any event, a gap where it has none.", "有事件的日期显示色条,没有则为空白。"
        )
        words = {"calls": Text("Calls", "话务"), "tickets": Text("Tickets", "诉求")}
        columns = [column(name, words[name].of(edition.lang)) for name in SUBJECTS]
        steps = look.bounds((0.0, look.GOOD))
        query = ClickHouseQuery(stored.covered_days(edition.zone), SERIES)
        return made(edition, panel, title, about, query, steps=steps, words=columns, interval="1d")

    return Entry("covered days", make)


def _entries(
    key: str, title: Text, about: Text, counted: tuple[str, str, int], steps: list[Threshold] = COUNTS
) -> Entry:
    """How many entries a table has of the last so many seconds, by one of its instants."""
    return number(key, title, about, lambda zone: stored.entries_since(*counted, zone), steps=steps)


def _age(key: str, title: Text, about: Text, sql: Callable[[str], str]) -> Entry:
    """How long ago something last happened."""
    return number(key, title, about, sql, steps=_AGES, unit=look.AGE_UNIT)
