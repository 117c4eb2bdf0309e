"""Which events change figures that people have read: the same ones as a second reading in plain Python finds."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import ipc
from hotline.blocks import Block, complete
from hotline.measured import Source
from hotline.names import CHANGED_DAYS_TABLE
from hotline.subjects import CALLS, Subject
from streams.measure.output import output
from streams.measure.step import step
from tests.hotline.random_events import BIRTHS, events
from tests.streams.test_measure_step import ZONE, Line, both

LOCAL = ZoneInfo(ZONE)


def second_reading(subject: Subject, frame: pl.DataFrame) -> Counter[date]:
    """Events one by one, in the order in which they come."""
    found: Counter[date] = Counter()
    statements, known = set[tuple[Any, ...]](), set[tuple[Any, ...]]()
    for event in frame.iter_rows(named=True):
        entity = (event["source"], event["entity"], event["born_at"])
        name = (*entity, event["id"] or (event["type"], event["occurred_at"]))
        statement = (*name, *(event[column] for column in subject.stated))
        if statement in statements:
            continue
        statements.add(statement)
        found[day_of(event["occurred_at"])] += is_late(event, revises=name in known)
        known.add(name)
    return +found


def is_late(event: dict[str, Any], *, revises: bool) -> bool:
    if event["received_at"] is None:
        return revises
    passed = (day_of(event["received_at"]) - day_of(event["occurred_at"])).days
    return passed >= (1 if revises else 2)


def day_of(at: datetime) -> date:
    return at.astimezone(LOCAL).date()


@both
@given(data=st.data())
@settings(deadline=None)
def test_events_that_come_long_after_their_day_or_correct_one_that_is_over_are_counted_by_its_day(
    subject: Subject, data: st.DataObject
) -> None:
    frame = data.draw(events(subject, size=20))
    told = frame[data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=30))]
    line = Line(subject, bytes_max=data.draw(st.sampled_from([0, 2**30])))
    at = 0
    while at < len(told):
        size = data.draw(st.integers(1, 9))
        line.take(told[at : at + size])
        at += size
        if data.draw(st.booleans()):
            line.restart()
    assert line.came_late == second_reading(subject, told)


MIDNIGHT = datetime(2023, 3, 3, tzinfo=LOCAL)
SECOND = timedelta(seconds=1)


def call(at: datetime, received_at: datetime | None, **more: Any) -> dict[str, Any]:
    envelope = {"source": "s", "entity": "1", "born_at": BIRTHS[0], "id": "e", "revision": 0}
    return {"type": "call.offered", **envelope, "occurred_at": at, "received_at": received_at, **more}


def of(*stated: dict[str, Any]) -> pl.DataFrame:
    return complete(CALLS, pl.DataFrame(stated, schema={name: CALLS.columns[name] for name in stated[0]}))


@pytest.mark.parametrize(
    ("received_at", "revision_received_at", "late"),
    [
        (MIDNIGHT + timedelta(days=2) - SECOND, None, 1),
        (MIDNIGHT + timedelta(days=2), None, 2),
        (None, MIDNIGHT + timedelta(days=1) - SECOND, 0),
        (None, MIDNIGHT + timedelta(days=1), 1),
    ],
)
def test_a_day_ends_at_midnight_of_the_hotline(
    received_at: datetime | None, revision_received_at: datetime | None, late: int
) -> None:
    """An event of the day's last second, and its revision."""
    at = MIDNIGHT + timedelta(days=1) - SECOND
    line = Line(CALLS)
    line.take(of(call(at, received_at), call(at, revision_received_at, revision=1)))
    assert line.came_late == (Counter({MIDNIGHT.date(): late}) if late else Counter())


def test_an_output_carries_them_and_nothing_where_there_are_none() -> None:
    source = Source(log=1, topic="t", partition=0, offset=0, first=0, last=2, final=True, block_id="b")
    line = Line(CALLS)
    for revision, rows in ((0, None), (1, [("calls", MIDNIGHT.date(), 1)])):
        block = of(call(MIDNIGHT, None, revision=revision))
        done = step(Block("b", CALLS, 0, block), 1, line.memory, ZONE)
        line.take(block)
        stream = output(done, CALLS, source, deployment=1, days=[]).tables.get(CHANGED_DAYS_TABLE)
        assert (stream and ipc.decode(stream).rows()) == rows
