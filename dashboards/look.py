"""How values look: units, decimals, colours and thresholds, all of them from what a KPI declares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.dashboard import (
    FieldColor,
    FieldColorModeId,
    FieldConfig,
    Threshold,
    ThresholdsConfig,
)

from dashboards.ages import age
from dashboards.words import NO_VALUE, Lang, Text, kpi_title
from hotline.buckets import By
from hotline.catalogue import Better, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotline.catalogue import Kpi

NO_DATA = "#8E8E8E"
"""Grey: no value. The base of all thresholds, so that an error or an empty answer never looks good or bad."""
PLAIN = "#5794F2"
"""Blue, light: a number that nobody set a target for."""
GOOD = "#3274D9"
"""Blue: as good as the target, or better. Blue and orange are told apart by all; the target stands in the title too."""
WARN = "#F2CC0C"
BAD = "#FF780A"

LINES = (PLAIN, "#B877D9", "#1F9E89", "#7A7A3A", "#C2408D", "#6B8299")
"""Of lines and bars; told apart on light and dark ground and by most kinds of sight. None of them says good, late or
bad: those colours have that meaning everywhere."""
_LINES_OF = {
    "calls_answered": LINES[2],
    "calls_abandoned": LINES[1],
    "calls_talking": LINES[1],
    "tickets_dispatched": LINES[1],
    "tickets_handled": LINES[2],
    "tickets_overdue": LINES[4],
    "surveys_rated": LINES[1],
}
"""By KPI, of those that stand beside another one; all others have the first."""
BELOW_ALL = -1
"""Heat maps hide cells up to it: Grafana, not told, those of 0 as well, which would look like gaps."""
SHARES = "percentunit"
SUFFIX = "suffix:"
"""Begins a unit that stands behind its number, where Grafana sets a space before it."""
NUMBERS = "locale"
"""Bare numbers, of whose places Grafana shows as many as say something."""
COUNTS = Text(NUMBERS, NUMBERS)
SECONDS = Text("suffix:s", "suffix:秒")
_UNITS: dict[Unit, tuple[Text, int]] = {
    Unit.SHARE: (Text(SHARES, SHARES), 1),
    Unit.COUNT: (COUNTS, 0),
    Unit.SECONDS: (SECONDS, 1),
    Unit.DAYS: (Text("suffix:days", "suffix:天"), 1),
    Unit.WORKDAYS: (Text("suffix:working days", "suffix:个工作日"), 1),
}
BUCKETS = {
    By.MONTH: Text("time:YYYY-MM", "time:YYYY-MM"),
    By.QUARTER: Text("time:YYYY [Q]Q", "time:YYYY年Q季度"),
    By.YEAR: Text("time:YYYY", "time:YYYY"),
}
"""Local months, quarters and years, by where they begin."""
INSTANTS = "time:YYYY-MM-DD HH:mm:ss"
"""Of instants in tables: without one Grafana adds milliseconds where the first and the last are near each other."""
TEXT_UNIT = "string"
"""Of texts: with another one Grafana would write those that are digits as numbers, `12,345`, in links as well."""
AGE_UNIT = "dtdhms"
"""Days, hours, minutes and seconds of a span in seconds."""


def unit(of: Unit, lang: Lang) -> str:
    """Grafana's name of a unit."""
    return _UNITS[of][0].of(lang)


def suffix(unit_name: str) -> str:
    """What stands behind a number of that unit, after a space; nothing behind a bare number."""
    return unit_name.removeprefix(SUFFIX) if unit_name.startswith(SUFFIX) else ""


def decimals(of: Unit) -> int:
    """Places after the point."""
    return _UNITS[of][1]


def target(kpi: Kpi) -> Text:
    """Write a KPI's target with its direction and unit, or nothing."""
    if kpi.target is None:
        return Text("", "")
    sign = "≥" if kpi.better is Better.HIGHER else "≤"
    if kpi.unit is Unit.SHARE:
        return Text(*[f"{sign} {kpi.target * 100:g} %"] * 2)
    return Text(*(f"{sign} {kpi.target:g} {suffix(unit(kpi.unit, lang))}" for lang in Lang))


def with_target(kpi: Kpi) -> Text:
    """Name a KPI with its target: no colour has to tell whether it is met."""
    name = kpi_title(kpi)
    return Text(*(f"{name.of(lang)} {target(kpi).of(lang)}".rstrip() for lang in Lang))


def with_limit(title: Text, thresholds: Sequence[Threshold], unit_name: str) -> Text:
    """Name a number that is no KPI with the first value that is not good, for the same reason."""
    limits = [step.value for step in thresholds if step.color in {WARN, BAD} and step.value is not None]
    if not limits:
        return title
    return Text("{title} < {limit}", "{title} < {limit}").format(title=title, limit=_limit(min(limits), unit_name))


def _limit(value: float, unit_name: str) -> Text:
    if unit_name != AGE_UNIT:
        return Text(*[f"{value:,g}"] * 2)
    return Text(*(age(value, lang) for lang in Lang))


def steps(kpi: Kpi) -> list[Threshold]:
    """Grey for no value, then the colours of a KPI's values by its target."""
    if kpi.target is None:
        return bounds((0.0, PLAIN))
    if kpi.better is Better.HIGHER:
        return bounds((0.0, BAD), (kpi.target, GOOD))
    return bounds((0.0, GOOD), (math.nextafter(kpi.target, math.inf), BAD))  # a step counts from its value on


def line(kpi: Kpi) -> str:
    """The colour of a KPI's line or bars, the same on every board and in every language."""
    return _LINES_OF.get(kpi.name, LINES[0])


def fixed(colour: str) -> dict[str, str]:
    """Say that something has that colour whatever its value and name."""
    return {"mode": FieldColorModeId.FIXED, "fixedColor": colour}


def bounds(*colours: tuple[float, str]) -> list[Threshold]:
    """Thresholds over the grey of no value, each from its value on."""
    return [Threshold(value=None, color=NO_DATA), *(Threshold(value=value, color=colour) for value, colour in colours)]


def field(unit_name: str, places: int, thresholds: list[Threshold]) -> FieldConfig:
    """How a number is shown, with a dash for none."""
    return FieldConfig(
        unit=unit_name,
        decimals=places,
        thresholds=ThresholdsConfig(steps=thresholds),
        color=FieldColor(mode=FieldColorModeId.THRESHOLDS),
        no_value=NO_VALUE,
    )


def from_zero(found: FieldConfig) -> FieldConfig:
    """The same with bars that begin at 0: Grafana's begin at the smallest value that it is given."""
    found.min_val = 0.0
    return found


def kpi_field(kpi: Kpi, lang: Lang) -> FieldConfig:
    """How the values of a KPI are shown."""
    found = field(unit(kpi.unit, lang), decimals(kpi.unit), steps(kpi))
    if kpi.unit is Unit.SHARE:
        found.min_val, found.max_val = 0.0, 1.0
    return found
