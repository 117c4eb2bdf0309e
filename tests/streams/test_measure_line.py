"""A line of measure, its outputs and the rule to accept together: whatever dies, each event counts once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.fold import with_keys
from hotline.measured import decode
from hotline.refold import Refold
from hotline.subjects import SUBJECTS, Subject
from streams.measure import line
from tests.hotline.random_events import events
from tests.streams.lifelike_line import LifelikeLine, cut
from tests.streams.test_measure_step import _sorted_rows, _truth, _year

SLICE_BYTES = 12_000
"""So small a bound of an output that blocks of a few events are measured in slices."""
MOVES = (
    *["measure"] * 4,
    "measure much",
    "store",
    "store much",
    *["tell"] * 3,
    "die",
    *["die late"] * 2,
    *["arrive"] * 2,
    "resend",
)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_dies_and_arrives_late_each_event_counts_once(subject: Subject, data: st.DataObject) -> None:
    frame = data.draw(events(subject, size=16))
    blocks = cut(subject, frame, data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4)))
    life = LifelikeLine(subject, blocks, bytes_max=data.draw(st.sampled_from([0, 2**30])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "OUTPUT_BYTES_MAX", data.draw(st.sampled_from([SLICE_BYTES, 2**23])))
        for move in data.draw(st.lists(st.sampled_from(MOVES), min_size=10, max_size=40)):
            life.moves[move]()
        life.finish()
    rows, sums = _truth(subject, frame)
    assert {cell: value for cell, value in life.sums.items() if value} == sums
    assert _sorted_rows(life.store._standing()) == _sorted_rows(rows)
    assert_account(life, len(with_keys(subject, frame).unique(["born_at", "entity_key", "event_key"])))


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_a_log_of_outputs_loses_of_its_end_each_event_counts_once(
    subject: Subject, data: st.DataObject
) -> None:
    """Also where others wrote on after the loss before anybody noticed it."""
    frame = data.draw(events(subject, size=16))
    life = LifelikeLine(subject, cut(subject, frame, data.draw(st.lists(st.integers(1, 4), min_size=1))), bytes_max=0)
    moves = st.sampled_from([*MOVES, *["cut"] * 2, "cut deep"])
    for move in data.draw(st.lists(moves, min_size=10, max_size=40)):
        life.moves[move]()
    life.finish()
    rows, sums = _truth(subject, frame)
    assert {cell: value for cell, value in life.sums.items() if value} == sums
    assert _sorted_rows(life.store._standing()) == _sorted_rows(rows)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_records_that_are_given_up_are_counted_and_what_is_stored_agrees(subject: Subject, data: st.DataObject) -> None:
    frame = data.draw(events(subject, size=16))
    blocks = cut(subject, frame, data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    life = LifelikeLine(subject, blocks, bytes_max=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "OUTPUT_BYTES_MAX", data.draw(st.sampled_from([SLICE_BYTES, 2**23])))
        for move in data.draw(st.lists(st.sampled_from([*MOVES, *["retention"] * 2]), min_size=10, max_size=40)):
            life.moves[move]()
        life.retention()
        life.finish()
    lost: set[int] = set()
    whole: set[int] = set()
    for record in life.stored:
        if record.source.given_up:
            lost |= set(range(record.source.offset, record.source.offset + record.source.given_up))
        elif record.source.final:
            whole.add(record.source.offset)
    assert lost | whole == set(range(len(life.inputs)))
    assert not lost & whole
    if life.store.events:
        rows, sums = _truth(subject, pl.concat(life.store.events))
        assert {cell: value for cell, value in life.sums.items() if value} == sums
        assert _sorted_rows(life.store._standing()) == _sorted_rows(rows)


def assert_account(life: LifelikeLine, counted: int) -> None:
    """Each record of the input is accounted for as a whole, and each event is counted in one place."""
    read = [0] * len(life.inputs)
    for record in life.stored:
        read[record.source.offset] += record.verdicts.read
    assert read == [0 if isinstance(given, Refold) else len(given.events) for given in life.inputs]
    assert sum(record.verdicts.counted for record in life.stored) == counted


def test_an_output_behind_a_lost_one_is_passed_over_and_its_writer_ends_when_it_hears_so() -> None:
    """The log lost an output, another worker's stands in its place, and the line has written on after it."""
    subject = SUBJECTS["calls"]
    life = LifelikeLine(subject, cut(subject, _year(subject, seed=7, entities=4), [3]), bytes_max=0)
    for move in (*["measure"] * 2, "die late", *["measure"] * 6, "cut", "arrive", *["measure"] * 3):
        life.moves[move]()
    line, successor = life.line, life.start()
    assert successor.accepted.offset == 0
    assert successor.last_written == decode(life.outputs[-1]).source.output_id, "it is there, whoever wrote it"
    life.apply(3)
    assert [decode(value).source.offset for value in life.outputs] == [0, 0, 2]
    assert [record.source.offset for record in life.stored] == [0], "the one behind the loss is passed over"
    assert life.line is line, "which nobody else sees: it landed where it was due"
    life.tell()
    assert life.line is None
    life.finish()
    assert [record.source.offset for record in life.stored] == list(range(len(life.inputs)))


def test_what_the_sink_has_not_come_to_is_not_forgotten() -> None:
    """Only the first output is stored, and the line hears so again and again while it writes on."""
    subject = SUBJECTS["calls"]
    frame = _year(subject, seed=7, entities=1)
    life = LifelikeLine(subject, cut(subject, frame, [1]), bytes_max=0)
    for move in (*["measure"] * 3, "store", *["measure", "measure", "measure", "tell"] * len(life.blocks)):
        life.moves[move]()
    assert (len(life.outputs), life.position) == (len(life.blocks), 1)
    life.finish()
    rows, sums = _truth(subject, frame)
    assert {cell: value for cell, value in life.sums.items() if value} == sums
    assert _sorted_rows(life.store._standing()) == _sorted_rows(rows)


def test_lives_have_slices_and_outputs_that_are_not_accepted() -> None:
    """A record is measured in slices, and a late output of a dead line is passed over."""
    subject = SUBJECTS["tickets"]
    life = LifelikeLine(subject, cut(subject, _year(subject, seed=7, entities=4), [13]), bytes_max=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "OUTPUT_BYTES_MAX", SLICE_BYTES)
        for move in ("measure", "measure", "die late", *["measure"] * 3, "arrive"):
            life.moves[move]()
        life.finish()
    assert len(life.stored) > 1
    assert len(life.outputs) > len(life.stored)
