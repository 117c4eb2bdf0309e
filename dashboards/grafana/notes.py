"""Notes in Grafana, which boards mark in their trends: releases, incidents, holidays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dashboards.grafana.answers import Note, Noted
from dashboards.grafana.outcome import Did, Outcome

if TYPE_CHECKING:
    from dashboards.grafana.connection import Connection

DAY_MS = 86_400_000
NOTES_MAX = 1000
"""How many of one tag are looked through, far more than a day has."""


class Wanted(NamedTuple):
    """A note that is to be there; times in epoch milliseconds, `end_ms` after the last one that it marks."""

    text: str
    tag: str
    start_ms: int
    end_ms: int | None = None
    of_today: bool = False
    """It marks the moment in which it is written: one that says the same is there when it is not a day old."""

    def is_there(self, note: Note) -> bool:
        """Whether that note is this one."""
        if note.text != self.text or self.tag not in note.tags:
            return False
        return self.of_today or (note.time, note.end) == (self.start_ms, self.end_ms or self.start_ms)


def annotate(connection: Connection, wanted: Wanted, *, dry_run: bool = False) -> Outcome:
    """Write a note unless it is there. Raises GrafanaError."""
    did = Did.UNCHANGED if any(map(wanted.is_there, _near(connection, wanted))) else Did.CREATED
    if did is Did.CREATED and not dry_run:
        connection.ask(
            lambda grafana: grafana.annotations.add_annotation(
                time_from=wanted.start_ms, time_to=wanted.end_ms, tags=[wanted.tag], text=wanted.text
            ),
            Noted,
        )
    return Outcome(kind="note", uid=wanted.tag, title=wanted.text, did=did)


def _near(connection: Connection, wanted: Wanted) -> list[Note]:
    since_ms = wanted.start_ms - DAY_MS if wanted.of_today else wanted.start_ms
    return connection.ask(
        lambda grafana: grafana.annotations.get_annotation(
            time_from=since_ms, time_to=wanted.end_ms or wanted.start_ms, tags=[wanted.tag], limit=NOTES_MAX
        ),
        list[Note],
    )
