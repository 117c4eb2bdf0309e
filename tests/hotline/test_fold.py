"""The fold is a pure function of a set, and two readings of it agree."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.events import keys
from hotline.events.rules import problems
from hotline.fold import Call, Ticket, fold, with_keys
from hotline.subjects import CALLS, SUBJECTS, TICKETS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from tests.hotline import naive_fold
from tests.hotline.random_events import events
from tests.hotline.random_rows import rows
from tests.hotline.working_times import working_times

STRUCTS = {"calls": Call, "tickets": Ticket}
both = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))


def _naive(subject: Subject, frame: pl.DataFrame, working: naive_fold.Working | None = None) -> naive_fold.Rows:
    keyed = frame.with_columns(pl.Series("key", keys.event_keys(frame)))
    return naive_fold.fold(subject.name, keyed.iter_rows(named=True), working)


def _vectorised(subject: Subject, frame: pl.DataFrame, working: WorkingTime = NO_WORKING_TIME) -> naive_fold.Rows:
    rows = fold(subject, with_keys(subject, frame), working).drop("entity_key")
    found = {}
    for row in rows.iter_rows(named=True):
        row["size"] = row.pop("version") >> 24
        found[row["source"], row["entity"], row["born_at"]] = row
    return found


@both
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_two_readings_agree_on_any_events(subject: Subject, data: st.DataObject) -> None:
    frame = data.draw(events(subject))
    assert problems(subject, frame).null_count() == len(frame)
    assert _vectorised(subject, frame) == _naive(subject, frame)


@pytest.mark.parametrize("receipt", ["dispatched", "created"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_two_readings_agree_on_deadlines_by_a_rule_and_on_working_days(receipt: str, data: st.DataObject) -> None:
    frame = data.draw(events(TICKETS))
    if data.draw(st.integers(0, 3)):
        spoken = pl.when(pl.col("type") == "ticket.due_changed").then("due_at")
        frame = frame.with_columns(due_at=spoken)
    working, naive = working_times(receipt)
    assert _vectorised(TICKETS, frame, working) == _naive(TICKETS, frame, naive)


def test_random_tickets_meet_every_case_of_a_rule() -> None:
    """The comparison above is not vacuous: its kind of tickets has all of these."""
    working, _ = working_times("dispatched")
    frame = rows(TICKETS, 7, working=working)
    by_rule = pl.col("rule_version") > 0
    for case in (
        by_rule & pl.col("due_at").is_not_null() & pl.col("late"),
        by_rule & pl.col("due_at").is_not_null() & pl.col("handled") & ~pl.col("late"),
        by_rule & pl.col("due_at").is_null(),
        ~by_rule & pl.col("due_at").is_null() & pl.col("dispatched"),
        ~by_rule & pl.col("due_at").is_not_null(),
        pl.col("handling_workdays") == 1,
        pl.col("handling_workdays") == 0,
        (pl.col("handled") & pl.col("dispatched")) & pl.col("handling_workdays").is_null(),
    ):
        assert len(frame.filter(case)), case
    assert frame.filter(by_rule).select("rule_version", "calendar_version").unique().rows() == [(5, 3)]
    assert frame.filter(~pl.col("dispatched"))["calendar_version"].unique().to_list() == [0]


def test_a_row_of_a_later_rule_or_calendar_stands() -> None:
    handled = {"type": "ticket.handled", "occurred_at": 10}
    frame = with_keys(TICKETS, _events(TICKETS, {"type": "ticket.dispatched", "occurred_at": 5}, handled))
    working, _ = working_times("dispatched")
    assert working.rule is not None
    later = WorkingTime(working.calendar, msgspec.structs.replace(working.rule, version=6))
    versions = [fold(TICKETS, frame, by)["version"].item() for by in (NO_WORKING_TIME, working, later)]
    assert versions == sorted(set(versions))
    calls = with_keys(CALLS, _events(CALLS, {"type": "call.offered", "occurred_at": 1}))
    assert fold(CALLS, calls, working)["version"].item() == fold(CALLS, calls)["version"].item()


@both
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_order_and_repetition_do_not_matter(subject: Subject, data: st.DataObject) -> None:
    frame = data.draw(events(subject))
    order = data.draw(st.permutations(range(len(frame))))
    again = data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=10))
    assert _vectorised(subject, frame[list(order) + again]) == _vectorised(subject, frame)


@both
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_same_events_give_the_same_rows_in_the_same_order(subject: Subject, data: st.DataObject) -> None:
    frame = with_keys(subject, data.draw(events(subject)))
    assert fold(subject, frame).equals(fold(subject, frame))


@both
def test_a_row_has_every_field_of_its_struct(subject: Subject) -> None:
    frame = pl.DataFrame(schema=subject.columns | {"digest": pl.UInt64()})
    empty = fold(subject, with_keys(subject, frame))
    assert fold(subject, with_keys(subject, frame), working_times("created")[0]).schema == empty.schema
    columns = set(empty.columns)
    assert columns == set(STRUCTS[subject.name].__struct_fields__) | {"entity_key"}


def _events(subject: Subject, *stated: dict[str, Any]) -> pl.DataFrame:
    from datetime import UTC, datetime, timedelta

    from hotline.blocks import complete

    born = datetime(2023, 3, 1, tzinfo=UTC)
    rows = [
        {"source": "s", "entity": "1", "born_at": born, **e, "occurred_at": born + timedelta(seconds=e["occurred_at"])}
        for e in stated
    ]
    schema = {name: dtype for name, dtype in subject.columns.items() if any(name in row for row in rows)}
    return complete(subject, pl.DataFrame(rows, schema=schema))


def _one(subject: Subject, *stated: dict[str, Any]) -> dict[str, Any]:
    (row,) = _vectorised(subject, _events(subject, *stated)).values()
    return dict(row)


def test_a_revision_stands_and_both_are_kept() -> None:
    wrong = {"type": "call.answered", "id": "a", "occurred_at": 5, "wait_s": 300}
    right = {"type": "call.answered", "id": "a", "occurred_at": 5, "wait_s": 30, "revision": 1}
    row = _one(CALLS, right, wrong)
    assert (row["wait_s"], row["size"]) == (30, 2)


def test_a_call_answered_before_it_was_offered_counts_where_it_says() -> None:
    row = _one(CALLS, {"type": "call.offered", "occurred_at": 9}, {"type": "call.answered", "occurred_at": 7})
    assert row["answered_at"] < row["offered_at"]
    assert row["wait_s"] == 0


def test_a_reopening_withdraws_the_handling_until_the_next() -> None:
    handled = {"type": "ticket.handled", "occurred_at": 10}
    reopened = {"type": "ticket.reopened", "occurred_at": 20}
    again = {"type": "ticket.handled", "occurred_at": 30}
    assert _one(TICKETS, handled, reopened)["handled_at"] is None
    row = _one(TICKETS, again, reopened, handled)
    assert row["handled_at"].second == 30
    assert row["first_handled_at"].second == 10


def test_keys_never_change() -> None:
    """Stored digests decide what is a repeat: a changed hash would count a year twice."""
    texts = pl.Series(["", None, "a", "12345678", "123456789", "苏州12345"])
    assert [f"{key:016x}" for key in keys.hash_strings(texts)] == PINNED
    frame = _events(CALLS, {"type": "call.ended", "occurred_at": 60, "talk_s": 5, "line": "12345"})
    assert f"{frame['digest'][0]:016x}" == PINNED_DIGEST


PINNED = [
    "9ca066f1a4ab2eea",
    "6e756c6c6e756c6c",
    "1e97801bdd4b7aa3",
    "9f3abc269ff57ecf",
    "fc526f1821e69535",
    "fd7dab1456cbd384",
]
PINNED_DIGEST = "174c712ec907501c"
