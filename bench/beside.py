"""What stands beside a year's sums and tickets: calls, health of processes, live values, dead letters, marks.

Made by the engine itself, in the amounts that a running stack leaves, with values of no meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.health import APPLY_S, BATCHES, EVENTS, LAG_RECORDS, MEMORY_BYTES, RESIDENT_BYTES, TELL_EVERY_S
from hotline.names import DATABASE, EVENTS_TOPICS, INTAKE_TOPIC, MEASURED_TOPICS
from hotline.windows import DAY_S, MINUTE_S
from sinks.bookkeeping import KEPT_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

CALLS_A_DAY = 19_407
"""As Suzhou 12345 had them in 2023."""
WAITING = 12
"""Calls that wait at the end."""
DEAD_A_DAY = 300
LIVE_VALUES = 200
"""Of a set, one a minute; real ones have some thousands, which boards do not read."""
WORKERS, PARTITIONS = 2, 2
COMPARISONS = 365
_ONE_THREAD = {"max_threads": 1, "max_partitions_per_insert_block": 0}
_TOPICS = (INTAKE_TOPIC, *EVENTS_TOPICS.values(), *MEASURED_TOPICS.values())


def store(client: Client, end_s: int, *, days: int = 365) -> None:
    """Store all of it, of the days before an instant in epoch seconds; of what is kept for some weeks, those."""
    begin_s, kept_s = end_s - days * DAY_S, end_s - min(days, KEPT_DAYS) * DAY_S
    calls = {"begin": begin_s, "seconds": end_s - begin_s, "count": days * CALLS_A_DAY, "waiting": WAITING}
    for statement in (
        _CALLS.format(**calls),
        _LIVE.format(begin=kept_s, count=(end_s - kept_s) // MINUTE_S),
        _DEAD.format(begin=begin_s, seconds=end_s - begin_s, count=days * DEAD_A_DAY),
        _COMPARED.format(end=end_s),
        *(_health(kept_s, end_s, *fact) for fact in _facts()),
        *(_MARK.format(topic=topic, partition=p, at=end_s - 1) for topic in _TOPICS for p in range(PARTITIONS)),
        *(_LOG.format(topic=topic, log=log, at=begin_s + log) for topic in _TOPICS for log in range(1, 13)),
    ):
        client.command(statement, settings=_ONE_THREAD)


_CALLS = f"""
INSERT INTO {DATABASE}.calls (source, entity, born_at, version, line, district, operator_group, direction, offered_at,
  queued_at, answered_at, outcome, outcome_at, ended_at, wait_s, talk_s, left_queue_at)
WITH intHash32(number) AS dice, toDateTime({{begin}} + intDiv(number * {{seconds}}, {{count}})) AS at,
  number + {{waiting}} < {{count}} AS over, at + dice % 30 AS left
SELECT 'city', concat('c', toString(number)), at, 4, concat('line ', toString(dice % 10)),
  concat('district ', toString(dice % 9)), concat('operator_group ', toString(dice % 20)), 'inbound', at, at,
  if(over, left, NULL), if(over, 'answered', NULL), if(over, left, NULL), if(over, left + 170, NULL),
  if(over, dice % 30, NULL), if(over, 170, NULL), if(over, left, NULL)
FROM numbers({{count}})
"""  # noqa: S608  names of ours
_LIVE = f"""
INSERT INTO {DATABASE}.kpis (as_of, kpi, window, scope_kind, scope, numerator, denominator, value)
WITH number % {LIVE_VALUES} AS place, place < 6 AS read
SELECT toDateTime({{begin}} + intDiv(number, {LIVE_VALUES}) * {MINUTE_S}),
  if(read, 'calls_offered', concat('kpi ', toString(place % 40))), concat('window ', toString(place % 6)),
  if(read, 'all', 'district'), if(read, '', toString(place)), place, 100, place / 100
FROM numbers({{count}} * {LIVE_VALUES})
"""  # noqa: S608  names of ours
_DEAD = f"""
INSERT INTO {DATABASE}.dead_letters (subject, log, topic, partition, offset, block_id, reason, origin, original,
  set_aside_at)
SELECT 'tickets', 1, 'hotline.tickets', number % {PARTITIONS}, number, toString(number),
  ['bad_value', 'unknown_type', 'undecodable'][1 + number % 3], 'file', repeat('x', 400),
  toDateTime({{begin}} + intDiv(number * {{seconds}}, {{count}}))
FROM numbers({{count}})
"""  # noqa: S608  names of ours
_COMPARED = f"""
INSERT INTO {DATABASE}.reconciliations (first_at, until_at, cells, rows, reconciled_at)
SELECT toDateTime({{end}} - (number + 1) * {DAY_S}), toDateTime({{end}} - number * {DAY_S}), 40000, 60000,
  toDateTime({{end}} - number * {DAY_S})
FROM numbers({COMPARISONS})
"""  # noqa: S608  names of ours
_MARK = (
    f"INSERT INTO {DATABASE}.marks (topic, partition, log, position, version, marked_at) "
    "SELECT '{topic}', {partition}, 12, 1000000, 1, toDateTime({at})"
)
_LOG = f"INSERT INTO {DATABASE}.logs (topic, log, registered_at) SELECT '{{topic}}', {{log}}, toDateTime({{at}})"
_HEALTH = f"""
INSERT INTO {DATABASE}.health (process, life, what, topic, partition, value, told_at)
SELECT '{{process}}', toString(intDiv(number, 40000)), '{{what}}', '{{topic}}', {{partition}}, number % 40000,
  toDateTime({{begin}} + number * {TELL_EVERY_S})
FROM numbers({{count}})
"""  # noqa: S608  names of ours


def _health(begin_s: int, end_s: int, process: str, what: str, topic: str, partition: int) -> str:
    count = (end_s - begin_s) // TELL_EVERY_S
    return _HEALTH.format(process=process, what=what, topic=topic, partition=partition, begin=begin_s, count=count)


def _facts() -> Iterator[tuple[str, str, str, int]]:
    """What each process of a stack tells: process, what, topic, partition."""
    of_workers = {INTAKE_TOPIC, *EVENTS_TOPICS.values()}
    for process in (*(f"worker-{number}" for number in range(WORKERS)), "roll", "sink"):
        yield process, RESIDENT_BYTES, "", 0
    for topic in _TOPICS:
        for partition in range(PARTITIONS):
            reader = f"worker-{partition % WORKERS}" if topic in of_workers else "sink"
            yield reader, LAG_RECORDS, topic, partition
            yield reader, MEMORY_BYTES if topic in of_workers else EVENTS, topic, partition
    yield "sink", BATCHES, "", 0
    yield "sink", APPLY_S, "", 0
