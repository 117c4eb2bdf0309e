"""Measure gives deadlines by the rule, says which rule and calendar it used, and tells once where a calendar ends."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hotline.accept import Accepted
from hotline.blocks import complete, pack
from hotline.measured import Measured
from hotline.subjects import TICKETS
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from streams.measure.line import Line, Place
from streams.measure.memory import Memory
from tests.hotline.working_times import working_times
from tests.streams.test_measure_step import Kept

WORKING = working_times("dispatched")[0]
DISPATCHED_AT = datetime(2023, 3, 1, 1, tzinfo=UTC)


def line(working: WorkingTime) -> Line:
    place = Place(
        subject=TICKETS,
        topic="hotline.tickets",
        partition=0,
        partitions=1,
        log=1,
        deployment=1,
        zone="Asia/Shanghai",
        working=working,
    )
    return Line(place, Memory(TICKETS, 0, Kept()), Accepted(), next_output=0, output_log=1)


def dispatched(*entities: str, at: datetime = DISPATCHED_AT) -> bytes:
    events = [
        {
            "type": "ticket.dispatched",
            "source": "s",
            "entity": entity,
            "born_at": at,
            "occurred_at": at,
            "nature": "consult",
        }
        for entity in entities
    ]
    schema = {name: dtype for name, dtype in TICKETS.columns.items() if name in events[0]}
    (block,) = pack(TICKETS, complete(TICKETS, pl.DataFrame(events, schema=schema)), 1)
    return block.encode()


def measured(taken: Line, offset: int, value: bytes) -> Measured:
    (output,) = taken.measure(offset, f"block {offset}", value)
    return output


def test_a_dispatched_ticket_is_due_by_the_rule_and_counts_as_open() -> None:
    output = measured(line(WORKING), 0, dispatched("1"))
    rows = pl.read_ipc_stream(output.tables["tickets"])
    assert rows["due_at"].to_list() == [datetime(2023, 3, 2, 9, 30, tzinfo=UTC)]
    assert rows.select("rule_version", "calendar_version").rows() == [(5, 3)]
    assert (output.versions.rule, output.versions.calendar) == (5, 3)


def test_without_a_rule_there_is_no_deadline_and_no_version() -> None:
    plain = measured(line(NO_WORKING_TIME), 0, dispatched("1"))
    rows = pl.read_ipc_stream(plain.tables["tickets"])
    assert rows.select("due_at", "rule_version", "calendar_version").rows() == [(None, 0, 0)]
    assert (plain.versions.rule, plain.versions.calendar) == (0, 0)


def test_an_output_that_is_no_block_names_the_versions_too() -> None:
    output = measured(line(WORKING), 0, b"no block")
    assert (output.versions.rule, output.versions.calendar) == (5, 3)


def test_a_calendar_that_ends_is_told_once_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    taken = line(WORKING)
    with caplog.at_level(logging.WARNING, "streams.measure.beyond"):
        measured(taken, 0, dispatched("1"))
        assert caplog.messages == []
        for offset in (1, 2):
            beyond = measured(taken, offset, dispatched(f"late {offset}", at=DISPATCHED_AT + timedelta(days=5)))
            assert pl.read_ipc_stream(beyond.tables["tickets"])["due_at"].to_list() == [None]
    (told,) = caplog.messages
    assert "s/late 1" in told
    assert "knows 2023-02-20 to 2023-03-06" in told
    assert "list the holidays of the years that follow in a file, move last_day" in told
