"""Measure is a set machine: any order, repetition, split, loss of memory and cold look-up gives the same numbers."""

from __future__ import annotations

import pickle
import random
from collections import Counter, deque
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.blocks import Block, complete
from hotline.columns import TIME
from hotline.contributions import contributions
from hotline.events import keys
from hotline.fold import fold, with_keys
from hotline.subjects import SUBJECTS, Subject
from streams.measure import memory
from streams.measure.ids import with_row_keys
from streams.measure.memory import Memory
from streams.measure.step import Step, step
from tests.hotline.random_events import BIRTHS, events
from tests.hotline.test_contributions import as_cells

ZONE = "Asia/Shanghai"
both = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))


class Kept:
    """A store of exactly what the outputs said, as the sink would keep it."""

    def __init__(self) -> None:
        self.events: list[pl.DataFrame] = []
        self.rows: list[pl.DataFrame] = []
        self.asked_keys = self.asked_days = 0

    def days(self, subject: Subject, partition: int) -> set[int]:
        return {d for frame in self.events for d in (frame["born_at"].to_physical() // 86_400_000).to_list()}

    def by_day(self, subject: Subject, partition: int, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        self.asked_days += 1
        if not self.events:
            return pl.DataFrame(), pl.DataFrame()
        mine = pl.col("born_at").to_physical() // 86_400_000 == day
        return self._all(self.events).filter(mine), self._standing().filter(mine)

    def by_key(self, subject: Subject, partition: int, entities: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        self.asked_keys += 1
        on = ["born_at", "source", "entity"]
        return self._all(self.events).join(entities, on=on, how="semi"), self._standing().join(
            entities, on=on, how="semi"
        )

    def _standing(self) -> pl.DataFrame:
        rows = self._all(self.rows)
        return rows.sort("version").unique(["born_at", "source", "entity"], keep="last", maintain_order=True)

    @staticmethod
    def _all(frames: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(frames, how="diagonal")


class Line:
    """One partition's measure with its store; may forget everything, and may hear late of what is stored.

    `late` is how many outputs wait for the store, or (`told_late`) for the word that they are there.
    """

    def __init__(self, subject: Subject, bytes_max: int = 0, *, late: int = 0, told_late: bool = False) -> None:
        self.subject, self.bytes_max, self.late, self.told_late = subject, bytes_max, late, told_late
        self.store = Kept()
        self.sums: Counter[object] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.came_late: Counter[date] = Counter()
        self.waiting: deque[Step] = deque()
        self.restart()

    def restart(self) -> None:
        self.memory = Memory(self.subject, 0, self.store, bytes_max=self.bytes_max)
        for output in self.waiting:
            self.remember(output)

    def remember(self, output: Step) -> None:
        self.memory.remember(output.fresh, output.rows, lambda: (output.fresh, output.rows))

    def take(self, frame: pl.DataFrame) -> None:
        result = step(Block("b", self.subject, 0, frame), 1, self.memory, ZONE)
        self.sums.update(as_cells(result.changes.sums))
        self.came_late.update(dict(result.changed_days.iter_rows()))
        for name in ("counted", "seen", "revised", "dead"):
            self.verdicts[name] += getattr(result.verdicts, name)
        self.remember(result)
        self.waiting.append(result)
        if self.told_late:
            self.keep(result)
        if len(self.waiting) > self.late:
            self.settle()

    def settle(self) -> None:
        """The oldest output that waits is stored, and the memory hears of it."""
        if self.told_late:
            self.waiting.popleft()
        else:
            self.keep(self.waiting.popleft())
        self.memory.stored(self.memory.sequence - len(self.waiting))

    def keep(self, output: Step) -> None:
        stored = [name for name in (*self.subject.columns, "digest") if name in output.fresh.columns]
        self.store.events.append(output.fresh.select(stored))
        self.store.rows.append(output.rows.drop("entity_key", "eid"))

    def finish(self) -> None:
        while self.waiting:
            self.settle()


def _truth(subject: Subject, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[object, int]]:
    rows = with_row_keys(fold(subject, with_keys(subject, frame)))
    cells = as_cells(contributions(subject, rows, rows.clear(), ZONE).sums)
    return rows, {cell: value for cell, value in cells.items() if value}


def _sorted_rows(rows: pl.DataFrame) -> list[dict[str, object]]:
    plain = rows.select(sorted(c for c in rows.columns if c not in {"eid", "entity_key"}))
    return plain.sort("born_at", "source", "entity").to_dicts()


def _take_all(line: Line, events: pl.DataFrame, data: st.DataObject) -> None:
    at = 0
    while at < len(events):
        size = data.draw(st.integers(1, 9))
        line.take(events[at : at + size])
        at += size
        if data.draw(st.booleans()):
            line.restart()
    line.finish()


@both
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_split_order_repetition_and_crash_gives_the_same(subject: Subject, data: st.DataObject) -> None:
    frame = data.draw(events(subject, size=20))
    order = data.draw(st.permutations(range(len(frame))))
    again = data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=8))
    shuffled = frame[list(order) + again]
    line = Line(
        subject,
        bytes_max=data.draw(st.sampled_from([0, 2**30])),
        late=data.draw(st.integers(0, 3)),
        told_late=data.draw(st.booleans()),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "GROWTH_MIN", 4)
        patch.setattr(memory, "PIECES_MAX", 2)
        patch.setattr(memory, "LOOK_UPS_MAX", 1)
        line.restart()
        _take_all(line, shuffled, data)
    rows, sums = _truth(subject, frame)
    assert {cell: value for cell, value in line.sums.items() if value} == sums
    assert _sorted_rows(line.store._standing()) == _sorted_rows(rows)
    assert line.verdicts["counted"] + line.verdicts["seen"] + line.verdicts["revised"] == len(shuffled)
    members = with_keys(subject, frame)
    assert line.verdicts["counted"] == len(members.unique(["born_at", "entity_key", "event_key"]))


def _year(subject: Subject, seed: int, entities: int = 3_000, days: int = 365) -> pl.DataFrame:
    from tests.hotline.random_rows import life

    draw = random.Random(seed)
    found = []
    for entity in range(entities):
        shift = timedelta(days=draw.randrange(days))
        for event in life(subject, draw, str(entity)):
            found.append(event | {"born_at": event["born_at"] + shift, "occurred_at": event["occurred_at"] + shift})
    return complete(subject, pl.DataFrame(found, schema={k: subject.columns[k] for k in found[0]}))


@both
def test_a_year_in_random_order_equals_the_same_in_order(subject: Subject) -> None:
    frame = _year(subject, 5)
    in_order, random_order = Line(subject, 2**30), Line(subject, bytes_max=0)
    for piece in frame.sort("occurred_at").iter_slices(2_000):
        in_order.take(piece)
    for piece in frame.sample(fraction=1, shuffle=True, seed=1).iter_slices(300):
        random_order.take(piece)
    _, sums = _truth(subject, frame)
    assert {c: v for c, v in in_order.sums.items() if v} == sums
    assert {c: v for c, v in random_order.sums.items() if v} == sums
    assert random_order.store.asked_keys > 2, "cold look-ups were not met"


AT_REST = {"calls": "call.ended", "tickets": "ticket.answered_online"}
"""Type of an event → after which nothing is expected of a call or ticket."""


@both
def test_what_is_at_rest_counts_as_memory_and_leaves_it_when_the_bound_is_passed(subject: Subject) -> None:
    """Of each call and ticket of a long year 8 bytes would stay, whatever the bound."""
    days, a_day, bytes_max = 200, 100, 64 << 10
    born = [BIRTHS[0] + timedelta(days=number // a_day) for number in range(days * a_day)]
    given = {"source": "s", "type": AT_REST[subject.name], "entity": map(str, range(len(born))), "born_at": born}
    frame = pl.DataFrame(given | {"occurred_at": born}, schema_overrides={"born_at": TIME, "occurred_at": TIME})
    frame = complete(subject, frame)
    line = Line(subject, bytes_max)
    for piece in frame.iter_slices(10 * a_day):
        line.take(piece)
        assert len(pickle.dumps(line.memory._days)) < 1.1 * bytes_max
    assert bytes_max / 2 < line.memory.bytes <= bytes_max
    line.take(frame[:: days // 4])
    assert (line.verdicts["counted"], line.verdicts["seen"]) == (len(frame), len(frame[:: days // 4]))
    assert {c: v for c, v in line.sums.items() if v} == _truth(subject, frame)[1]


@both
def test_a_day_that_is_loaded_after_a_start_brings_what_was_stored_before_it(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an entity whose last output is not stored yet, the first members are in the store and the last at hand."""
    monkeypatch.setattr(memory, "WHOLE_DAY_KEYS", 0)
    frame = _year(subject, 8, entities=1)
    line = Line(subject, 2**30)
    line.take(frame[:1])
    line.late = 1
    line.take(frame[1:2])
    line.restart()
    line.take(frame[2:])
    line.finish()
    rows, sums = _truth(subject, frame)
    assert len(frame) > 2
    assert _sorted_rows(line.store._standing()) == _sorted_rows(rows)
    assert {cell: value for cell, value in line.sums.items() if value} == sums


@both
def test_a_day_touched_often_is_loaded_whole(subject: Subject) -> None:
    frame = _year(subject, 6).with_columns(pl.lit(BIRTHS[0], dtype=TIME).alias("born_at"))
    frame = complete(subject, frame.drop("digest"))
    line = Line(subject)
    line.take(frame[:10])
    line.restart()
    line.take(frame[10:])
    line.restart()
    line.take(frame)
    assert (line.store.asked_days, line.verdicts["seen"]) == (2, len(frame))
    _, sums = _truth(subject, frame)
    assert {c: v for c, v in line.sums.items() if v} == sums


@both
def test_a_day_asked_for_again_and_again_is_loaded_whole(subject: Subject) -> None:
    """Live traffic after a restart: a few new entities of today in every block."""
    frame = _year(subject, 7, 400).with_columns(pl.lit(BIRTHS[0], dtype=TIME).alias("born_at"))
    frame = complete(subject, frame.drop("digest")).unique("entity", keep="first", maintain_order=True)
    line = Line(subject, 2**30)
    line.take(frame[:10])
    line.restart()
    for piece in frame.iter_slices(20):
        line.take(piece)
    assert (line.store.asked_days, line.store.asked_keys) == (1, memory.LOOK_UPS_MAX)
    _, sums = _truth(subject, frame)
    assert {c: v for c, v in line.sums.items() if v} == sums


@both
def test_events_of_another_partition_are_dead(subject: Subject) -> None:
    frame = _year(subject, 8, 50)
    home = pl.Series(keys.partitions(keys.entity_keys(frame), 4))
    result = step(Block("b", subject, 1, frame), 4, Memory(subject, 1, Kept()), ZONE)
    assert result.verdicts.reasons == {"wrong_partition": (home != 1).sum()}
    assert result.verdicts.read == len(frame)
