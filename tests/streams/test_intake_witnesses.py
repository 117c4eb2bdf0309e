"""What intake keeps with its position: little, and farther apart the older it is."""

from __future__ import annotations

from dataclasses import dataclass

from streams.intake.witnesses import KEPT_MAX, Mark, mark_of, with_newer, witness

TEXT_BYTES_MAX = 4096
"""What a broker keeps with an offset, unless it is told otherwise."""


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None
    timestamp: int | None


def test_what_is_kept_fits_a_broker_and_reaches_back() -> None:
    kept: tuple[object, ...] = ()
    for offset in range(10**12, 10**12 + 100_000):
        kept = with_newer(kept, witness(Record(offset, b"x", 0)))  # type: ignore[arg-type]
    mark = Mark(5, kept)  # type: ignore[arg-type]
    offsets = [known.offset for known in mark.witnesses]
    assert KEPT_MAX // 2 <= len(offsets) <= KEPT_MAX
    assert offsets == sorted(offsets, reverse=True)
    ages = [offsets[0] - offset for offset in offsets]
    assert ages[1] <= 2
    assert ages[-1] > 10_000
    assert len(mark.text) < TEXT_BYTES_MAX
    assert mark_of(mark.offset, mark.text) == mark


def test_the_same_event_sent_again_is_another_record() -> None:
    found = {witness(Record(7, value, at)) for value in (b"{}", b"[]", None) for at in (None, -1, 1, 2)}
    assert len(found) == 12
    assert len({known.digest for known in found}) == 12


def test_an_offset_that_somebody_else_set_has_no_witness() -> None:
    assert mark_of(7, "by hand") == Mark(7)
