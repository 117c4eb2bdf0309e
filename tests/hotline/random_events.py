"""Any events at all: few entities, few instants, so that repeats, conflicts, ties and odd orders are the rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from hotline.blocks import complete
from hotline.catalogue import KPIS
from hotline.events import WORDS
from hotline.subjects import Subject

BIRTHS = [datetime(2023, 3, 1, 0, 0, 0, tzinfo=UTC), datetime(2023, 3, 1, 15, 59, 59, tzinfo=UTC)]
STEPS_S = (0, 1, 59, 60, 3599, 3600, 3601, 86_399, 86_400, 500_000)
NAMES = ("a", "b", "姑苏区", "")


def constants() -> list[int]:
    """Every whole number that the catalogue compares with, and its neighbours."""
    found = {0}
    for kpi in KPIS.values():
        tests = [test for measure in kpi.measures for test in measure.where]
        found.update(test.right for test in tests if type(test.right) is int)
    return sorted({max(0, value + step) for value in found for step in (-1, 0, 1)})


def events(subject: Subject, *, size: int = 25) -> st.SearchStrategy[pl.DataFrame]:
    """Complete frames of a block of random events of a subject; every one of them acceptable."""
    fields = {
        "type": st.sampled_from(subject.types),
        "source": st.sampled_from(["city", "town"]),
        "entity": st.sampled_from(["1", "2", "3"]),
        "born_at": st.sampled_from(BIRTHS),
        "step_s": st.sampled_from(STEPS_S),
        "id": st.sampled_from([None, None, "e1", "e2"]),
        "revision": st.integers(0, 2),
    }
    fields |= {name: _column(name, dtype) for name, dtype in subject.columns.items() if name not in fields}
    event = st.fixed_dictionaries(fields).map(_tidy)
    return st.lists(event, min_size=1, max_size=size).map(lambda rows: _frame(subject, rows))


def _column(name: str, dtype: pl.DataType) -> st.SearchStrategy[Any]:
    if name in WORDS:
        return st.sampled_from([None, *WORDS[name]])
    if dtype == pl.Datetime:
        return st.sampled_from([None, *(BIRTHS[0] + timedelta(seconds=step) for step in STEPS_S)])
    if dtype == pl.Boolean:
        return st.sampled_from([None, True, False])
    if dtype == pl.Int32:
        return st.sampled_from([None, *constants()])
    if dtype == pl.String:
        return st.sampled_from([None, *NAMES[:3]])
    return st.just(1)


def _tidy(event: dict[str, Any]) -> dict[str, Any]:
    event["occurred_at"] = event["born_at"] + timedelta(seconds=event.pop("step_s"))
    if event["id"] is None:
        event["revision"] = 0
    if event["type"] == "ticket.due_changed" and event["due_at"] is None:
        event["due_at"] = event["occurred_at"]
    if event.get("valid", True) is None:
        event["valid"] = True
    return event


def _frame(subject: Subject, rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={name: subject.columns[name] for name in rows[0] if name in subject.columns})
    return complete(subject, frame)
