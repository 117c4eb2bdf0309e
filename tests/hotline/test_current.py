"""What a reader knows equals what the publisher knew, whenever it joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import ipc
from hotline.catalogue import ALL, KPIS
from hotline.current import Current, Figure, is_published
from hotline.live import COLUMNS, Live
from hotline.windows import NOW, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str, str, str]
Sums = tuple[int, int | None]

KEYS: list[Key] = [
    ("calls_offered", "5min", ALL, ""),
    ("calls_offered", "5min", "line", "12345"),
    ("calls_offered", "5min", "line", ""),
    ("calls_waiting", NOW, ALL, ""),
    ("calls_waiting", NOW, "district", "姑苏"),
    ("answer_rate", "today", ALL, ""),
    ("answer_rate", "today", "line", "12345"),
]


def frame(rows: Iterable[tuple[Key, Sums]]) -> bytes:
    """The values of a record."""
    told = [(*key, *sums, _value(key, sums)) for key, sums in rows]
    return ipc.encode(pl.DataFrame(told, COLUMNS, orient="row"))


def _value(key: Key, sums: Sums) -> float | None:
    value = KPIS[key[0]].value(*sums)
    return None if value is None else float(value)


def nothing(key: Key) -> Sums:
    return (0, 0) if KPIS[key[0]].denominator else (0, None)


@dataclass
class Publisher:
    """Publishes by the rules of `hotline.live`, and remembers what was true at each record."""

    state: dict[Key, Sums] = field(default_factory=lambda: {key: nothing(key) for key in KEYS})
    records: list[Live] = field(default_factory=list)
    truths: list[dict[Key, Sums]] = field(default_factory=list)
    changed: bool = True
    values_offset: int = -1

    def change(self, changes: dict[Key, int]) -> None:
        """Publish what changed."""
        new = {key: (number, 2 * number if KPIS[key[0]].denominator else None) for key, number in changes.items()}
        self.state |= new
        self.changed = True
        self._publish(full=False, values=frame(new.items()))

    def tick(self) -> None:
        """Publish everything, or that nothing changed."""
        if not self.changed:
            self._publish(full=True, values=b"", values_offset=self.values_offset)
            return
        shown = [(key, sums) for key, sums in self.state.items() if key[2] == ALL or any(sums)]
        self.values_offset, self.changed = len(self.records), False
        self._publish(full=True, values=frame(shown))

    def _publish(self, *, full: bool, values: bytes, values_offset: int | None = None) -> None:
        number = len(self.records)
        self.records.append(
            Live(
                sequence=number + 1,
                as_of_ms=1000 * number,
                full=full,
                values=values,
                values_offset=values_offset,
                newest_at={"calls": number - 3},
            )
        )
        self.truths.append(dict(self.state))


def published(steps: list[dict[Key, int] | None]) -> Publisher:
    """A publisher after these steps: None is a second's full record, all else a change."""
    publisher = Publisher()
    for step in steps:
        publisher.tick() if step is None else publisher.change(step)
    return publisher


CHANGES = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 9), min_size=1, max_size=4)
STEPS = st.lists(st.none() | CHANGES, min_size=1, max_size=30)


def read(publisher: Publisher, start: int, end: int) -> Current:
    """Read the records from `start` on as a reader does: what is missing is taken first."""
    current = Current()
    for offset in range(start, end):
        missing = current.missing(publisher.records[offset])
        if missing is not None:
            current.take(publisher.records[missing], missing)
        current.take(publisher.records[offset], offset)
        current.scopes(("line", "district", ALL)[offset % 3])  # being asked meanwhile changes nothing
    return current


@settings(max_examples=200, deadline=None)
@given(STEPS, st.data())
def test_whenever_a_reader_joins_at_a_full_record_it_knows_what_the_publisher_knew(
    steps: list[dict[Key, int] | None], data: st.DataObject
) -> None:
    publisher = published([None, *steps])
    last = data.draw(st.integers(0, len(steps)), "last record read")
    fulls = [offset for offset, record in enumerate(publisher.records[: last + 1]) if record.full]
    current = read(publisher, data.draw(st.sampled_from(fulls), "first record read"), last + 1)
    for key, (numerator, denominator) in publisher.truths[last].items():
        kpi, window, kind, scope = key
        value = KPIS[kpi].value(numerator, denominator)
        assert current.figure(KPIS[kpi], window, kind, scope) == Figure(numerator, denominator, value), key
    assert current.as_of_ms == 1000 * last
    assert current.ages_s(2.0) == {"calls": 5.0}


@settings(max_examples=50, deadline=None)
@given(st.lists(CHANGES, max_size=5))
def test_before_the_first_full_record_nothing_is_known(changes: list[dict[Key, int]]) -> None:
    publisher = published(list(changes))
    current = read(publisher, 0, len(changes))
    assert not current.known
    assert current.as_of_ms is None
    assert all(current.figure(KPIS[kpi], window, kind, scope) is None for kpi, window, kind, scope in KEYS)


def test_a_count_is_whole_and_a_ratio_is_not() -> None:
    publisher = published([{KEYS[0]: 4, KEYS[5]: 4}, None])
    current = read(publisher, 1, 2)
    count, ratio = current.figure(KPIS["calls_offered"], "5min"), current.figure(KPIS["answer_rate"], "today")
    assert count is not None
    assert ratio is not None
    assert (count.value, type(count.value)) == (4, int)
    assert ratio.value == 0.5


def test_what_a_full_record_leaves_out_of_a_scope_is_nothing_and_no_value() -> None:
    current = read(published([None]), 0, 1)
    assert current.figure(KPIS["calls_offered"], "5min", "line", "never heard of") == Figure(0, None, 0)
    assert current.figure(KPIS["answer_rate"], "today", "line", "never heard of") == Figure(0, 0, None)


def test_where_a_count_of_the_city_is_no_value_that_of_no_scope_is() -> None:
    current = read(published([{KEYS[1]: 3}, None]), 1, 2)
    empty = pl.DataFrame([(*KEYS[0], 0, None, None), (*KEYS[1], 0, None, 0.0)], COLUMNS, orient="row")
    current.take(Live(sequence=3, as_of_ms=3000, full=False, values=ipc.encode(empty)), 2)
    for scope in ((ALL, ""), ("line", "12345"), ("line", "never heard of")):
        assert current.figure(KPIS["calls_offered"], "5min", *scope) == Figure(0, None, None)


def test_what_a_full_record_leaves_out_of_the_city_is_unknown_everywhere() -> None:
    """So it is of a KPI whose sums are not filled."""
    current = read(published([None]), 0, 1)
    assert current.figure(KPIS["calls_abandoned"], "5min") is None
    assert current.figure(KPIS["calls_abandoned"], "5min", "line", "12345") is None


def test_a_full_record_forgets_scopes_that_it_does_not_name() -> None:
    publisher = published([{KEYS[1]: 3, KEYS[2]: 1}, None, {KEYS[1]: 0}, None])
    assert read(publisher, 1, 2).scopes("line") == ["", "12345"]
    assert read(publisher, 1, 4).scopes("line") == [""]


def test_values_that_nobody_has_any_more_make_all_unknown_until_the_next_full_record() -> None:
    publisher = published([None, None, {KEYS[0]: 1}, None])
    current = Current()
    current.take(publisher.records[1], 1)
    assert (current.known, current.missing(publisher.records[1])) == (False, 0)
    current.take(publisher.records[2], 2)
    assert not current.known
    current.take(publisher.records[3], 3)
    assert current.figure(KPIS["calls_offered"], "5min") == Figure(1, None, 1)


def test_offsets_of_another_log_are_not_believed() -> None:
    publisher = published([None, None])
    current = read(publisher, 0, 1)
    assert current.missing(publisher.records[1]) is None
    current.forget_offsets()
    assert current.missing(publisher.records[1]) == 0
    assert current.known


@pytest.mark.parametrize(
    ("kpi", "window", "kind", "found"),
    [
        ("calls_offered", "5min", ALL, True),
        ("calls_offered", NOW, ALL, False),
        ("calls_waiting", NOW, "line", True),
        ("calls_waiting", "5min", ALL, False),
        ("wait_p90_s", "5min", ALL, False),
        ("calls_offered", "5min", "department", False),
        ("tickets_created", "7d", "department", True),
    ],
)
def test_a_stock_has_an_instant_a_sum_has_windows_and_a_percentile_is_not_live(
    kpi: str,
    window: str,
    kind: str,
    found: bool,  # noqa: FBT001
) -> None:
    assert is_published(KPIS[kpi], window, kind) is found
    assert {window.name for window in WINDOWS} >= {"5min", "7d"}
