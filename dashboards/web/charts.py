"""Panels that are charts: a Vega-Lite specification that stays, and rows that come anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.web.axes import DAY_MS, FRAME, TIME, number_format, rows_of, time_axis, tooltip, when
from dashboards.web.colours import MEANING
from dashboards.web.lines import lines_rows, lines_spec
from dashboards.web.shown import Field, Tone, fields
from dashboards.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dashboards.web.shown import Writer
    from dashboards.web.store import Answer

Json = dict[str, Any]


def heat_spec(panel: Json) -> Json:
    """Days across, hours down, a colour for each; what has no value keeps its place, and is empty."""
    of = _field(panel)
    return {
        **FRAME,
        "data": rows_of("rows"),
        "mark": {"type": "rect", "stroke": None, "invalid": "show"},
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": {"labelOverlap": True, "labelAngle": 0}},
            "y": {"field": "hour", "type": "ordinal", "title": None, "axis": {"labelOverlap": True}},
            "color": {
                "condition": {"test": "datum.v === null", "value": "transparent"},
                "field": "v",
                "type": "quantitative",
                "scale": {"scheme": "blues"},
                "legend": {"title": None, "gradientLength": {"expr": "height"}, **number_format(of)},
            },
            "tooltip": tooltip("day", "hour", "text"),
        },
    }


def heat_rows(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """A row for each hour of each day, which an answer names by its end."""
    (answer,) = answers
    of = _field(panel)
    at = answer.names.index(TIME)
    rows = [
        {
            "day": writer.time(int(row[at]) - 1, "")[:10],
            "hour": name,
            "v": row[place],
            "text": writer.text(row[place], of),
        }
        for row in answer.rows
        for place, name in enumerate(answer.names)
        if place != at
    ]
    largest = max((row for row in rows if row["v"] is not None), key=lambda row: float(row["v"]), default=None)
    said = Text("largest: {day} {hour}:00, {text}", "最高:{day} {hour}:00,{text}")
    return {"rows": rows, "summary": said.format(**largest).of(writer.lang) if largest else ""}


def timeline_spec(panel: Json) -> Json:  # noqa: ARG001  as all specifications are made
    """A bar over each day that has data, a line for each column."""
    return {
        **FRAME,
        "data": rows_of("rows"),
        "mark": {"type": "rect", "color": MEANING[Tone.GOOD], "height": {"band": 0.6}},
        "encoding": {
            "x": time_axis(),
            "x2": {"field": "until"},
            "y": {"field": "s", "type": "ordinal", "title": None},
            "tooltip": tooltip("s", "text"),
        },
    }


def timeline_rows(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """A row for each run of days that have a value."""
    (answer,) = answers
    rows = []
    at = answer.names.index(TIME)
    for place, of in enumerate(fields(panel, answer.names)):
        if place != at:
            rows += [
                {"s": of.title, TIME: since, "until": until, "text": text}
                for since, until, text in _runs([(row[at], row[place]) for row in answer.rows], writer)
            ]
    return {"rows": rows, "summary": "; ".join(f"{row['s']}: {row['text']}" for row in rows[-2:])}


def _runs(days: Sequence[tuple[Any, Any]], writer: Writer) -> Iterator[tuple[int, int, str]]:
    begun: Any = None
    last: Any = None
    for day, value in [*days, (None, None)]:
        if value is not None:
            begun, last = (day if begun is None else begun), day
        elif begun is not None:
            first, end = writer.time(begun, "")[:10], writer.time(last, "")[:10]
            yield when(begun, writer), when(last, writer) + DAY_MS, f"{first} … {end}"
            begun = None


SPECS: Mapping[str, Callable[[Json], Json]] = {
    "timeseries": lines_spec,
    "heatmap": heat_spec,
    "state-timeline": timeline_spec,
}
ROWS: Mapping[str, Callable[[Json, Sequence[Answer], Writer], Json]] = {
    "timeseries": lines_rows,
    "heatmap": heat_rows,
    "state-timeline": timeline_rows,
}


def _field(panel: Json) -> Field:
    (found,) = fields(panel, [""])
    return found
