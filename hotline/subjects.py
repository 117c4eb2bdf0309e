"""The sub-systems that events speak of: calls and tickets. Each has its topic, its tables and its row."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotline.events import CALL_EVENTS, TICKET_EVENTS, Event

if TYPE_CHECKING:
    import polars as pl

OWN_TEXTS = frozenset({"entity", "id", "call", "caller", "merged_into"})
"""Texts with about as many values as rows; all others repeat, and travel and are stored as codes."""


@dataclass(frozen=True)
class Subject:
    """One sub-system: `name` is its topic's last word and the name of its table of rows."""

    name: str
    singular: str
    events: tuple[type[Event], ...]

    @functools.cached_property
    def types(self) -> tuple[str, ...]:
        """Event types in rank order."""
        return tuple(str(event.__struct_config__.tag) for event in self.events)

    @functools.cached_property
    def columns(self) -> dict[str, pl.DataType]:
        """Column → type, of everything any event of this subject may state; `type` first."""
        from hotline.columns import columns_of  # with polars, which a command that only names topics does not need

        return columns_of(self.events)

    @functools.cached_property
    def stated(self) -> tuple[str, ...]:
        """Columns whose values are what the sender said: all but the time of receipt and the schema's version."""
        return tuple(column for column in self.columns if column not in {"received_at", "schema"})

    @property
    def events_table(self) -> str:
        """Table of every member of the sets."""
        return f"{self.singular}_events"

    @property
    def rows_table(self) -> str:
        """Table of the rows."""
        return self.name

    @property
    def sums_table(self) -> str:
        """Table of the sums."""
        return f"minute_sums_{self.name}"

    @property
    def recent_table(self) -> str:
        """Table of the minutes, of the last days, of what the sums have by the hour."""
        return f"recent_sums_{self.name}"


CALLS = Subject("calls", "call", CALL_EVENTS)
TICKETS = Subject("tickets", "ticket", TICKET_EVENTS)
SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in (CALLS, TICKETS)}
