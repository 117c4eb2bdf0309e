"""Statements about the pipeline, over what the sink stores beside the figures; the end of the range is now."""

from __future__ import annotations

from dashboards import sums
from dashboards.entries import OVER
from dashboards.spans import as_of_end
from hotline.catalogue import ALL
from hotline.dead_letters import ID_SQL, NEWEST_FIRST_SQL
from hotline.names import DATABASE, DEAD_LETTERS_TABLE, LOGS_TABLE, MARKS_TABLE, SINK_EPOCHS_TABLE
from hotline.subjects import SUBJECTS
from hotline.windows import DAY_S, HOUR_S

ONE_LIVE_VALUE = f"kpi = 'calls_offered' AND scope_kind = '{ALL}' AND scope = ''"
"""One value of each set of live values: a set has thousands."""
MOVED_WITHIN_S = 60
"""A mark replaces the one before it: one that moved so soon after the end of the range is shown as of the end."""

DEAD_LETTERS_MAX = 100
"""Rows of their list, which is for a look."""


def age(table: str, at: str, zone: str, of: str = "true") -> str:
    """Seconds since the newest entry before the end of the range; nothing where there is none."""
    age = "toInt64(toUnixTimestamp(now_at)) - toInt64(toUnixTimestamp(newest))"
    return (
        f"{as_of_end(zone)} SELECT if(isNull(newest), NULL, greatest(0, {age})) AS age_s "  # noqa: S608  names of ours
        f"FROM (SELECT maxOrNull({at}) AS newest FROM {DATABASE}.{table} "
        f"WHERE {of} AND {at} < now_at + 1 AND {at} > now_at - INTERVAL 35 DAY)"
    )


def entries_since(table: str, at: str, seconds: int, zone: str) -> str:
    """Entries of the last so many seconds; nothing before the sink first started."""
    known = f"(SELECT count() FROM {DATABASE}.{SINK_EPOCHS_TABLE} WHERE taken_at <= now_at)"  # noqa: S608  names of ours
    return (
        f"{as_of_end(zone)} SELECT if({known} > 0, toInt64(count()), NULL) AS entries FROM {DATABASE}.{table} "  # noqa: S608  names of ours
        f"WHERE {at} <= now_at AND {at} > now_at - {seconds}"
    )


def dead_by_reason(zone: str) -> str:
    """Dead letters by reason, the most recent first."""
    recent, day = (f"toInt64(countIf(set_aside_at > now_at - {seconds}))" for seconds in (HOUR_S, DAY_S))
    return (
        f"{as_of_end(zone)} SELECT CAST(reason, 'String') AS reason, {recent} AS recent, {day} AS day, "  # noqa: S608  names of ours
        f"toInt64(count()) AS all_time, max(set_aside_at) AS newest_at FROM {DATABASE}.{DEAD_LETTERS_TABLE} "
        "WHERE set_aside_at <= now_at GROUP BY reason ORDER BY recent DESC, all_time DESC, reason"
    )


def dead_letters(zone: str) -> str:
    """The newest dead letters by their ids; nothing that a sender wrote."""
    return (
        f"{as_of_end(zone)} SELECT set_aside_at, CAST(reason, 'String') AS reason, {ID_SQL} AS id "  # noqa: S608  names of ours
        f"FROM {DATABASE}.{DEAD_LETTERS_TABLE} WHERE set_aside_at <= now_at "
        f"ORDER BY {NEWEST_FIRST_SQL} LIMIT {DEAD_LETTERS_MAX}"
    )


def dead_by_hour(zone: str) -> str:
    """Dead letters by local hour, 0 from the first start of the sink on."""
    hour = "toInt64(intDiv(toUnixTimestamp({at}) + timeZoneOffset({at}), 3600) * 3600 - timeZoneOffset({at}))"
    span = OVER["range"].span(zone)
    known = f"(SELECT minOrNull(taken_at) FROM {DATABASE}.{SINK_EPOCHS_TABLE})"  # noqa: S608  names of ours
    return (
        f"{span.heads()} SELECT toDateTime(hour, '{zone}') AS time, "  # noqa: S608  names of ours
        f"if(n != 0 OR time >= {known}, n, NULL) AS dead FROM ("
        f"SELECT {hour.format(at='set_aside_at')} AS hour, toInt64(count()) AS n FROM {DATABASE}.{DEAD_LETTERS_TABLE} "
        f"WHERE set_aside_at >= since_at AND set_aside_at < until_at GROUP BY hour ORDER BY hour "
        f"WITH FILL FROM {hour.format(at='since_at')} TO toInt64(toUnixTimestamp(until_at)) STEP 3600) ORDER BY time"
    )


def marks(zone: str) -> str:
    """The mark of each partition."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        "SELECT CAST(topic, 'String') AS topic, toInt64(partition) AS partition, "
        "toInt64(log) AS log, toInt64(position) AS position, marked_at, "
        "greatest(0, toInt64(toUnixTimestamp(now_at)) - toInt64(toUnixTimestamp(marked_at))) AS age_s "
        f"FROM {DATABASE}.{MARKS_TABLE} FINAL WHERE marked_at < now_at + {MOVED_WITHIN_S} ORDER BY topic, partition"
    )


def logs(zone: str) -> str:
    """The logs that were begun, the newest first."""
    return (
        f"{as_of_end(zone)} "  # noqa: S608  names of ours
        f"SELECT registered_at, CAST(topic, 'String') AS topic, toInt64(log) AS log "
        f"FROM {DATABASE}.{LOGS_TABLE} WHERE registered_at <= now_at "
        "ORDER BY registered_at DESC, topic, log DESC LIMIT 100"
    )


def covered_days(zone: str) -> str:
    """1 on the days that the store covers, by subject."""
    span = OVER["range"].span(zone)
    days = ", ".join(f"if(day IN ({sums.days(of)}), toInt64(1), NULL) AS {name}" for name, of in SUBJECTS.items())
    return (
        f"{span.heads()} SELECT toDateTime(day, '{zone}') AS time, {days} "  # noqa: S608  names of ours
        "FROM (SELECT toDate(since_at) + number AS day "
        "FROM numbers(toUInt64(least(3660, greatest(0, toDate(until_at) - toDate(since_at) + 1))))) ORDER BY time"
    )
