"""Figures of boards that are no KPIs: how long the first in the queue has waited, and how old the data is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.dashboard import DashboardLink

from dashboards import look, spans
from dashboards.entries import CITY
from dashboards.links import address, to_board
from dashboards.plain import number
from dashboards.words import Text
from hotline.catalogue import ALL, KPIS, Measure, Unit, kpi
from hotline.names import DATABASE
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import EVENT_LATE_S, EVENT_OLD_S, MINUTE_S, NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.entries import Edition, Entry
    from hotline.catalogue import Kpi

PIPELINE = Text("Why: the pipeline", "原因:数据链路")
WAIT_DAYS_MAX = 1
"""Nobody waits longer; so far back rows are looked at."""
_AGES = {
    "": (
        Text("Data age", "数据时效"),
        Text("a call counted, or of a ticket where that is longer ago,", "话务事件(诉求事件更久时为诉求事件)"),
    ),
    "calls": (Text("Data age, calls", "数据时效(话务)"), Text("a call counted", "话务事件")),
    "tickets": (Text("Data age, tickets", "数据时效(诉求)"), Text("a ticket counted", "诉求事件")),
}
"""By subject, or of all: the title, and which events count."""


def longest_wait() -> Entry:
    """How long the caller who came first has waited, of those who wait."""
    waiting = kpi("calls_waiting")
    title = Text("Longest wait now", "当前最长等待")
    about = Text(
        "Seconds since the first of those who wait now was queued, of `{name}`: {formula}. "
        "From the rows of the last day.",
        "当前排队者(`{name}`)中最早一位已等待的时间:{formula}。取自最近一天的通话记录。",
    ).format(name=waiting.name, formula=Text(waiting.formula, waiting.formula_zh))
    steps = look.bounds((0.0, look.PLAIN), (60.0, look.WARN), (120.0, look.BAD))
    sql = partial(_longest_wait_sql, waiting)
    leads = partial(_to_waiting, waiting)
    return number("longest wait", title, about, sql, steps=steps, unit=look.AGE_UNIT, centred=True, leads=leads)


def _to_waiting(waiting: Kpi, edition: Edition) -> DashboardLink:
    """The list of those who wait, the first who came on top."""
    title = Text("Who waits, the longest first", "排队者,等待最久者在前").of(edition.lang)
    url = f"{address(waiting, NOW, CITY, edition.lang)}&sort={waiting.stock.came.at.name}&order=asc"
    return DashboardLink(title=title, url=url)


def data_age(subject: Subject | None = None) -> Entry:
    """How long ago the newest minute with an event of a subject ended: a board that stands still must say so.

    By the clock of the store, whatever the range: also a board about last year reads what is stored by now. Without a
    subject, of that whose events are the oldest: one that is busy must not hide that another stands still.
    """
    title, of = _AGES[subject.name if subject else ""]
    about = Text(
        "Time from the end of the newest minute in which any event of {of} to now, whatever the range of "
        "the board. From {late:g} s on it is late, from {old:g} s on old.",
        "最近一个有{of}的分钟结束至今的时间,与看板所选时间范围无关。{late:g}秒起为延迟,{old:g}秒起为陈旧。",
    ).format(of=of, late=EVENT_LATE_S, old=EVENT_OLD_S)
    steps = look.bounds((0.0, look.GOOD), (EVENT_LATE_S, look.WARN), (EVENT_OLD_S, look.BAD))
    leads = partial(to_board, "pipeline", PIPELINE)
    sql = partial(_data_age_sql, [subject] if subject else [*SUBJECTS.values()])
    key = f"data age {subject.name}" if subject else "data age"
    return number(key, title, about, sql, steps=steps, unit=look.AGE_UNIT, centred=True, leads=leads)


def _longest_wait_sql(waiting: Kpi, zone: str) -> str:
    came, left = waiting.stock.came, waiting.stock.left
    return (
        f"{spans.as_of_end(zone)} "  # noqa: S608  names of ours
        f"SELECT maxOrNull({_seconds('now_at')} - {_seconds(came.at.name)}) AS longest_wait "
        f"FROM {DATABASE}.{waiting.subject.rows_table} FINAL "
        f"WHERE born_at > now_at - INTERVAL {WAIT_DAYS_MAX} DAY AND {came.sql_where} AND {came.at.name} <= now_at "
        f"AND NOT ifNull({left.sql_where} AND {left.at.name} <= now_at, false)"
    )


def _data_age_sql(subjects: Sequence[Subject], zone: str) -> str:
    """Of the subjects that ever had an event the one whose newest is the oldest."""
    newest = " UNION ALL ".join(f"({_newest(subject)})" for subject in subjects)
    age = f"{_seconds('now_at')} - {_seconds('newest')} - {MINUTE_S}"
    return (
        f"{spans.as_of_now(zone)} "  # noqa: S608  names of ours
        f"SELECT if(isNull(newest), NULL, greatest(0, {age})) AS data_age "
        f"FROM (SELECT minOrNull(at) AS newest FROM ({newest}))"
    )


def _seconds(instant: str) -> str:
    return f"toInt64(toUnixTimestamp({instant}))"


def _newest(subject: Subject) -> str:
    """The newest minute in which an event counted; deadlines pass without one."""
    counts = (of.numerator for of in KPIS.values() if of.unit is Unit.COUNT and of.subject is subject)
    happened = " OR ".join(f"{measure.column} != 0" for measure in counts if isinstance(measure, Measure))
    return (
        f"SELECT at FROM {DATABASE}.{subject.sums_table} WHERE scope_kind = '{ALL}' AND scope = '' "  # noqa: S608
        f"AND at <= now_at AND ({happened}) ORDER BY at DESC LIMIT 1"
    )
