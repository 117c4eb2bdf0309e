"""Whatever is wrong with a dead letter is noticed: doubled, lost, changed, of another event, of no output."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import count

import pytest

from tests.faults.letters import Letter, canonical, dead_of, letter, wrong, wrong_numbers
from tests.faults.story import story

TOLD = dead_of(story(9, entities=40, pieces=6, today=datetime(2026, 3, 1, tzinfo=UTC)))
BESIDES = {canonical(b'{"entity": "x"}')}
_OFFSETS = count()
RIGHT = [
    Letter("hotline.calls", 0, 1, at // 2, at % 2, f"b{at // 2}", *says)
    for at, says in zip(_OFFSETS, TOLD.elements(), strict=False)
]
"""Two in each record."""
OUTPUTS = [("hotline.calls", 0, 1, at, 0, 2, sum(one.offset == at for one in RIGHT)) for at in range(len(RIGHT) + 1)]


def test_as_many_as_were_told_and_those_of_a_block_that_came_again_are_right() -> None:
    again = [one._replace(offset=one.offset + 1000) for one in RIGHT[:4]]
    other = letter("hotline.calls", 1, 1, 0, 0, "o", "missing_field", b'{ "entity" : "x" }')
    assert wrong([*RIGHT, *again, other], TOLD, BESIDES) == []
    assert wrong_numbers(RIGHT, OUTPUTS) == []


CHANGES = {
    "another reason": partial(Letter._replace, reason="bad_value"),
    "another event": partial(Letter._replace, original=b'{"entity":"y"}'),
    "nothing of it": partial(Letter._replace, original=b"{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_says_something_else_is_noticed(change: str) -> None:
    first, *others = RIGHT
    found = wrong([CHANGES[change](first), *others], TOLD, BESIDES)
    assert [one.rpartition(" was ")[2] for one in found] == ["told 1 times", "not told so"], found


def test_one_that_is_lost_doubled_or_of_no_output_is_noticed() -> None:
    first, *others = RIGHT
    assert len(wrong(others, TOLD, BESIDES)) == len(wrong_numbers(others, OUTPUTS)) == 1
    assert len(wrong([first, *RIGHT], TOLD, BESIDES)) == len(wrong_numbers([first, *RIGHT], OUTPUTS)) == 1
    assert len(wrong_numbers([*RIGHT, first._replace(place=7)], OUTPUTS)) == 1


def test_a_block_that_says_something_else_when_it_comes_again_is_noticed() -> None:
    first, _, third, *_ = RIGHT
    again = third._replace(block_id=first.block_id, place=first.place, offset=2000)
    assert len(wrong([*RIGHT, again], TOLD, BESIDES)) == 1
