"""Statements over what the processes of the pipeline tell of themselves; the end of the range is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.entries import OVER
from dashboards.series import MINUTES
from dashboards.spans import as_of_end
from hotline.health import APPLY_S, BATCHES, EVENTS, LAG_RECORDS, MEMORY_BYTES, RESIDENT_BYTES, TELL_EVERY_S
from hotline.names import (
    DATABASE,
    EVENTS_TOPICS,
    HEALTH_TABLE,
    INTAKE_TOPIC,
    MEASURED_TOPICS,
    RECONCILIATIONS_TABLE,
)
from hotline.windows import DAY_S, HOUR_S

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENT_AFTER_S = 4 * TELL_EVERY_S
"""Who told nothing for so long is taken for dead: it would be up again by now."""
_TABLE = f"{DATABASE}.{HEALTH_TABLE}"
_MIB = 2**20
LAGS = {"intake": INTAKE_TOPIC, **EVENTS_TOPICS, **{f"{name}_measured": at for name, at in MEASURED_TOPICS.items()}}
"""Column → the topic whose lag it holds."""


def silent(zone: str) -> str:
    """How many processes told something within a day and nothing lately; nothing where none told anything."""
    lately = f"countIf(last <= now_at - {SILENT_AFTER_S})"
    return (
        f"{as_of_end(zone)} SELECT if(count() > 0, toInt64({lately}), NULL) AS silent "  # noqa: S608  names of ours
        f"FROM (SELECT process, max(told_at) AS last FROM {_TABLE} WHERE {_told(RESIDENT_BYTES, DAY_S)} "
        "GROUP BY process)"
    )


def lag(zone: str) -> str:
    """Records that are written and not taken in, of all stages; nothing where nobody told lately."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        f"SELECT if(count() > 0, toInt64(sum(behind)), NULL) AS behind FROM ({_lags()})"
    )


def starts(zone: str) -> str:
    """How often processes were started within a day."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        f"SELECT if(count() > 0, toInt64(countIf(first > now_at - {DAY_S})), NULL) AS starts FROM ({_lives()})"
    )


def processes(zone: str) -> str:
    """A line for each process: when it last told something, its starts, its memory, and what it has before it."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        "SELECT CAST(process, 'String') AS process, "
        "greatest(0, toInt64(toUnixTimestamp(now_at)) - toInt64(toUnixTimestamp(max(last)))) AS age_s, "
        f"toInt64(countIf(first > now_at - {DAY_S})) AS starts, "
        f"toInt64(argMax(bytes, last) / {_MIB}) AS mib, any(lags.behind) AS behind "
        f"FROM ({_lives()}) AS lives "
        f"LEFT JOIN (SELECT process, toNullable(toInt64(sum(behind))) AS behind FROM ({_lags()}) GROUP BY process) "
        "AS lags USING (process) GROUP BY process ORDER BY process"
    )


def lag_series(zone: str) -> str:
    """The most records that were not yet taken in, by topic."""
    return _by_topic(zone, LAG_RECORDS, LAGS, "toInt64")


def memory_series(zone: str) -> str:
    """What measure remembers, in MiB, by subject."""
    return _by_topic(zone, MEMORY_BYTES, EVENTS_TOPICS, "toFloat64", per=_MIB)


def insert_series(zone: str) -> str:
    """Seconds that the sink spent on a batch, on the average."""
    grown = ", ".join(
        f"maxIf(value, what = '{what}') - minIf(value, what = '{what}') AS {what}" for what in (APPLY_S, BATCHES)
    )
    columns = f"if(sum({BATCHES}) > 0, sum({APPLY_S}) / sum({BATCHES}), NULL) AS insert_s"
    of_lives = f"SELECT {{bucket}} AS bucket, life, {grown} FROM {{table}} WHERE {{where}} GROUP BY bucket, life"  # noqa: S608  names of ours
    return _series(zone, columns, of_lives, APPLY_S, BATCHES)


def rate_series(zone: str) -> str:
    """Events that the sink stored a second, by subject, whenever they happened."""
    columns = ", ".join(
        f"sumIf(stored, topic = '{topic}') / nullIf(sumIf(during_s, topic = '{topic}'), 0) AS {name}"
        for name, topic in EVENTS_TOPICS.items()
    )
    of_lives = (
        "SELECT {bucket} AS bucket, topic, life, max(value) - min(value) AS stored, "
        "toInt64(toUnixTimestamp(max(told_at))) - toInt64(toUnixTimestamp(min(told_at))) AS during_s "
        "FROM {table} WHERE {where} GROUP BY bucket, topic, life"
    )
    return _series(zone, columns, of_lives, EVENTS)


def reconciliations(zone: str) -> str:
    """The last comparisons of what is stored with what it was made of, the newest first."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        "SELECT reconciled_at, first_at, until_at, toInt64(sums_differ) AS sums_differ, "
        "toInt64(rows_differ) AS rows_differ, toInt64(cells) AS cells, toInt64(rows) AS rows "
        f"FROM {DATABASE}.{RECONCILIATIONS_TABLE} WHERE reconciled_at < now_at + 1 "
        "ORDER BY reconciled_at DESC LIMIT 50"
    )


def differing(zone: str) -> str:
    """How many sums and rows differed in the last comparison; nothing before the first."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        "SELECT if(count() > 0, toInt64(argMax(sums_differ + rows_differ, reconciled_at)), NULL) AS differing "
        f"FROM {DATABASE}.{RECONCILIATIONS_TABLE} WHERE reconciled_at < now_at + 1"
    )


def _told(what: str, seconds: int) -> str:
    return f"what = '{what}' AND told_at > now_at - {seconds} AND told_at < now_at + 1"


def _lags() -> str:
    """What each process last told of each partition."""
    return (
        f"SELECT process, topic, partition, argMax(value, told_at) AS behind FROM {_TABLE} "  # noqa: S608  names of ours
        f"WHERE {_told(LAG_RECORDS, SILENT_AFTER_S)} GROUP BY process, topic, partition"
    )


def _lives() -> str:
    """Lives of processes of the last day; one that began an hour before it is known to have begun before."""
    return (
        "SELECT process, life, min(told_at) AS first, max(told_at) AS last, argMax(value, told_at) AS bytes "  # noqa: S608  names of ours
        f"FROM {_TABLE} WHERE {_told(RESIDENT_BYTES, DAY_S + HOUR_S)} GROUP BY process, life "
        f"HAVING last > now_at - {DAY_S}"
    )


def _by_topic(zone: str, what: str, topics: Mapping[str, str], kind: str, *, per: int = 1) -> str:
    """A column for each topic: the most of each partition in a bucket, added up."""
    columns = ", ".join(
        f"if(countIf(topic = '{topic}') > 0, {kind}(sumIf(most, topic = '{topic}') / {per}), NULL) AS {name}"
        for name, topic in topics.items()
    )
    most = (
        "SELECT {bucket} AS bucket, topic, process, partition, max(value) AS most FROM {table} "
        "WHERE {where} GROUP BY bucket, topic, process, partition"
    )
    return _series(zone, columns, most, what)


def _series(zone: str, columns: str, inner: str, *what: str) -> str:
    """Columns by bucket of the range; a gap where nothing was told."""
    names = ", ".join(f"'{name}'" for name in what)
    where = f"what IN ({names}) AND told_at >= since_at AND told_at < until_at"
    asked = inner.format(bucket=MINUTES.bucket.format(at="told_at"), table=_TABLE, where=where)
    first = MINUTES.bucket.format(at="since_at")
    return (
        f"{OVER['range'].span(zone).heads()} SELECT toDateTime(bucket, '{zone}') AS time, * EXCEPT bucket "  # noqa: S608  names of ours
        f"FROM (SELECT bucket, {columns} FROM ({asked}) GROUP BY bucket "
        f"ORDER BY bucket WITH FILL FROM {first} TO {MINUTES.end} STEP {MINUTES.width}) ORDER BY time"
    )
