"""What counts as dead in a row: what this installation refuses, and nothing that a file is to blame for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.accept import Accepted
from hotline.blocks import Block, complete
from hotline.subjects import CALLS
from streams.measure.in_a_row import InARow, Limits
from streams.measure.line import Line, Place
from streams.measure.memory import Memory
from streams.measure.store import NothingStored
from tests.streams.test_measure_step import ZONE

if TYPE_CHECKING:
    from pathlib import Path

    from hotline.measured import Measured

TOPIC = "hotline.calls"
GOOD = {"type": "call.offered", "source": "s", "entity": "1", "born_at": 1_700_000_000_000}
FILES = {"problem": "bad_value", "original": b"x", "origin": "calls.txt:7"}
INTAKES = {"problem": "bad_value", "original": b"x", "origin": "hotline.intake/0/1/7"}
OURS = {**GOOD, "type": "call.vanished"}


@pytest.fixture
def line() -> Line:
    place = Place(subject=CALLS, topic=TOPIC, partition=0, partitions=1, log=1, deployment=1, zone=ZONE)
    return Line(place, Memory(CALLS, 0, NothingStored()), Accepted(), next_output=0, output_log=1)


def output(line: Line, *rows: dict[str, Any]) -> Measured:
    """The output of a block of these rows; of no rows: of a record that is no block."""
    value = b"no block"
    if rows:
        frame = pl.DataFrame([{**row, "occurred_at": row.get("born_at")} for row in rows], infer_schema_length=None)
        frame = frame.with_columns(pl.col("born_at", "occurred_at").cast(pl.Datetime("ms", "UTC")))
        value = Block("b", CALLS, 0, complete(CALLS, frame)).encode()
    (found,) = line.measure(line.next_input, "b", value)
    return found


def fresh(file: Path, line: Line, *, events: int = 5, blocks: int = 2, in_minute: int = 0) -> InARow:
    at = line.place.log, line.next_input, line.next_first
    return InARow(file, at, Limits(events, blocks, in_minute))


def in_a_row(found: InARow) -> tuple[int, int]:
    return found.count.events, found.count.blocks


def test_events_that_this_installation_refuses_count_and_one_that_lives_ends_the_row(
    tmp_path: Path, line: Line
) -> None:
    row = fresh(tmp_path / "x", line)
    assert [row.take(output(line, OURS, INTAKES | {"born_at": None})) for _ in range(3)] == [False, False, True]
    assert row.reasons == {"unknown_type": 3, "bad_value": 3}
    assert not row.take(output(line, OURS, OURS, OURS, GOOD))
    assert in_a_row(row) == (0, 0)


def test_lines_that_an_adapter_found_broken_count_neither_for_nor_against(tmp_path: Path, line: Line) -> None:
    row = fresh(tmp_path / "x", line)
    row.take(output(line, OURS))
    assert not row.take(output(line, *[FILES | {"born_at": None}] * 50))
    assert in_a_row(row) == (1, 0)


def test_records_that_are_no_block_are_counted_apart(tmp_path: Path, line: Line) -> None:
    row = fresh(tmp_path / "x", line)
    assert [row.take(output(line)) for _ in range(2)] == [False, False]
    between, third = line.accepted, output(line)
    assert row.take(third)
    row.accept(third)
    assert in_a_row(fresh(tmp_path / "x", line)) == (0, 0), "the next process knows that somebody looked"
    line.accepted = between
    assert fresh(tmp_path / "x", line).take(third), "one that has not passed on what was accepted asks again"


def test_a_limit_of_0_is_none(tmp_path: Path, line: Line) -> None:
    row = fresh(tmp_path / "x", line, events=0, blocks=0)
    assert not any(row.take(output(line, *[OURS] * many)) if many else row.take(output(line)) for many in (9, 0, 9, 0))


def test_the_next_process_goes_on_counting_whether_the_last_output_was_sent_or_not(tmp_path: Path, line: Line) -> None:
    row, before = fresh(tmp_path / "x", line), line.accepted
    row.take(output(line, OURS, OURS))
    between = line.accepted
    row.take(output(line, OURS))
    assert in_a_row(fresh(tmp_path / "x", line)) == (3, 0)
    line.accepted = between
    assert in_a_row(fresh(tmp_path / "x", line)) == (2, 0)
    line.accepted = before
    assert in_a_row(fresh(tmp_path / "x", line)) == (0, 0), "somewhere else nothing is known"


def test_dead_letters_of_one_minute_are_too_many_although_others_live_between_them(tmp_path: Path, line: Line) -> None:
    """A wrong rule for one type of event would never be a row."""
    row = fresh(tmp_path / "x", line, in_minute=4)
    mixed = (OURS, OURS, GOOD)
    assert [row.take(output(line, *mixed), at_s) for at_s in (60, 119, 120, 179)] == [False] * 4
    assert row.count == (0, 0, 2, 4)
    assert not row.take(output(line, GOOD), 240)
    last = output(line, *mixed)
    assert row.take(last, 179)
    assert row.too_many == "6 events and records of one minute are dead letters"
    assert fresh(tmp_path / "x", line, in_minute=4).count.in_minute == 6, "a restart decides nothing"
    row.accept(last)
    assert not row.take(output(line, *mixed), 179)
    assert not row.take(output(line, OURS), 0), "of an unknown minute"
    assert row.count.in_minute == 2


def test_lines_that_an_adapter_found_broken_count_in_no_minute(tmp_path: Path, line: Line) -> None:
    row = fresh(tmp_path / "x", line, in_minute=4)
    assert not row.take(output(line, *[FILES | {"born_at": None}] * 50, OURS, GOOD), 60)
    assert row.count.in_minute == 1
