"""What is marked in the trends of a board: notes, releases, incidents, corrections, days without data, holidays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from dashboards import look
from dashboards.query import ClickHouseQuery, datasource
from dashboards.spans import local
from dashboards.words import Lang, Text
from hotline.calendar_days import standing
from hotline.filled import FILLED, LACKING
from hotline.names import (
    CHANGED_DAYS_TABLE,
    COVERED_DAYS_TABLE,
    DATABASE,
    FILLED_COLUMNS_TABLE,
    GAPS_TABLE,
    LOGS_TABLE,
    MIGRATIONS_TABLE,
    RECONCILIATIONS_TABLE,
    REPAIRS_TABLE,
)

if TYPE_CHECKING:
    from dashboards.entries import Edition

TAGS = ("incident", "release", "holiday")
"""What people tag their notes with in Grafana, to have them on all boards."""
MARKS_MAX, NAMED_MAX = 100, 3


@dataclass(frozen=True)
class Annotation:
    """One kind of marks, made in one edition."""

    make: Callable[[Edition], AnnotationQuery]


def _marks(name: Text, color: str, sql: Callable[[Edition], str]) -> Annotation:
    def make(edition: Edition) -> AnnotationQuery:
        return AnnotationQuery(
            name=name.of(edition.lang),
            datasource=datasource(),
            icon_color=color,
            target=ClickHouseQuery(sql(edition), ref="Anno"),
        )

    return Annotation(make)


def _notes(edition: Edition) -> AnnotationQuery:
    return AnnotationQuery(
        name=Text("Notes", "记事").of(edition.lang),
        datasource=DataSourceRef(type_val="grafana", uid="-- Grafana --"),
        icon_color=look.GOOD,
        target=UnknownDataquery({"limit": 100, "matchAny": True, "tags": list(TAGS), "type": "tags", "refId": "Anno"}),
    )


_FIRST = f"ORDER BY time, text LIMIT {MARKS_MAX}"
_DURING = "{at} >= $__fromTime AND {at} < $__toTime"


def _corrections(edition: Edition) -> str:
    """Each repair of sums, when it was made; each day whose figures events have changed since, at that day."""
    word = Text("Stored sums corrected", "已更正存储的和").of(edition.lang)
    late = Text("Changed by events that came late or were revised", "由迟到或修订的事件更改").of(edition.lang)
    last = Text("last on", "最近于").of(edition.lang)
    repaired = (
        f"SELECT max(repaired_at) AS time, concat('{word}: ', toString(min(first_at)), ' … ', toString(max(last_at))) "  # noqa: S608
        f"AS text FROM {DATABASE}.{REPAIRS_TABLE} WHERE {_DURING.format(at='repaired_at')} GROUP BY id"
    )
    first = local("$__fromTime", edition.zone)
    changed = (
        f"SELECT greatest(toDateTime(day, '{edition.zone}'), {first}) AS time, "  # noqa: S608
        f"concat('{late}: ', toString(sum(events)), ', {last} ', toString(toDate(max(stored_at), '{edition.zone}'))) "
        f"AS text FROM {DATABASE}.{CHANGED_DAYS_TABLE} "
        f"WHERE day >= toDate({first}) AND toDateTime(day, '{edition.zone}') < $__toTime GROUP BY day"
    )
    return _together(repaired, changed)


def _releases(edition: Edition) -> str:
    """Each minute in which the tables were brought up to date, or sums of a formula were filled or found lacking."""
    upgraded = Text("Tables brought up to date", "数据表已升级").of(edition.lang)
    words = {
        FILLED: Text("Sums of new formulas filled", "新公式的和已补齐").of(edition.lang),
        LACKING: Text("Sums no longer kept by workers", "工作进程不再维护的和").of(edition.lang),
    }
    tables = (
        f"SELECT toDateTime(min(applied_at), '{edition.zone}') AS time, concat('{upgraded}: ', max(name)) AS text "  # noqa: S608
        f"FROM {DATABASE}.{MIGRATIONS_TABLE} WHERE {_DURING.format(at='applied_at')} "
        "GROUP BY toStartOfMinute(applied_at)"
    )
    sums = (
        f"SELECT min(told_at) AS time, concat(transform(told, {list(words)}, {list(words.values())}, ''), ': ', "  # noqa: S608
        f"{_named('sums_column')}) AS text FROM {DATABASE}.{FILLED_COLUMNS_TABLE} "
        f"WHERE told IN {tuple(words)} AND {_DURING.format(at='told_at')} GROUP BY toStartOfMinute(told_at), told"
    )
    return _together(tables, sums)


def _incidents(edition: Edition) -> str:
    """Records given up, each minute in which logs began that are not the first of theirs, sums or rows found wrong."""
    lost = Text("Records given up", "已放弃的记录").of(edition.lang)
    anew = Text("Log begun anew", "日志重新开始").of(edition.lang)
    sums = Text("Sums that differ from rows", "与明细不符的和").of(edition.lang)
    rows = Text("rows that differ from events", "与事件不符的明细").of(edition.lang)
    given_up = (
        f"SELECT given_up_at AS time, concat('{lost}: ', topic, '[', toString(partition), '] ', "  # noqa: S608
        f"toString(next_offset - first_offset)) AS text FROM {DATABASE}.{GAPS_TABLE} FINAL "
        f"WHERE {_DURING.format(at='given_up_at')}"
    )
    logs = _named("concat(topic, ' ', toString(log))")
    begun = (
        f"SELECT min(registered_at) AS time, concat('{anew}: ', {logs}) AS text "  # noqa: S608
        f"FROM {DATABASE}.{LOGS_TABLE} WHERE log > 1 AND {_DURING.format(at='registered_at')} "
        "GROUP BY toStartOfMinute(registered_at)"
    )
    differed = (
        f"SELECT reconciled_at AS time, concat('{sums}: ', toString(sums_differ), ', {rows}: ', "  # noqa: S608
        f"toString(rows_differ)) AS text FROM {DATABASE}.{RECONCILIATIONS_TABLE} "
        f"WHERE sums_differ + rows_differ > 0 AND {_DURING.format(at='reconciled_at')}"
    )
    return _together(given_up, begun, differed)


def _named(of: str) -> str:
    """The first few names of a group, and how many there are when that is not all."""
    first = f"arrayStringConcat(arraySlice(arraySort(groupUniqArray({of})), 1, {NAMED_MAX}), ', ')"
    return f"{first}, if(uniqExact({of}) > {NAMED_MAX}, concat(' … (', toString(uniqExact({of})), ')'), '')"


def _together(*marks: str) -> str:
    return f"SELECT time, text FROM ({' UNION ALL '.join(marks)}) {_FIRST}"  # noqa: S608


def _without_data(edition: Edition) -> str:
    """Each local day between covered ones that no subject has data of."""
    word = Text("No data of this day", "当日无数据").of(edition.lang)
    first, last = (f"toDate({local(macro, edition.zone)})" for macro in ("$__fromTime", "$__toTime"))
    covered = f"SELECT day FROM {DATABASE}.{COVERED_DAYS_TABLE}"  # noqa: S608  names of ours
    return (
        f"SELECT toDateTime(day, '{edition.zone}') AS time, '{word}' AS text "  # noqa: S608  names of ours
        f"FROM (SELECT {first} + number AS day FROM numbers(toUInt64(least(3660, greatest(0, {last} - {first} + 1))))) "
        f"WHERE day NOT IN ({covered}) AND day > (SELECT min(day) FROM ({covered})) "
        f"AND day < (SELECT max(day) FROM ({covered})) {_FIRST}"
    )


def _holidays(edition: Edition) -> str:
    """Each run of days that the calendar names by date, where it begins, or where the range does when that is later."""
    name = "holiday_zh" if edition.lang is Lang.ZH else "holiday"
    off = Text("Holiday", "节假日").of(edition.lang)
    worked = Text("Worked in exchange", "调休上班").of(edition.lang)
    of = f"concat(if(working, '{worked}', '{off}'), if({name} = '', '', concat(': ', {name})))"
    run = f"toInt32(day) - toInt32(row_number() OVER (PARTITION BY working, {name} ORDER BY day)) AS run"
    first, last = (f"toDate32({local(macro, edition.zone)})" for macro in ("$__fromTime", "$__toTime"))
    return (
        f"SELECT greatest(toDateTime(first, '{edition.zone}'), {local('$__fromTime', edition.zone)}) AS time, "  # noqa: S608
        "concat(what, ', ', toString(first), if(first = last, '', concat(' … ', toString(last)))) AS text "
        f"FROM (SELECT {of} AS what, min(day) AS first, max(day) AS last "
        f"FROM ({standing(f'day, working, {name}, {run}', 'listed')}) GROUP BY working, {name}, run) "
        f"WHERE first <= {last} AND last >= {first} {_FIRST}"
    )


EVERYTHING: tuple[Annotation, ...] = (
    Annotation(_notes),
    _marks(Text("Incidents", "异常"), look.BAD, _incidents),
    _marks(Text("Releases", "发布"), look.GOOD, _releases),
    _marks(Text("Corrections", "数据更正"), look.WARN, _corrections),
    _marks(Text("Days without data", "无数据日"), look.NO_DATA, _without_data),
    _marks(Text("Holidays", "节假日"), look.PLAIN, _holidays),
)
