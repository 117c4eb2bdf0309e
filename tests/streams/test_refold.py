"""Folding again: whatever is deployed, dies and comes late, rows and sums end as those of the newest versions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import refold
from hotline.contributions import contributions
from hotline.fold import FOLD_VERSION, fold, folded_by, with_keys
from hotline.refold import Refold
from hotline.subjects import CALLS, SUBJECTS, TICKETS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from hotline.working_time.calendar_file import CalendarFile, calendar_of
from streams.measure import line, memory, portions
from streams.measure.ids import with_row_keys
from tests.hotline.random_events import events
from tests.hotline.test_contributions import as_cells
from tests.hotline.test_fold import _naive
from tests.hotline.working_times import CALENDAR, working_times
from tests.streams.lifelike_line import LifelikeLine, cut
from tests.streams.test_measure_line import MOVES, SLICE_BYTES, assert_account
from tests.streams.test_measure_step import ZONE, _year

if TYPE_CHECKING:
    from hotline.working_time.calendar import Calendar

RULED, NAIVE = working_times("dispatched")
EVERY_DAY = {"first_day": 0, "days": 40_000}
VERSIONS = 3
"""The newest of the working times that may be deployed while things go wrong; 0 is none."""
_MOVES = (*MOVES, *["deploy"] * 2, *["refold"] * 2)


def working(version: int) -> WorkingTime:
    """The working time of a version: none, half of the terms, all of them; the last differs in its calendar alone."""
    if not version or RULED.rule is None:
        return NO_WORKING_TIME
    terms = RULED.rule.terms[: 2 if version == 1 else None]
    rule = msgspec.structs.replace(RULED.rule, version=min(version, 2), terms=terms)
    return WorkingTime(RULED.calendar if version == VERSIONS else _calendar_of_before(version), rule)


def _calendar_of_before(version: int) -> Calendar:
    """The calendar before a holiday and a working Saturday were announced in it."""
    before = {**CALENDAR, "version": version, "holidays": [], "extra_days": []}
    return calendar_of(msgspec.convert(before, CalendarFile), "a file")


def deploy(life: LifelikeLine, patch: pytest.MonkeyPatch, version: int) -> None:
    """A worker of other versions takes over, newer or older ones: the fold's for calls, the rule's for tickets."""
    life.deployment += 1
    life.die(late=True)
    if life.subject is CALLS:
        patch.setattr("hotline.fold.versions.FOLD_VERSION", version + 1)
        patch.setattr("streams.measure.output.FOLD_VERSION", version + 1)
    else:
        life.working = working(version)


def request(life: LifelikeLine) -> Refold:
    """What asks for the versions of the worker that runs."""
    return Refold(
        **EVERY_DAY,
        fold=folded_by(CALLS) >> 16,
        rule=life.working.rule_version,
        calendar=life.working.calendar_version,
    )


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_whatever_is_deployed_and_dies_rows_and_sums_end_as_the_newest_versions_give(
    subject: Subject, data: st.DataObject
) -> None:
    frame = data.draw(events(subject, size=16))
    if subject is TICKETS and data.draw(st.booleans()):
        frame = _by_rule_alone(frame)
    blocks = cut(subject, frame, data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4)))
    life = LifelikeLine(subject, blocks, bytes_max=data.draw(st.sampled_from([0, 2**30])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "OUTPUT_BYTES_MAX", data.draw(st.sampled_from([SLICE_BYTES, 2**23])))
        patch.setattr(memory, "WHOLE_DAY_KEYS", data.draw(st.sampled_from([1, 1_000])))
        patch.setattr(memory, "GROWTH_MIN", data.draw(st.sampled_from([4, 50_000])))
        patch.setattr(portions, "MEMBERS_MAX", data.draw(st.sampled_from([2, 100_000])))
        life.moves["deploy"] = lambda: deploy(life, patch, data.draw(st.integers(0, VERSIONS - 1)))
        life.moves["refold"] = lambda: life.inputs.append(request(life))
        for move in data.draw(st.lists(st.sampled_from(_MOVES), min_size=10, max_size=40)):
            life.moves[move]()
        deploy(life, patch, VERSIONS)
        life.inputs.append(request(life))
        life.finish()
        life.inputs.append(request(life))
        life.finish()
        assert_newest(life, frame)
    assert life.stored[-1].source.final
    assert (life.stored[-1].rows, life.stored[-1].tables) == (0, {}), "a second time changes nothing"
    assert_account(life, len(with_keys(subject, frame).unique(["born_at", "entity_key", "event_key"])))


def assert_newest(life: LifelikeLine, frame: pl.DataFrame) -> None:
    """Rows are what a naive reading makes of all events by the newest rule, and the sums are what these rows give."""
    naive = None
    if life.subject is TICKETS and life.working.rule:
        naive = dataclasses.replace(NAIVE, version=life.working.rule.version)
    assert _by_entity(life.store._standing()) == _naive(life.subject, frame, naive)
    rows = with_row_keys(fold(life.subject, with_keys(life.subject, frame), life.working))
    assert set(life.store._standing()["version"] % 2**24) <= set(rows["version"] % 2**24)
    cells = as_cells(contributions(life.subject, rows, rows.clear(), ZONE).sums)
    assert {cell: n for cell, n in life.sums.items() if n} == {cell: n for cell, n in cells.items() if n}


def _by_rule_alone(frame: pl.DataFrame) -> pl.DataFrame:
    """Events without a stated deadline, where they may lack it: most tickets of random events have one stated."""
    return frame.with_columns(due_at=pl.when(pl.col("type") == "ticket.due_changed").then("due_at"))


def _by_entity(rows: pl.DataFrame) -> dict[Any, dict[str, Any]]:
    found = {}
    for row in rows.iter_rows(named=True):
        row["size"] = row.pop("version") >> 24
        found[row["source"], row["entity"], row["born_at"]] = row
    return found


def test_a_day_that_is_announced_later_moves_deadlines_once_its_calendar_is_folded_by() -> None:
    life = LifelikeLine(TICKETS, cut(TICKETS, _by_rule_alone(_year(TICKETS, 3, 100, days=2)), [100]), bytes_max=0)
    dues = []
    for version in (2, VERSIONS):
        life.working, life.line = working(version), None
        life.inputs.append(request(life))
        life.finish()
        dues.append(life.store._standing().select("source", "entity", "born_at", "due_at"))
    before, after = (due.sort("source", "entity", "born_at")["due_at"] for due in dues)
    moved = int((before != after).sum())
    assert 0 < moved < int(after.is_not_null().sum())


def _loaded(entities: int = 60) -> LifelikeLine:
    life = LifelikeLine(TICKETS, cut(TICKETS, _year(TICKETS, 3, entities), [100]), bytes_max=0)
    life.finish()
    return life


def test_many_days_are_answered_in_slices_that_an_output_can_hold() -> None:
    life = _loaded(entities=150)
    before = len(life.stored)
    life.working, life.line = RULED, None
    life.inputs.append(request(life))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "OUTPUT_BYTES_MAX", SLICE_BYTES)
        life.finish()
    slices = life.stored[before:]
    assert len(slices) > 2
    assert all(sum(map(len, one.tables.values())) <= SLICE_BYTES for one in slices)
    assert [one.source.first for one in slices[1:]] == [one.source.last for one in slices[:-1]]


def test_only_the_births_that_are_asked_for_are_folded_again() -> None:
    life = _loaded()
    days = life.store._standing()["born_at"].to_physical() // 86_400_000
    first = int(days.min())  # type: ignore[arg-type]
    life.working, life.line = RULED, None
    life.inputs.append(msgspec.structs.replace(request(life), first_day=first, days=100))
    life.finish()
    rows = life.store._standing().select(by_rule=pl.col("version") % 2**16 > 0, day=pl.col("born_at").to_physical())
    asked = rows["day"] // 86_400_000 < first + 100
    assert (rows["by_rule"] == asked).all()
    assert 0 < asked.sum() < len(asked)


def test_a_worker_of_older_versions_folds_nothing_and_says_so_by_its_own() -> None:
    life = _loaded(entities=3)
    life.inputs.append(Refold(**EVERY_DAY, fold=FOLD_VERSION, rule=1))
    life.finish()
    assert (life.stored[-1].rows, life.stored[-1].versions.rule, life.stored[-1].source.final) == (0, 0, True)


@pytest.mark.parametrize("value", [b"", b"{}", b'{"type":"refold","days":-1}', b'{"type":"refold","days":65536}'])
def test_a_request_that_is_none_is_a_dead_letter(value: bytes) -> None:
    life = _loaded(entities=1)
    worker = life.start()
    (record,) = worker.refold(worker.next_input, "b", value)
    assert record.verdicts.reasons == {"undecodable": 1}
    with pytest.raises(refold.RefoldError):
        refold.decode(value)
