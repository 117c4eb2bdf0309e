"""The second reading of live values: SQL over the sums of exactly the outputs that a record names."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from kafka import KafkaConsumer, TopicPartition

from hotline import ipc, live
from hotline.catalogue import Grain, measures
from hotline.measured import decode
from hotline.names import KPIS_TOPIC, MEASURED_TOPICS
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import NOW, WINDOWS, recent_from, span
from tests.streams.rolled import Key, Sums, Value, merged, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

    from tests.e2e.stacks import Hotline

FRESH_S = 240
PIECE_ROWS = 200_000
"""Rows of sums in one insert: those of a large city's day are more than an engine takes at once."""
Part = tuple[str, Grain, int, int]
"""A window, the grain of what counts in it, and the span of instants in epoch seconds, half-open."""


class Consumer:
    """What stands in a topic."""

    def __init__(self, hotline: Hotline, topic: str, partitions: int) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=hotline.settings.bootstrap, group_id=None, auto_offset_reset="none"
        )
        self._parts = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer.assign(self._parts)
        for part in self._parts:
            self._consumer.seek(part, 0)

    def more(self) -> list[Any]:
        """Whatever came since the last call."""
        found: list[Any] = []
        while polled := self._consumer.poll(timeout_ms=300, max_records=500):
            found += [record for records in polled.values() for record in records]
        return found

    def up_to(self, ends: dict[int, int]) -> list[Any]:
        """Every record before these positions, by partition, however long they take to come."""
        found, until = self.more(), time.monotonic() + FRESH_S
        while any(self._consumer.position(part) < ends.get(part.partition, 0) for part in self._parts):
            assert time.monotonic() < until, (ends, len(found))
            found += self.more()
        return found

    def close(self) -> None:
        self._consumer.close()


@contextmanager
def consumer(hotline: Hotline, topic: str, partitions: int) -> Iterator[Consumer]:
    made = Consumer(hotline, topic, partitions)
    try:
        yield made
    finally:
        made.close()


class Outputs:
    """The sums of every output in the measured topics, in tables of their own, by partition and offset."""

    def __init__(self, hotline: Hotline) -> None:
        self._zone = hotline.settings.zone
        self._client: Client = hotline.writer()
        self._client.command("CREATE DATABASE IF NOT EXISTS scratch")
        for subject in SUBJECTS.values():
            with consumer(hotline, MEASURED_TOPICS[subject.name], hotline.settings.partitions) as reading:
                records = reading.up_to(stored_ends(hotline, MEASURED_TOPICS[subject.name]))
            for table in (subject.sums_table, subject.recent_table):
                self._fill(subject, table, records)

    def _fill(self, subject: Subject, table: str, records: list[Any]) -> None:
        self._client.command(f"DROP TABLE IF EXISTS scratch.{table}")
        columns = ", ".join(f"{measure.column} Int64" for measure in measures(subject))
        self._client.command(
            f"CREATE TABLE scratch.{table} (part UInt16, record Int64, scope_kind String, scope String, at Int64, "
            f"{columns}) ENGINE = MergeTree ORDER BY (scope_kind, scope, at)"
        )
        frames = [
            _with_place(record, stream) for record in records if (stream := decode(record.value).tables.get(table))
        ]
        for piece in pl.concat(frames).iter_slices(PIECE_ROWS) if frames else ():
            self._client.insert_arrow(f"scratch.{table}", piece.to_arrow(compat_level=pl.CompatLevel.oldest()))

    def values(self, record: live.Live) -> dict[Key, Value]:
        """Every value of something at the record's instant and positions, by SQL."""
        found: dict[Key, Value] = {}
        for subject in SUBJECTS.values():
            found |= values_of(subject, self._sums(subject, record))
        return found

    def _sums(self, subject: Subject, record: live.Live) -> dict[str, Sums]:
        at_s = record.as_of_ms // 1000
        spans = {window.name: span(window, at_s, ZoneInfo(self._zone)) for window in WINDOWS}
        end, hours = spans["5min"][1], recent_from(at_s, self._zone)
        found: dict[str, Sums] = {window: Counter() for window in (*spans, NOW)}
        lasting = [*_of(spans, Grain.MINUTE), (NOW, Grain.MINUTE, 0, end), (NOW, Grain.HOUR, 0, hours)]
        self._ask(subject, record, subject.sums_table, lasting, found)
        lately = [*_of(spans, Grain.HOUR), (NOW, Grain.HOUR, hours, end)]
        self._ask(subject, record, subject.recent_table, lately, found)
        return found

    def _rows(self, subject: Subject, table: str, record: live.Live) -> str:
        """SQL that gives the rows of a table of sums that are in a record's values."""
        mine = [at for at in record.positions if at.topic == MEASURED_TOPICS[subject.name]]
        upto = " OR ".join(f"(part = {at.partition} AND record < {at.offset})" for at in mine)
        return f"SELECT * FROM scratch.{table} WHERE {upto}"  # noqa: S608

    def _ask(self, subject: Subject, record: live.Live, table: str, parts: list[Part], sums: dict[str, Sums]) -> None:
        """Add up a table over several spans at once; of each, the measures that a scope kind keeps at its grain."""
        columns = ", ".join(f"sum({measure.column})" for measure in measures(subject))
        places = ", ".join(f"({place}, {start}, {stop})" for place, (_, _, start, stop) in enumerate(parts))
        sql = (
            f"SELECT during.1 AS place, scope_kind, scope, {columns} "  # noqa: S608
            f"FROM ({self._rows(subject, table, record)}) ARRAY JOIN [{places}] AS during "
            "WHERE at >= during.2 AND at < during.3 "
            "GROUP BY place, scope_kind, scope"
        )
        for place, kind, scope, *values in self._client.query(sql).result_rows:
            window, grain, _, _ = parts[place]
            for measure, value in zip(measures(subject), values, strict=True):
                if measure.grains.get(kind) is grain:
                    sums[window][measure.column, kind, scope] += value


class Tables(Outputs):
    """The stored sums, whichever logs they came by: for a record that names the end of all that is stored."""

    def __init__(self, hotline: Hotline) -> None:
        self._zone = hotline.settings.zone
        self._client: Client = hotline.writer()

    def _rows(self, subject: Subject, table: str, record: live.Live) -> str:
        return f"SELECT * REPLACE (toInt64(toUnixTimestamp(at)) AS at) FROM hotline.{table}"  # noqa: S608


def _of(spans: dict[str, tuple[int, int]], grain: Grain) -> list[Part]:
    return [(window, grain, start, stop) for window, (start, stop) in spans.items()]


def _with_place(record: Any, stream: bytes) -> pl.DataFrame:
    place = [pl.lit(record.partition, pl.UInt16).alias("part"), pl.lit(record.offset, pl.Int64).alias("record")]
    return ipc.decode(stream).with_columns(pl.col("at").dt.epoch("s")).select(*place, pl.all())


def compared(hotline: Hotline, *, one_in: int = 1) -> tuple[list[tuple[int, Any]], live.Live]:
    """Compare every record of another minute or other positions, or one in so many; these, and the last record."""
    with consumer(hotline, KPIS_TOPIC, 1) as reading:
        records = caught_up(hotline, reading)
    outputs = Outputs(hotline)
    known: list[live.Live] = []
    instants = dict[tuple[int, Any], None]()
    for record in records:
        known = [*known, record] if not (record.full and record.values) else [record]
        instant = (record.as_of_ms // 60_000, tuple(record.positions))
        if instant in instants:
            continue
        if len(instants) % one_in == 0:
            published, summed = merged(known), outputs.values(record)
            other = {key: (published.get(key), summed.get(key)) for key in _others(published, summed)}
            assert not other, f"as of {record.as_of_ms}, {record.positions}: published and summed {other}"
        instants[instant] = None
    assert len(merged(known)) > 1_000
    return list(instants), records[-1]


def compared_with_tables(hotline: Hotline) -> dict[Key, Value]:
    """Compare what is published now with what is stored, while nothing comes; the values."""
    with consumer(hotline, KPIS_TOPIC, 1) as reading:
        records = caught_up(hotline, reading)
    published, summed = merged(records), Tables(hotline).values(records[-1])
    other = {key: (published.get(key), summed.get(key)) for key in _others(published, summed)}
    assert not other, f"as of {records[-1].as_of_ms}, {records[-1].positions}: published and stored {other}"
    return published


def _others(one: dict[Key, Value], other: dict[Key, Value]) -> set[Key]:
    return {key for key, _ in one.items() ^ other.items()}


def caught_up(hotline: Hotline, reading: Consumer) -> list[live.Live]:
    """All records up to one that names every output there is; repeats may still come, as after a change of the log."""
    found: list[live.Live] = []
    until = time.monotonic() + FRESH_S
    while not found or _read(found[-1]) != _stored(hotline):
        assert time.monotonic() < until, (found[-1:], _stored(hotline))
        found += [live.decode(record.value) for record in reading.more()]
    return found


def _read(record: live.Live) -> dict[tuple[str, int], int]:
    return {(at.topic, at.partition): at.offset for at in record.positions if at.offset}


def _stored(hotline: Hotline) -> dict[tuple[str, int], int]:
    return {
        (topic, partition): position
        for topic in MEASURED_TOPICS.values()
        for partition, position in stored_ends(hotline, topic).items()
        if position
    }


def stored_ends(hotline: Hotline, topic: str) -> dict[int, int]:
    """Partition → the position behind the last output of the topic's log that is stored."""
    rows = hotline.writer().query(
        "SELECT partition, if(log = (SELECT max(log) FROM hotline.logs WHERE topic = {topic:String}), position, 0) "
        "FROM hotline.marks FINAL WHERE topic = {topic:String}",
        parameters={"topic": topic},
    )
    return {int(partition): int(position) for partition, position in rows.result_rows}
