"""Roll's state out of ClickHouse, read while the sink is held: where it starts without a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from hotline.catalogue import ALL, measures
from hotline.columns import TIME
from hotline.holding import Hold
from hotline.ipc import frame_of
from hotline.marks import LOGS_SQL, MARKS_SQL, REPAIRS_SQL, Mark, Partition, log_number, logs, marks
from hotline.names import ACCOUNTS_TABLE, DATABASE, EVENTS_TOPICS, MEASURED_TOPICS
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import MINUTE_S, recent_from
from streams.roll.cells import Cells, cells, recent_cells, together
from streams.roll.scopes import Scopes
from streams.roll.state import Read, State, watermark

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.settings import Settings

TRIES_MAX = 5
_NEWEST_SQL = f"SELECT topic, partition, toInt64(max(newest_at)) FROM {DATABASE}.{ACCOUNTS_TABLE} GROUP BY ALL"  # noqa: S608 names of ours
_PLAIN_TEXTS = {"output_format_arrow_low_cardinality_as_dictionary": 0}


class UnsteadyError(RuntimeError):
    """The sink could not be held while its tables were read."""


def read_stored(settings: Settings, client: Client, at_s: int | None) -> State:
    """The state at the sink's marks, with the windows at the instant `at_s`, or at the watermark where it is None.

    Raises HoldError, UnsteadyError.
    """
    for _ in range(TRIES_MAX):
        hold = Hold.to_read(settings)
        with hold():
            state = _read(settings, client, at_s)
        if not hold.notes:
            return state
    raise UnsteadyError(f"roll cannot start, because the sink could not be held: {'; '.join(hold.notes)}")


def repairs(client: Client) -> int:
    """How often the stored sums were repaired."""
    return int(client.query(REPAIRS_SQL).result_rows[0][0])


def _read(settings: Settings, client: Client, at_s: int | None) -> State:
    read = _positions(settings, client)
    instant_s = watermark(read) if at_s is None else at_s
    state = State(ZoneInfo(settings.zone), instant_s, Scopes([(ALL, "")]), read, repairs=repairs(client))
    recent = recent_from(instant_s, settings.zone)
    for subject in SUBJECTS.values():
        parts = [*_before(client, subject, state.scopes, recent), *_since(client, subject, state.scopes, recent)]
        state.add(subject.name, [together(parts)])  # at once: by pieces each would be laid into thousands of minutes
    return state


def _positions(settings: Settings, client: Client) -> dict[Partition, Read]:
    numbers, stored = logs(client.query(LOGS_SQL).result_rows), marks(client.query(MARKS_SQL).result_rows)
    newest = {(topic, int(partition)): at for topic, partition, at in client.query(_NEWEST_SQL).result_rows}
    found: dict[Partition, Read] = {}
    for name, topic in MEASURED_TOPICS.items():
        log = log_number(numbers, topic)
        for partition in range(settings.partitions):
            mark = stored.get((topic, partition), Mark())
            found[topic, partition] = Read(
                log=log,
                offset=mark.position if mark.log == log else 0,
                accepted=mark.accepted,
                newest_at=newest.get((EVENTS_TOPICS[name], partition)),
            )
    return found


def _before(client: Client, subject: Subject, scopes: Scopes, recent: int) -> Iterator[Cells]:
    """All that came and left before recent minutes begin, as of the minute before."""
    sums = ", ".join(f"sum({measure.column}) AS {measure.column}" for measure in measures(subject))
    sql = (
        f"SELECT scope_kind, scope, toInt64({{recent:Int64}} - {MINUTE_S}) AS at, {sums} "  # noqa: S608 names of ours
        f"FROM {DATABASE}.{subject.sums_table} AS stored WHERE stored.at < fromUnixTimestamp({{recent:Int64}}) "
        "GROUP BY scope_kind, scope"
    )
    for frame in _frames(client, sql, recent):
        yield cells(subject, frame, scopes, hours_before=recent)


def _since(client: Client, subject: Subject, scopes: Scopes, recent: int) -> Iterator[Cells]:
    """Minutes from where recent ones begin."""
    names = ", ".join(measure.column for measure in measures(subject))
    for table in (subject.sums_table, subject.recent_table):
        sql = (
            f"SELECT scope_kind, scope, toInt64(toUnixTimestamp(stored.at)) AS at, {names} "  # noqa: S608 names of ours
            f"FROM {DATABASE}.{table} AS stored WHERE stored.at >= fromUnixTimestamp({{recent:Int64}})"
        )
        for frame in _frames(client, sql, recent):
            if table == subject.recent_table:
                yield recent_cells(subject, frame, scopes)
            else:
                yield cells(subject, frame, scopes, hours_before=recent)


def _frames(client: Client, sql: str, recent: int) -> Iterator[pl.DataFrame]:
    with client.query_arrow_stream(sql, parameters={"recent": recent}, settings=_PLAIN_TEXTS) as stream:
        for batch in stream:
            yield _as_sums(batch)


def _as_sums(batch: pa.RecordBatch) -> pl.DataFrame:
    """The answer's rows as a frame of sums."""
    frame = frame_of(pa.Table.from_batches([batch]))
    at = pl.from_epoch(pl.col("at"), "s").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").cast(TIME)
    return frame.with_columns(pl.col("scope_kind", "scope").cast(pl.String), at.alias("at"))
