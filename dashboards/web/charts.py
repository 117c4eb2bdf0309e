"""Panels that are charts: a Vega-Lite specification that stays, and rows that come anew.

Instants go to the page as the hotline's local time, so that an axis shows its days whatever the zone of the browser.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboards.web.colours import LINES, MEANING, QUIET
from dashboards.web.shown import SHARE_SCALE, Field, Tone, fields
from dashboards.words import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dashboards.web.shown import Writer
    from dashboards.web.store import Answer

Json = dict[str, Any]

TIME = "time"
_FRAME: Json = {"width": "container", "height": "container", "autosize": {"type": "fit", "contains": "padding"}}
_HOUR = 3600
_BUCKETS = {"1h": "%m-%d %H:%M", "1d": "%Y-%m"}
"""How a bar says of what it is, by the interval of its panel: hours, or the months and quarters of the year."""


def local_ms(at_s: float, zone: ZoneInfo) -> int:
    """An instant in epoch seconds, as the milliseconds at which UTC shows the same clock."""
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return int((at_s + (offset.total_seconds() if offset else 0)) * 1000)


def lines_spec(panel: Json) -> Json:
    """Lines or bars over time, with the target and marks."""
    shown = _columns(panel)
    is_bars = any(of.custom.get("drawStyle") == "bars" for of in shown)
    encoding: Json = {
        "y": _values(shown[0]),
        "color": _by_colour(shown, legend=panel["options"]["legend"]["showLegend"]),
        "tooltip": _tooltip(TIME, "s", "text"),
    }
    layers = (
        [_bars(shown, encoding, panel["interval"])]
        if is_bars
        else [_lines(shown, encoding), *_target(shown[0]), _marks()]
    )
    return {**_FRAME, "layer": layers, "resolve": {"scale": {"color": "independent"}}}


def _lines(shown: Sequence[Field], encoding: Json) -> Json:
    dashes = {of.title: [6, 4] if "lineStyle" in of.custom else [1, 0] for of in shown}
    mark = {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-path-domains", "point": {"size": 12}}
    return {
        "data": {"name": "rows"},
        "mark": mark,
        "encoding": {**encoding, "x": _time_axis(), "strokeDash": {**_by_series(dashes), "legend": None}},
    }


def _bars(shown: Sequence[Field], encoding: Json, interval: str) -> Json:
    """Bars side by side for each bucket, which is a month, a quarter, an hour."""
    x = {"field": TIME, "type": "ordinal", "title": None, "timeUnit": "utcyearmonthdatehours"}
    return {
        "data": {"name": "rows"},
        "mark": {"type": "bar", "width": {"band": 0.9}},
        "encoding": {
            **encoding,
            "x": {**x, "axis": {"labelOverlap": True, "format": _BUCKETS[interval]}},
            "xOffset": {"field": "s", "type": "nominal", "scale": {"domain": [of.title for of in shown]}},
        },
    }


def _values(of: Field) -> Json:
    y: Json = {"field": "v", "type": "quantitative", "title": None, "axis": _axis(of)}
    if of.low is None and of.high is None:
        return y
    return {**y, "scale": {"domainMin": of.low, "domainMax": of.high, "nice": True}}


def _by_colour(shown: Sequence[Field], *, legend: bool) -> Json:
    below = {"orient": "bottom", "title": None, "labelLimit": 0, "columns": {"expr": "width < 420 ? 1 : 3"}}
    named = {of.title: _colour(of, place) for place, of in enumerate(shown)}
    return {**_by_series(named), "legend": below if legend else None}


def _by_series(values: Mapping[str, Any]) -> Json:
    """Something that each series has of its own."""
    return {"field": "s", "type": "nominal", "scale": {"domain": list(values), "range": list(values.values())}}


def lines_rows(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """A row for each value of each series; one without a value breaks its line."""
    rows = []
    last: dict[str, str] = {}
    for answer in answers:
        at = answer.names.index(TIME)
        shown = fields(panel, answer.names)
        for place, of in enumerate(shown):
            if place == at:
                continue
            for row in answer.rows:
                text = writer.text(row[place], of)
                rows.append({TIME: _when(row[at], writer), "s": of.title, "v": row[place], "text": text})
                if row[place] is not None:
                    last[of.title] = text
    return {"rows": rows, "summary": _summary(last, writer.lang)}


def heat_spec(panel: Json) -> Json:
    """Days across, hours down, a colour for each."""
    of = _field(panel)
    return {
        **_FRAME,
        "data": {"name": "rows"},
        "mark": {"type": "rect", "stroke": None},
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": {"labelOverlap": True, "labelAngle": 0}},
            "y": {"field": "hour", "type": "ordinal", "title": None, "axis": {"labelOverlap": True}},
            "color": {
                "field": "v",
                "type": "quantitative",
                "scale": {"scheme": "blues"},
                "legend": {"title": None, "gradientLength": {"expr": "height"}, **_format(of)},
            },
            "tooltip": _tooltip("day", "hour", "text"),
        },
    }


def heat_rows(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """A row for each hour of each day that has a value."""
    (answer,) = answers
    of = _field(panel)
    at = answer.names.index(TIME)
    rows = [
        {"day": writer.time(row[at], "")[:10], "hour": name, "v": row[place], "text": writer.text(row[place], of)}
        for row in answer.rows
        for place, name in enumerate(answer.names)
        if place != at and row[place] is not None
    ]
    largest = max(rows, key=lambda row: float(row["v"]), default=None)
    said = Text("largest: {day} {hour}:00, {text}", "最高:{day} {hour}:00,{text}")
    return {"rows": rows, "summary": said.format(**largest).of(writer.lang) if largest else ""}


def timeline_spec(panel: Json) -> Json:  # noqa: ARG001  as all specifications are made
    """A bar over each day that has data, a line for each column."""
    return {
        **_FRAME,
        "data": {"name": "rows"},
        "mark": {"type": "rect", "color": MEANING[Tone.GOOD], "height": {"band": 0.6}},
        "encoding": {
            "x": _time_axis(),
            "x2": {"field": "until"},
            "y": {"field": "s", "type": "ordinal", "title": None},
            "tooltip": _tooltip("s", "text"),
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
            yield _when(begun, writer), _when(last, writer) + 24 * _HOUR * 1000, f"{first} … {end}"
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


def marks(answers: Sequence[Answer], writer: Writer) -> list[Json]:
    """The marks of annotations: where, and what they say."""
    return [
        {TIME: _when(row[answer.names.index(TIME)], writer), "text": row[answer.names.index("text")]}
        for answer in answers
        for row in answer.rows
    ]


def _when(value: Any, writer: Writer) -> int:
    return local_ms(float(value), writer.zone)


def _columns(panel: Json) -> list[Field]:
    """The series of a panel, as its overrides name them."""
    return fields(panel, [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]])


def _field(panel: Json) -> Field:
    (found,) = fields(panel, [""])
    return found


def _colour(of: Field, place: int) -> str:
    return MEANING[of.fixed] if of.fixed else LINES[place % len(LINES)]


def _time_axis() -> Json:
    return {
        "field": TIME,
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {
            "labelOverlap": True,
            "grid": False,
            "tickCount": {"expr": "max(2, width / 90)"},
            "format": dict.fromkeys(("milliseconds", "seconds"), "%H:%M:%S")
            | dict.fromkeys(("minutes", "hours"), "%H:%M")
            | dict.fromkeys(("day", "date", "week"), "%m-%d")
            | dict.fromkeys(("month", "quarter"), "%Y-%m")
            | {"year": "%Y"},
        },
    }


def _axis(of: Field) -> Json:
    return {"tickCount": {"expr": "max(2, height / 40)"}, **_format(of)}


def _format(of: Field) -> Json:
    """How an axis writes its numbers."""
    if of.unit == "percentunit":
        return {"labelExpr": f"format(datum.value * {SHARE_SCALE}, ',.3~g') + ' %'"}
    if of.unit.startswith("suffix:"):
        return {"labelExpr": f"format(datum.value, ',.6~g') + ' {of.unit.removeprefix('suffix:').strip()}'"}
    counts = {"tickMinStep": 1} if of.decimals == 0 else {}
    return {"format": ",.6~g", **counts}


def _tooltip(*names: str) -> list[Json]:
    return [
        {"field": name, "type": "temporal", "formatType": "utc", "format": "%Y-%m-%d %H:%M", "title": name}
        if name == TIME
        else {"field": name, "type": "nominal", "title": name}
        for name in names
    ]


def _target(of: Field) -> list[Json]:
    """The line of the target: the one bound between good and bad."""
    if of.custom.get("thresholdsStyle", {}).get("mode") != "dashed":
        return []
    values = [{"v": bound} for bound in of.bounds if bound]
    rule = {"type": "rule", "strokeDash": [2, 3], "color": QUIET, "strokeWidth": 1.5}
    return [{"data": {"values": values}, "mark": rule, "encoding": {"y": {"field": "v", "type": "quantitative"}}}]


def _marks() -> Json:
    return {
        "data": {"name": "marks"},
        "mark": {"type": "rule", "color": MEANING[Tone.WARN], "strokeDash": [4, 2], "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": TIME, "type": "temporal", "scale": {"type": "utc"}},
            "tooltip": _tooltip(TIME, "text"),
        },
    }


def _summary(last: Mapping[str, str], lang: Lang) -> str:
    """What a chart says to whoever cannot see it."""
    said = Text("newest: {text}", "最新:{text}")
    return said.format(text="; ".join(f"{name} {text}" for name, text in last.items())).of(lang) if last else ""
