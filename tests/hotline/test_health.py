"""What processes tell of themselves."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import health, ipc

FACTS = st.builds(
    health.Fact,
    what=st.sampled_from(sorted(health.FACTS)),
    value=st.floats(0, 1e15) | st.integers(0, 2**53),
    topic=st.sampled_from(["", "hotline.calls"]),
    partition=st.integers(0, 2**16 - 1),
)


@settings(deadline=None)  # the first example imports
@given(st.lists(FACTS, max_size=20))
def test_what_is_told_becomes_rows(facts: list[health.Fact]) -> None:
    told = health.decode(health.Teller("worker-0").tell(facts).encode())
    assert told.facts == facts
    found = ipc.decode(told.rows()).rows(named=True)
    assert [health.Fact(each["what"], each["value"], each["topic"], each["partition"]) for each in found] == facts
    assert {(each["process"], each["life"]) for each in found} <= {("worker-0", told.life)}


def test_each_start_of_a_process_is_a_life_of_its_own() -> None:
    first, second = health.Teller("sink"), health.Teller("sink")
    assert first.tell([]).life == first.tell([]).life != second.tell([]).life


@given(st.binary(max_size=200))
def test_anything_else_is_an_error_or_a_record(value: bytes) -> None:
    try:
        told = health.decode(value)
    except msgspec.MsgspecError:
        return
    ipc.decode(told.rows())


@given(st.floats(0, 4e9))
def test_all_processes_tell_at_the_same_times(now_s: float) -> None:
    left_s = health.until_next_s(now_s)
    assert 0 < left_s <= health.TELL_EVERY_S
    assert (now_s + left_s) / health.TELL_EVERY_S == pytest.approx(round((now_s + left_s) / health.TELL_EVERY_S))
