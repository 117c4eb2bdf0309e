"""What is stated before a record is read: who dies over it leaves word, and no other record is blamed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.alone import DEATHS_MAX
from streams.in_hand import InHand, Span
from tests.full_disks import full_after


class Processes:
    """One after another on the same file."""

    def __init__(self, folder: str) -> None:
        self.file = Path(folder) / "in-hand" / "topic-0"
        self.living = InHand(self.file)

    def again(self) -> None:
        self.living.close()
        self.living = InHand(self.file)


@given(st.lists(st.sampled_from(["read", "die", "die", "leave", "idle", "slice"]), max_size=30))
def test_deaths_over_a_record_are_counted_in_a_row_and_those_elsewhere_are_not(moves: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        processes, at, deaths = Processes(folder), 0, 0
        for move in moves:
            span = Span(1, at, at + 1)
            assert processes.living.deaths(span) == deaths
            if move != "idle":
                processes.living.begin(span)
            if move == "read":
                processes.living.done()
                assert processes.living.deaths(span) == 0, "it may be read again, from behind"
                at, deaths = at + 1, 0
            elif move in {"leave", "slice"}:
                processes.living.let_go()
            if move in {"die", "leave", "idle"}:
                processes.again()
                deaths += move == "die"
        processes.living.close()


@given(st.data())
def test_whatever_is_fetched_together_the_third_who_meets_a_deadly_record_knows_of_two_deaths(
    data: st.DataObject,
) -> None:
    deadly = data.draw(st.integers(0, 40))
    with tempfile.TemporaryDirectory() as folder:
        processes, mark, known = Processes(folder), 0, []
        for _ in range(DEATHS_MAX + 1):
            mark = at = data.draw(st.integers(mark, deadly))  # what was acknowledged may be far behind
            while True:
                span = Span(1, at, at + data.draw(st.integers(1, 15)))
                processes.living.begin(span)
                if span.first <= deadly < span.next:
                    break
                processes.living.done()
                at = span.next
            known.append(processes.living.deaths(span))
            processes.again()
        assert known == list(range(DEATHS_MAX + 1))
        processes.living.begin(Span(2, deadly, deadly + 1))
        assert processes.living.deaths(Span(2, deadly, deadly + 1)) == 0, "another log holds other records"
        processes.living.done()
        assert processes.living.deaths(Span(1, deadly, deadly + 1)) == 0
        processes.living.close()


def test_on_a_full_disk_the_count_stands_still_and_nothing_is_raised(tmp_path: Path) -> None:
    """Whether the file is new and gets a piece of it, or none, or stands there already."""
    file = tmp_path / "in-hand" / "topic-0"
    with full_after(20):
        one = InHand(file)
        one.begin(Span(1, 7, 8))
        one.close()
        following = InHand(file)
        assert following.deaths(Span(1, 7, 8)) == 0
        following.begin(Span(1, 7, 8))
        following.done()
    following.begin(Span(1, 8, 9))
    following.close()
    later = InHand(file)
    later.close()
    assert later.deaths(Span(1, 8, 9)) == 1, "with room again it counts"
