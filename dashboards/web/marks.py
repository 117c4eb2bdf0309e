"""Marks of annotations: what the page is told of each, and how trends draw them, each kind in its own colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.web.axes import TIME, by, instant, rows_of, tooltip, when
from dashboards.web.colours import MEANING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.web.boards import MarkKind
    from dashboards.web.shown import Writer
    from dashboards.web.store import Answer

Json = dict[str, Any]

PLACE = "place"


def marks(answers: Iterable[tuple[MarkKind, Answer]], since_s: float, writer: Writer) -> list[Json]:
    """Every mark in the order of time: when it is and where it stands, its kind, the tone of that, and what it says.

    What began before the range, which begins at `since_s` (epoch seconds), stands where that does: else the axis of
    each trend would begin with it.
    """
    found: list[Json] = [
        {TIME: when(at, writer), "at": writer.time(at, ""), "kind": of.title, "tone": of.tone, "text": text}
        for of, answer in answers
        for at, text in _rows(answer)
    ]
    first = when(since_s, writer)
    return [{**mark, PLACE: max(mark[TIME], first)} for mark in sorted(found, key=lambda mark: mark[TIME])]


def _rows(answer: Answer) -> Iterable[tuple[Any, str]]:
    at, text = answer.names.index(TIME), answer.names.index("text")
    return ((row[at], row[text]) for row in answer.rows)


def layer() -> Json:
    """The layer of a trend: a dashed line for each mark."""
    return {
        "data": rows_of("marks"),
        "mark": {"type": "rule", "strokeDash": [4, 2], "strokeWidth": {"expr": "em / 8"}},
        "encoding": {
            "x": instant(PLACE),
            "color": by("tone", {str(tone): colour for tone, colour in MEANING.items()}),
            "tooltip": tooltip(TIME, "kind", "text"),
        },
    }
