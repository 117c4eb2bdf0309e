"""Changes of sums equal the difference of what single rows add, cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hotline.catalogue import Grain, measures, scope_kinds
from hotline.contributions import contributions, sums_schema
from hotline.fold import Row
from hotline.subjects import SUBJECTS, Subject
from tests.hotline.random_rows import rows, structs

Cells = Counter[tuple[str, str, datetime, str]]
ZONES = ["Asia/Shanghai", "Asia/Kolkata", "America/New_York"]


def _added(subject: Subject, folded: Iterable[Row], zone: str, sign: int, cells: Cells) -> None:
    for row in folded:
        for measure in measures(subject):
            at = getattr(row, measure.at.name)
            if at is None:
                continue
            for kind, grain in measure.grains.items():
                scope = "" if kind == "all" else getattr(row, kind)
                cells[kind, scope, _start(at, grain, zone), measure.column] += sign * measure.of(row)


def _start(at: datetime, grain: Grain, zone: str) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    start = local.replace(second=0) if grain is Grain.MINUTE else local.replace(minute=0, second=0)
    return start.astimezone(ZoneInfo("UTC"))


def as_cells(sums: pl.DataFrame) -> Cells:
    """A frame of sums as a counter of its cells."""
    cells: Cells = Counter()
    for row in sums.iter_rows(named=True):
        head = row.pop("scope_kind"), row.pop("scope"), row.pop("at")
        for column, value in row.items():
            cells[(*head, column)] += value
    return cells


def _nonzero(cells: Cells) -> dict[Any, int]:
    return {cell: value for cell, value in cells.items() if value}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_sums_change_by_new_minus_old(subject: Subject, zone: str) -> None:
    new, other = rows(subject, 3, 400), rows(subject, 4, 400)
    both = new.join(other.select("born_at", "entity_key"), on=["born_at", "entity_key"], how="semi")
    old = other.join(new.select("born_at", "entity_key"), on=["born_at", "entity_key"], how="semi")
    assert len(both) > 50, "too few rows change for this to say anything"
    expected: Cells = Counter()
    _added(subject, structs(subject, new), zone, 1, expected)
    _added(subject, structs(subject, old), zone, -1, expected)
    sums = contributions(subject, new, old, zone).sums
    assert dict(sums.schema) == sums_schema(subject)
    assert _nonzero(as_cells(sums)) == _nonzero(expected)
    assert sums.select("scope_kind", "scope", "at").is_unique().all()


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_row_that_stays_changes_nothing(subject: Subject) -> None:
    same = rows(subject, 3, 200)
    assert contributions(subject, same, same.reverse(), ZONES[0]).sums.is_empty()


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_moved_row_leaves_its_old_scope(subject: Subject) -> None:
    old = rows(subject, 3, 200)
    new = old.with_columns(line=pl.lit("elsewhere"))
    cells = as_cells(contributions(subject, new, old, ZONES[0]).sums)
    assert {kind for kind, *_ in cells} == {"line"}
    assert scope_kinds(subject)[0] == "all"
    assert sum(cells.values()) == 0


def test_an_hour_is_a_local_hour() -> None:
    assert _start(datetime(2023, 1, 1, 0, 40, tzinfo=ZoneInfo("UTC")), Grain.HOUR, "Asia/Kolkata") == datetime(
        2023, 1, 1, 0, 30, tzinfo=ZoneInfo("UTC")
    ) - timedelta(0)
