"""What all charts share: the hotline's clock, how an axis writes its values, and what is told of a point.

Instants go to the page as the hotline's local time, so that an axis shows its days whatever the zone of the browser.
Sizes are told in `em`, which the page sets to the height of its letters: on a wall lines are as thick as those ask.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboards import look
from dashboards.web.shown import SHARE_SCALE, Field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from dashboards.web.shown import Writer

Json = dict[str, Any]

TIME = "time"
FRAME: Json = {"width": "container", "height": "container", "autosize": {"type": "fit", "contains": "padding"}}
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def rows_of(name: str) -> Json:
    """The rows that the page gives a chart under a name, as they are.

    Read into dates, which they would be unless told otherwise, they are copied, and Vega keeps a place for each copy
    that there ever was: a wall would grow for as long as it hangs.
    """
    return {"name": name, "format": {"parse": None}}


def local_ms(at_s: float, zone: ZoneInfo) -> int:
    """An instant in epoch seconds, as the milliseconds at which UTC shows the same clock."""
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return int((at_s + (offset.total_seconds() if offset else 0)) * 1000)


def when(value: Any, writer: Writer) -> int:
    """An instant of an answer on the hotline's clock, in milliseconds."""
    return local_ms(float(value), writer.zone)


def instant(field: str) -> Json:
    """A place on the axis of time, by the field that holds it."""
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}}


def time_axis(field: str = TIME) -> Json:
    """The axis of time: hours, days or months, as many as there is room for."""
    return {
        **instant(field),
        "title": None,
        "axis": {
            "labelOverlap": True,
            "grid": False,
            "tickCount": {"expr": "max(2, width / (em * 7))"},
            "format": dict.fromkeys(("milliseconds", "seconds"), "%H:%M:%S")
            | dict.fromkeys(("minutes", "hours"), "%H:%M")
            | dict.fromkeys(("day", "date", "week"), "%m-%d")
            | dict.fromkeys(("month", "quarter"), "%Y-%m")
            | {"year": "%Y"},
        },
    }


def values(of: Field, *, from_zero: bool = False) -> Json:
    """The axis of a column's values, within the field's bounds where it has some."""
    scale: Json = {"zero": True} if from_zero else {}
    if of.low is not None or of.high is not None:
        scale |= {"domainMin": of.low, "domainMax": of.high, "nice": True}
    axis = {"tickCount": {"expr": "max(2, height / (em * 3))"}, **number_format(of)}
    return {"field": "v", "type": "quantitative", "title": None, "axis": axis, **({"scale": scale} if scale else {})}


def number_format(of: Field) -> Json:
    """How an axis or a legend writes its numbers."""
    if of.unit == look.SHARES:
        return {"labelExpr": f"format(datum.value * {SHARE_SCALE}, ',.3~g') + ' %'"}
    if look.suffix(of.unit):
        return {"labelExpr": f"format(datum.value, ',.6~g') + ' {look.suffix(of.unit)}'"}
    counts = {"tickMinStep": 1} if of.decimals == 0 else {}
    return {"format": ",.6~g", **counts}


def by(field: str, given: Mapping[str, Any], *, legend: Json | None = None) -> Json:
    """Something that each value of a field has of its own, such as a colour."""
    scale = {"domain": list(given), "range": list(given.values())}
    return {"field": field, "type": "nominal", "scale": scale, "legend": legend}


def tooltip(*names: str) -> Json:
    """What is told of what the pointer is on: the values of fields, the instant by the hotline's clock."""
    parts = [f"{name}: {_TOLD.get(name, f'datum.{name}')}" for name in names]
    return {"value": {"expr": f"{{{', '.join(parts)}}}"}}


_TOLD = {TIME: f"utcFormat(datum.{TIME}, '%Y-%m-%d %H:%M')"}
