"""Bundles pass for records where Faust handles them, and hide no hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.app import make_app
from streams.bundles import Bundle
from tests.streams.intake_desks import Record

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from faust.types.tuples import TP


def bundle(*offsets: int) -> Bundle:
    return Bundle("in", 1, [Record(offset, b"") for offset in offsets])


def test_a_bundle_stands_at_its_first_record_and_ends_after_its_last() -> None:
    found = bundle(7, 8, 9)
    assert (found.offset, found.next_offset, found.whole) == (7, 10, True)
    assert found.value is found


def test_a_bundle_with_a_hole_is_not_whole() -> None:
    assert not bundle(7, 9).whole


async def no_marks(partitions: Collection[TP]) -> dict[TP, int]:
    return {}


def test_a_group_that_commits_record_by_record_takes_no_bundles(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bundles need manual assignment"):
        make_app(
            "grouped",
            bootstrap="127.0.0.1:1",
            source_topics=["in"],
            bundled_topics=["in"],
            partitions_owned=None,
            resume_from=no_marks,
            datadir=tmp_path,
            idempotent=False,
            assignment="static",
            instance_id="one",
        )
