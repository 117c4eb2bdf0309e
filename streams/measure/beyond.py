"""Tells when a calendar does not reach as far as the deadlines that it is asked for."""

from __future__ import annotations

import logging

import polars as pl

from hotline.working_time import WorkingTime

_log = logging.getLogger(__name__)


def without_deadline(rows: pl.DataFrame) -> pl.DataFrame:
    """The tickets whose deadline the rule was asked for, and which have none because the calendar does not know."""
    if "rule_version" not in rows.columns:
        return rows.clear()
    return rows.filter((pl.col("rule_version") > 0) & pl.col("due_at").is_null())


class Beyond:
    """Warns once of tickets without a deadline that they should have; more would only fill the log."""

    def __init__(self, working: WorkingTime) -> None:
        self._calendar = working.calendar if working.rule else None

    def look_at(self, rows: pl.DataFrame) -> None:
        """Warn if there are such among these rows."""
        if self._calendar is None:
            return
        found = without_deadline(rows)
        if len(found):
            first = found.row(0, named=True)
            told = self._calendar.beyond(first["dispatched_at"])
            _log.warning(
                "tickets have no deadline by the rule, such as %s/%s: %s", first["source"], first["entity"], told
            )
            self._calendar = None
