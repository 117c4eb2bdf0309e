"""What measure asks of the store of events and rows, whatever keeps it."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from hotline.subjects import Subject


class Store(Protocol):
    """Stored events and rows of one subject and partition, up to the sink's mark. May block; raises when away."""

    def days(self, subject: Subject, partition: int) -> set[int]:
        """Birth days with anything stored."""

    def by_day(self, subject: Subject, partition: int, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """All events and standing rows born on that day."""

    def by_key(self, subject: Subject, partition: int, entities: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Events and standing rows of these entities (`born_at`, `source`, `entity`)."""


class NothingStored:
    """A store in which nothing stands."""

    def days(self, subject: Subject, partition: int) -> set[int]:  # noqa: ARG002
        """None."""
        return set()

    def by_day(self, subject: Subject, partition: int, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:  # noqa: ARG002
        """Nothing."""
        return pl.DataFrame(), pl.DataFrame()

    def by_key(self, subject: Subject, partition: int, entities: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:  # noqa: ARG002
        """Nothing."""
        return pl.DataFrame(), pl.DataFrame()
