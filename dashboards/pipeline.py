"""Panels about the pipeline itself, from what the sink stores beside the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import common, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options

from dashboards import look, stored
from dashboards.entries import Edition, Entry
from dashboards.finished import Override, column, finished
from dashboards.query import SERIES, TABLE, ClickHouseQuery
from dashboards.words import Text
from hotline.names import DEAD_LETTERS_TABLE, KPIS_TABLE, MARKS_TABLE, REPAIRS_TABLE, SINK_EPOCHS_TABLE
from hotline.subjects import SUBJECTS
from hotline.windows import DAY_S, HOUR_S

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel, Threshold

LIVE_LATE_S, LIVE_OLD_S = 120.0, 900.0
"""Live values are stored once a minute."""
_COUNTS = look.bounds((0.0, look.PLAIN))
_FAULTS = look.bounds((0.0, look.GOOD), (1.0, look.WARN))
_AGES = look.bounds((0.0, look.GOOD), (LIVE_LATE_S, look.WARN), (LIVE_OLD_S, look.BAD))


def stored_age() -> Entry:
    """How long ago the sink last stored a batch."""
    title = Text("Last stored", "最近入库")
    about = Text(
        "Time since the sink moved a mark, which ends every batch.", "距入库进程最近一次推进标记(每批结束时)的时间。"
    )
    return _number(
        "stored age", title, about, lambda zone: stored.age(MARKS_TABLE, "marked_at", zone), _AGES, look.AGE_UNIT
    )


def live_age() -> Entry:
    """How old the stored live values are."""
    title = Text("Live values", "实时值时效")
    about = Text(
        "Time since the newest set of live values that is stored, one a minute.",
        "距最近一组已入库实时值(每分钟一组)的时间。",
    )
    return _number(
        "live age",
        title,
        about,
        lambda zone: stored.age(KPIS_TABLE, "as_of", zone, stored.ONE_LIVE_VALUE),
        _AGES,
        look.AGE_UNIT,
    )


def dead_in_the_last_hour() -> Entry:
    """How many records could not be counted of late."""
    title = Text("Dead letters, last hour", "近1小时死信")
    about = Text(
        "Records set aside with a reason in the last hour: see the table, and `hotline dead-letters`.",
        "近1小时因故未计入的记录,原因见下表,另见 `hotline dead-letters`。",
    )
    return _entries("dead letters hour", title, about, (DEAD_LETTERS_TABLE, "set_aside_at", HOUR_S), _FAULTS)


def sink_starts() -> Entry:
    """How often the sink was started of late."""
    title = Text("Starts of the sink, 24 h", "近24小时入库进程启动次数")
    about = Text("Epochs that a starting sink took in the last 24 hours.", "近24小时内入库进程启动时取得的纪元数。")
    return _entries("sink starts", title, about, (SINK_EPOCHS_TABLE, "taken_at", DAY_S), _COUNTS)


def repairs() -> Entry:
    """How often stored sums were corrected."""
    title = Text("Repairs, 24 h", "近24小时更正次数")
    about = Text("Corrections of stored sums by `hotline repair`.", "`hotline repair` 对存储的和所做的更正。")
    return _entries("repairs", title, about, (REPAIRS_TABLE, "repaired_at", DAY_S), _FAULTS)


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
        "newest": Text("Newest", "最近一条"),
    }
    return _table("dead by reason", title, about, stored.dead_by_reason, columns)


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
    return _table("marks", title, about, stored.marks, columns, ages=("age_s",))


def logs() -> Entry:
    """The logs that were begun."""
    title = Text("Logs begun", "日志开始记录")
    about = Text(
        "A log is begun when a broker starts empty or its topic forks.", "消息代理从空启动或主题分叉时开始新日志。"
    )
    columns = {"registered_at": Text("Begun", "开始时间"), "topic": Text("Topic", "主题"), "log": Text("Log", "日志")}
    return _table("logs", title, about, stored.logs, columns)


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
        return _made(edition, panel, title, about, stored.dead_by_hour, SERIES, _COUNTS, words, "1h")

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
        return _made(edition, panel, title, about, stored.covered_days, SERIES, steps, columns, "1d")

    return Entry("covered days", make)


def _entries(key: str, title: Text, about: Text, counted: tuple[str, str, int], steps: list[Threshold]) -> Entry:
    """How many entries a table has of the last so many seconds, by one of its instants."""
    return _number(key, title, about, lambda zone: stored.entries_since(*counted, zone), steps)


def _number(
    key: str, title: Text, about: Text, sql: Callable[[str], str], steps: list[Threshold], unit: str = "locale"
) -> Entry:
    coloured = steps is not _COUNTS

    def make(edition: Edition) -> Panel:
        panel = (
            stat.Panel()
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
            .graph_mode(options.BigValueGraphMode.NONE)
            .color_mode(options.BigValueColorMode.BACKGROUND_SOLID if coloured else options.BigValueColorMode.VALUE)
            .text_mode(options.BigValueTextMode.VALUE)
        )
        return _made(edition, panel, title, about, sql, TABLE, steps, [], "1m", unit)

    return Entry(key, make)


def _table(
    key: str,
    title: Text,
    about: Text,
    sql: Callable[[str], str],
    columns: Mapping[str, Text],
    ages: tuple[str, ...] = (),
) -> Entry:
    def make(edition: Edition) -> Panel:
        words = [
            column(name, word.of(edition.lang), unit=look.AGE_UNIT if name in ages else "locale", decimals=0)
            for name, word in columns.items()
        ]
        panel = tables.Panel().cell_height(options.TableCellHeight.SM)
        return _made(edition, panel, title, about, sql, TABLE, _COUNTS, words, "1m")

    return Entry(key, make)


def _made(
    edition: Edition,
    panel: Builder[Panel],
    title: Text,
    about: Text,
    sql: Callable[[str], str],
    format_: int,
    steps: list[Threshold],
    words: Sequence[Override],
    interval: str,
    unit: str = "locale",
) -> Panel:
    return finished(
        panel.build(),
        title=title.of(edition.lang),
        description=about.of(edition.lang),
        targets=[ClickHouseQuery(sql(edition.zone), format_)],
        field=look.field(unit, 0, steps),
        overrides=words,
        interval=interval,
    )
