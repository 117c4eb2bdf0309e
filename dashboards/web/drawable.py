"""What the web board can draw: kinds of panels, and for each option the values that it knows.

A board that asks for anything else is refused when it is generated, so that Grafana and the web board show the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dashboards import look
from dashboards.web.shown import TIME_TOKEN, TIME_UNIT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Json = dict[str, Any]

ANY: Collection[Any] = ()
"""Any value: it is shown, or it changes nothing that can be seen."""
_UNIT = re.compile(rf"percentunit|locale|dtdhms|string|suffix:.+|{TIME_UNIT}({TIME_TOKEN.pattern}|[^A-Za-z])+")
_UNITS = "percentunit, locale, dtdhms, string, suffix:…, time:… of YYYY, MM, DD, HH, mm, ss, Q and [texts]"

_FIELD: dict[str, Collection[Any]] = {
    "unit": ANY,
    "decimals": ANY,
    "min": ANY,
    "max": ANY,
    "noValue": ANY,
    "displayName": ANY,
    "thresholds.mode": ("absolute",),
    "thresholds.steps.value": ANY,
    "thresholds.steps.color": ANY,
    "color.mode": ("thresholds", "fixed"),
    "color.fixedColor": (look.NO_DATA, *look.LINES),
    "links.title": ANY,
    "links.url": ANY,
    "links.targetBlank": (False,),
}
_REDUCED: dict[str, Collection[Any]] = {
    "reduceOptions.calcs": ("lastNotNull",),
    "reduceOptions.values": (True, False),
    "reduceOptions.limit": ANY,
    "orientation": ("auto", "horizontal"),
}
_LEGEND: dict[str, Collection[Any]] = {
    "legend.showLegend": (True, False),
    "legend.displayMode": ("list",),
    "legend.placement": ("bottom",),
    "tooltip.mode": ("single", "multi"),
    "tooltip.sort": ("asc",),
}

_HIDDEN: dict[str, Collection[Any]] = {"hidden": (True,), "hideFrom.viz": (True,)}
"""A column that is there for the links of others: its name up to Grafana 12.1, and from 12.2 on."""

OPTIONS: dict[str, dict[str, Collection[Any]]] = {
    "stat": _REDUCED
    | {
        "graphMode": ("none",),
        "colorMode": ("background_solid", "value"),
        "textMode": ("value", "value_and_name"),
        "justifyMode": ("auto", "center"),
        "percentChangeColorMode": ("standard",),
        "showPercentChange": (False,),
        "wideLayout": (True,),
    },
    "bargauge": _REDUCED
    | _LEGEND
    | {
        "displayMode": ("basic",),
        "valueMode": ("text",),
        "namePlacement": ("auto",),
        "showUnfilled": (True,),
        "sizing": ("auto",),
        "minVizWidth": ANY,
        "minVizHeight": ANY,
        "maxVizHeight": ANY,
    },
    "timeseries": _LEGEND,
    "table": {
        "cellHeight": ("sm", "md"),
        "frameIndex": (0,),
        "showHeader": (True,),
        "showTypeIcons": (False,),
        "footer.show": (False,),
        "footer.countRows": (False,),
    },
    "state-timeline": _LEGEND
    | {
        "showValue": ("never",),
        "mergeValues": (True,),
        "alignValue": ("left",),
        "rowHeight": ANY,
        "perPage": ANY,
    },
    "heatmap": _LEGEND
    | {
        "calculate": (False,),
        "color.mode": ("scheme",),
        "color.scheme": ("Blues",),
        "color.steps": ANY,
        "color.reverse": (False,),
        "color.fill": ("",),
        "color.exponent": (0,),
        "cellGap": ANY,
        "cellValues.unit": ANY,
        "cellValues.decimals": ANY,
        "legend.show": (True,),
        "exemplars.color": ANY,
        "filterValues.le": (look.BELOW_ALL,),
        "selectionMode": ANY,
        "showValue": ("auto",),
    },
    "text": {"mode": ("markdown",), "content": ANY},
}
"""Kind of panel → option → values."""
CUSTOM: dict[str, dict[str, Collection[Any]]] = {
    "timeseries": {
        "drawStyle": ("line", "bars"),
        "lineWidth": (2,),
        "fillOpacity": ANY,
        "showPoints": ("auto", "always"),
        "spanNulls": (False,),
        "thresholdsStyle.mode": ("off", "dashed"),
        "lineStyle.fill": ("dash",),
        "lineStyle.dash": ANY,
    },
    "table": {"align": ("auto",), "inspect": (False,), "cellOptions.type": ("color-text",), **_HIDDEN},
    "state-timeline": {"lineWidth": (0,), "fillOpacity": ANY},
}
"""Kind of panel → option of a field that only this kind has → values."""


def undrawable(panel: Json) -> Iterator[str]:
    """Say what the web board cannot draw of a panel."""
    kind = panel["type"]
    if kind not in OPTIONS:
        yield f"kind {kind!r}: the web board draws {', '.join(OPTIONS)}"
        return
    yield from _refused("option", panel.get("options", {}), OPTIONS[kind])
    config = panel.get("fieldConfig", {})
    known = _FIELD | {f"custom.{name}": values for name, values in CUSTOM.get(kind, {}).items()}
    yield from _field(config.get("defaults", {}), known)
    for override in config.get("overrides", ()):
        if override["matcher"]["id"] != "byName":
            yield f"override by {override['matcher']['id']!r}: the web board knows byName"
        for given in override["properties"]:
            yield from _field(_nested(given["id"], given["value"]), known)


def _field(given: Json, known: Mapping[str, Collection[Any]]) -> Iterator[str]:
    plain = {name: value for name, value in given.items() if name != "mappings"}
    yield from _refused("field option", plain, known)
    for mapping in given.get("mappings", ()):
        yield from _refused("mapping", {"type": mapping.get("type")}, {"type": ("value",)})
        for text in mapping.get("options", {}).values():
            yield from _refused("mapping option", text, {"text": ANY, "index": ANY})
    if "unit" in given and not _UNIT.fullmatch(given["unit"]):
        yield f"unit {given['unit']!r}: the web board writes {_UNITS}"


def _refused(what: str, given: Json, known: Mapping[str, Collection[Any]]) -> Iterator[str]:
    for name, value in _flat(given):
        if name not in known:
            yield f"{what} {name}: the web board does not know it"
        elif known[name] is not ANY and value not in known[name]:
            yield f"{what} {name} = {value!r}: the web board draws {', '.join(map(repr, known[name]))}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value, under the names that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, path)
    else:
        yield path, value


def _nested(path: str, value: Any) -> Json:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, value) if rest else value}
