"""Names that are open to anybody take no more of roll's memory than it has for them, and no value is wrong for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from hotline.catalogue import ALL
from hotline.subjects import SUBJECTS
from streams.roll import snapshot
from streams.roll.cells import cells, width
from streams.roll.scopes import NO_NUMBER, Scopes
from streams.roll.snapshot import restored, save, take
from tests.streams.rolled import changes, empty_state

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ZONE = "Asia/Shanghai"


def test_scopes_beyond_the_bound_have_no_value_and_those_before_it_the_right_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    subject = SUBJECTS["tickets"]
    sums = pl.concat([piece.sums for piece in changes(subject, ZONE, 0)])
    unbound, bound = Scopes([(ALL, "")]), Scopes([(ALL, "")], scopes_max=5)
    whole, part = (cells(subject, sums, scopes, hours_before=0) for scopes in (unbound, bound))
    assert len(unbound) > 5
    assert unbound.names[:5] == bound.names
    assert (bound.numbers(sums) == NO_NUMBER).any()
    first_five = whole.where(whole.code < 5 * width(subject))
    assert [column.tolist() for column in part] == [column.tolist() for column in first_five]
    assert caplog.text.count("ALARM roll knows 5 scopes and takes no more in") == 1


def test_a_snapshot_with_another_bound_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scope that gets a number only now would lack what came before."""
    file = tmp_path / "state"
    save(file, take(empty_state(ZONE, 0)), ZONE)
    assert restored(file, ZoneInfo(ZONE), 0) is not None
    monkeypatch.setattr(snapshot, "SCOPES_MAX", 7)
    assert restored(file, ZoneInfo(ZONE), 0) is None
