"""What several tests of adapters of objects and lines need: reading text, rows of it, and what is dead."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl

from hotline.blocks import complete
from hotline.events.rules import problems
from hotline.fold import fold, with_keys
from producers.adapters import ADAPTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotline.subjects import Subject
    from producers.adapters import Batch

KEY = b"a key of the tests"


def read(name: str, text: str | bytes, **more: Any) -> list[Batch]:
    """Read a file of this content."""
    content = text.encode() if isinstance(text, str) else text
    return list(ADAPTERS[name].read(io.BytesIO(content), key=KEY, origin="the file", **more))


def events_of(subject: Subject, batches: Iterable[Batch]) -> pl.DataFrame:
    """All rows of the batches, complete; those without a problem must pass the rules."""
    frames = [batch.frames[subject.name] for batch in batches if subject.name in batch.frames]
    events = complete(subject, pl.concat(frames, how="diagonal"))
    assert problems(subject, events).equals(events["problem"])
    return events


def good(subject: Subject, batches: Iterable[Batch]) -> pl.DataFrame:
    """Events of the batches, none of which may be dead."""
    events = events_of(subject, batches)
    assert events["problem"].null_count() == len(events), events["problem"].drop_nulls()
    return events


def rows(subject: Subject, batches: Iterable[Batch]) -> dict[str, dict[str, Any]]:
    """Rows that all events of the batches fold into, by entity."""
    events = events_of(subject, batches).filter(pl.col("problem").is_null())
    return {row["entity"]: row for row in fold(subject, with_keys(subject, events)).iter_rows(named=True)}


def dead(batches: Iterable[Batch]) -> list[tuple[str, str]]:
    """Reason and origin of every dead row."""
    frames = [frame for batch in batches for frame in batch.frames.values() if "problem" in frame.columns]
    found = [frame.filter(pl.col("problem").is_not_null()).select("problem", "origin") for frame in frames]
    return [(str(reason), str(origin)) for frame in found for reason, origin in frame.iter_rows()]
