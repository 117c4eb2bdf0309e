"""Trends: lines or bars over time, with the target and the marks of annotations."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dashboards.web import axes, marks
from dashboards.web.axes import TIME
from dashboards.web.colours import MEANING, QUIET
from dashboards.web.shown import Field, fields
from dashboards.words import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dashboards.web.shown import Writer
    from dashboards.web.store import Answer

Json = dict[str, Any]

POINTS_FEW_MAX = 60
"""So many values of a line are shown as points too, where a panel leaves it open."""
_BUCKET_MS = {"1m": axes.HOUR_MS // 60, "1h": axes.HOUR_MS, "1d": 28 * axes.DAY_MS}
"""How long a bucket of bars is, by the interval of its panel, until two of them tell: an hour, the shortest month."""
_BAR_PART = 0.9
"""What the bars of a bucket take of its time."""


def lines_spec(panel: Json) -> Json:
    """Lines or bars over time, with the target and marks."""
    shown = _columns(panel)
    drawn = _bars(shown, _legend(panel)) if _is_bars(shown) else _lines(shown, _legend(panel))
    layers = [drawn, _points(shown), *_target(shown[0]), marks.layer()]
    return {**axes.FRAME, "layer": layers, "resolve": {"scale": {"color": "independent"}}}


def _lines(shown: Sequence[Field], legend: Json | None) -> Json:
    dashes = {of.title: [6, 4] if "lineStyle" in of.custom else [1, 0] for of in shown}
    return {
        "data": axes.rows_of("rows"),
        "mark": {
            "type": "line",
            "strokeWidth": {"expr": "em / 6"},
            "strokeJoin": "bevel",  # a sharp corner at 0 would reach below it
            "invalid": "break-paths-show-path-domains",
        },
        "encoding": {
            "x": axes.time_axis(),
            "y": axes.values(shown[0]),
            "color": axes.by("s", _colours(shown), legend=legend),
            "strokeDash": axes.by("s", dashes),
        },
    }


def _bars(shown: Sequence[Field], legend: Json | None) -> Json:
    """Bars side by side over the time of each bucket, which is an hour or a month."""
    return {
        "data": axes.rows_of("rows"),
        "mark": {"type": "rect"},
        "encoding": {
            "x": axes.time_axis("since"),
            "x2": {"field": "until"},
            "y": axes.values(shown[0], from_zero=True),
            "y2": {"datum": 0},
            "color": axes.by("s", _colours(shown), legend=legend),
            "tooltip": axes.tooltip(TIME, "s", "text"),
        },
    }


def _points(shown: Sequence[Field]) -> Json:
    """A point for each value: those that are not to be seen tell their value all the same."""
    return {
        "data": axes.rows_of("rows"),
        "mark": {"type": "circle", "size": {"expr": "em * em / 10"}},
        "encoding": {
            "x": axes.instant("middle" if _is_bars(shown) else TIME),
            "y": axes.values(shown[0]),
            "color": axes.by("s", _colours(shown)),
            "opacity": {"condition": {"test": "datum.point", "value": 1}, "value": 0},
            "tooltip": axes.tooltip(TIME, "s", "text"),
        },
    }


def _target(of: Field) -> list[Json]:
    """The line of the target: the one bound between good and bad."""
    if of.custom.get("thresholdsStyle", {}).get("mode") != "dashed":
        return []
    values = [{"v": bound} for bound in of.bounds if bound]
    rule = {"type": "rule", "strokeDash": [2, 3], "color": QUIET, "strokeWidth": {"expr": "em / 8"}}
    return [{"data": {"values": values}, "mark": rule, "encoding": {"y": {"field": "v", "type": "quantitative"}}}]


def lines_rows(panel: Json, answers: Sequence[Answer], writer: Writer) -> Json:
    """A row for each value of each series; one without a value breaks its line."""
    rows: list[Json] = []
    last: dict[str, str] = {}
    for answer in answers:
        of_answer = list(_series(panel, answer, writer))
        for of, series in of_answer:
            texts = [row["text"] for row in series if row["v"] is not None]
            last |= {of.title: texts[-1]} if texts else {}
        if _is_bars([of for of, _ in of_answer]):
            _stand_side_by_side([series for _, series in of_answer], _BUCKET_MS[panel["interval"]])
        rows += [row for _, series in of_answer for row in series]
    return {"rows": rows, "summary": _summary(last, writer.lang)}


def _series(panel: Json, answer: Answer, writer: Writer) -> Iterator[tuple[Field, list[Json]]]:
    """Each series of an answer: its field, and its rows in the order of time."""
    at = answer.names.index(TIME)
    for place, of in enumerate(fields(panel, answer.names)):
        if place == at:
            continue
        seen = _seen(of, [row[place] is not None for row in answer.rows])
        yield (
            of,
            [
                {TIME: axes.when(row[at], writer), "s": of.title, "v": row[place], "text": writer.text(row[place], of)}
                | ({"point": True} if is_seen else {})
                for row, is_seen in zip(answer.rows, seen, strict=True)
            ],
        )


def _seen(of: Field, there: Sequence[bool]) -> list[bool]:
    """Which values of a series are to be seen as points, by `showPoints` as Grafana takes it."""
    wanted = of.custom.get("showPoints", "auto")
    if wanted == "always":
        return list(there)
    if of.custom.get("drawStyle") == "bars":
        return [False] * len(there)
    if sum(there) <= POINTS_FEW_MAX:
        return list(there)
    beside = zip([False, *there], there, [*there[1:], False], strict=False)
    return [is_there and not (before or after) for before, is_there, after in beside]


def _stand_side_by_side(series: Sequence[Sequence[Json]], bucket_ms: int) -> None:
    """Give each bar its part of the time of its bucket, all of them as wide as in the shortest one."""
    starts = sorted({row[TIME] for rows in series for row in rows})
    bucket = min((later - start for start, later in pairwise(starts)), default=bucket_ms)
    width = bucket * _BAR_PART / max(1, len(series))
    for place, rows in enumerate(series):
        for row in rows:
            since = row[TIME] + bucket * (1 - _BAR_PART) / 2 + place * width
            row |= {"since": int(since), "middle": int(since + width / 2), "until": int(since + width)}


def _is_bars(shown: Sequence[Field]) -> bool:
    return any(of.custom.get("drawStyle") == "bars" for of in shown)


def _columns(panel: Json) -> list[Field]:
    """The series of a panel, as its overrides name them."""
    return fields(panel, [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]])


def _colours(shown: Sequence[Field]) -> Mapping[str, str]:
    return {of.title: MEANING[of.fixed] if of.fixed else of.line for of in shown}


def _legend(panel: Json) -> Json | None:
    below = {"orient": "bottom", "title": None, "labelLimit": 0, "columns": {"expr": "width < em * 35 ? 1 : 3"}}
    return below if panel["options"]["legend"]["showLegend"] else None


def _summary(last: Mapping[str, str], lang: Lang) -> str:
    """What a chart says to whoever cannot see it."""
    said = Text("newest: {text}", "最新:{text}")
    return said.format(text="; ".join(f"{name} {text}" for name, text in last.items())).of(lang) if last else ""
