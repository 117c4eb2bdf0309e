"""A roll that dies while it writes its snapshot leaves the one before, and a draft that nobody reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from streams.roll.snapshot import restored, save, take
from tests.full_disks import full_after
from tests.streams.rolled import empty_state

if TYPE_CHECKING:
    from pathlib import Path

ZONE = "Asia/Shanghai"


def test_a_draft_that_was_left_is_neither_read_nor_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, state = tmp_path / "roll" / "state", empty_state(ZONE, 0)
    save(file, take(state), ZONE)
    before = file.read_bytes()
    state.scopes.names.append(("district", "later"))

    def dies(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            save(file, take(state), ZONE)
    (draft,) = set(file.parent.iterdir()) - {file}
    draft.write_bytes(draft.read_bytes()[:-3] or b"half of it")
    assert file.read_bytes() == before
    found = restored(file, ZoneInfo(ZONE), 0)
    assert found is not None
    assert len(found.scopes) == 1
    save(file, take(state), ZONE)
    again = restored(file, ZoneInfo(ZONE), 0)
    assert again is not None
    assert len(again.scopes) == 2
    assert list(file.parent.iterdir()) == [file]


def test_a_snapshot_for_which_the_disk_has_no_room_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    file, state = tmp_path / "roll" / "state", empty_state(ZONE, 0)
    save(file, take(state), ZONE)
    before = file.read_bytes()
    state.scopes.names.append(("district", "later"))
    with full_after(len(before) // 2), pytest.raises(OSError, match="File too large"):
        save(file, take(state), ZONE)
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == before
