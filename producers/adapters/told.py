"""From events and refusals, gathered one by one, to the frame of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from hotline.blocks import columns
from hotline.columns import TIME
from hotline.dead_letters import ORIGINAL_BYTES_MAX
from producers.adapters.adapter import Batch

if TYPE_CHECKING:
    from hotline.subjects import Subject

TIMES = ("born_at", "occurred_at", "due_at")
"""Columns that are given in epoch seconds here."""

Told = dict[str, Any]
"""An event as a row of a block, its times in epoch seconds."""


class Telling:
    """What some lines of one file came to; `batch` gives it, and begins anew."""

    def __init__(self, subject: Subject, source: str) -> None:
        self._subject, self._source = subject, source
        self._begin()

    def _begin(self) -> None:
        self._events: list[Told] = []
        self._dead: list[Told] = []
        self._lines = 0
        self._skipped: dict[str, int] = {}

    def events(self, events: list[Told], *, entity: str, born_at: int) -> None:
        """Take in the events of a line."""
        self._lines += 1
        for event in events:
            self._events.append({**event, "source": self._source, "entity": entity, "born_at": born_at})

    def refused(self, reason: str, raw: bytes, origin: str) -> None:
        """Take in a line that gives no events, and why."""
        original = raw[:ORIGINAL_BYTES_MAX].rstrip(b"\r\n")
        self._lines += 1
        self._dead.append({"problem": reason, "original": original, "origin": origin, "source": self._source})

    def skipped(self, why: str) -> None:
        """Count a line that was left out on purpose."""
        self._lines += 1
        self._skipped[why] = self._skipped.get(why, 0) + 1

    def batch(self, bytes_read: int) -> Batch:
        """Give the lines since the last batch, events sorted by birth."""
        frame = self._frame()
        batch = Batch(
            frames={self._subject.name: frame} if len(frame) else {},
            lines_read=self._lines,
            lines_broken=len(self._dead),
            bytes_read=bytes_read,
            skipped=self._skipped,
        )
        self._begin()
        return batch

    def _frame(self) -> pl.DataFrame:
        schema = {
            name: pl.Int64() if name in TIMES else dtype
            for name, dtype in columns(self._subject).items()
            if name not in {"received_at", "digest", "schema"}
        }
        stated = {name for row in (*self._events, *self._dead) for name in row}
        rows = sorted(self._events, key=lambda event: event["born_at"]) + self._dead
        frame = pl.DataFrame(rows, schema={name: dtype for name, dtype in schema.items() if name in stated})
        return frame.with_columns((pl.col(name) * 1000).cast(TIME) for name in TIMES if name in stated)
