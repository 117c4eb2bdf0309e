"""How a value is shown: its text by unit and decimals, its tone by thresholds."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dashboards import look
from dashboards.ages import age
from dashboards.words import NO_VALUE, Lang, Text
from hotline.rounded import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

Json = dict[str, Any]


class Tone(StrEnum):
    """What a colour says; pages choose the colour for it by their theme."""

    NONE = "none"
    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


_TONES = {
    "#8E8E8E": Tone.NONE,
    "#5794F2": Tone.PLAIN,
    "#3274D9": Tone.GOOD,
    "#F2CC0C": Tone.WARN,
    "#FF780A": Tone.BAD,
}
SIGNS = {Tone.GOOD: "✓", Tone.WARN: "!", Tone.BAD: "▼"}
"""No colour stands alone."""
SAID = {
    Tone.GOOD: Text("as good as the target or better", "达标"),
    Tone.WARN: Text("warning", "预警"),
    Tone.BAD: Text("not as good as it should be", "未达标"),
}
SHARE_SCALE = 100
TIME_UNIT = "time:"
TIME_TOKEN = re.compile(r"YYYY|MM|DD|HH|mm|ss|Q|\[([^\]]*)\]")
"""Parts of an instant that a pattern of Grafana's (moment's) may name here, `Q` for the quarter; a text as it is."""


def tone_of(color: str) -> Tone:
    """What a colour of the boards says. Raises KeyError for a colour that means nothing."""
    return _TONES[color]


@dataclass(frozen=True)
class Field:
    """How the values of one column are shown."""

    name: str = ""
    title: str = ""
    unit: str = look.NUMBERS
    decimals: int = 0
    bounds: Sequence[float] = ()
    tones: Sequence[Tone] = (Tone.NONE,)
    fixed: Tone | None = None
    line: str = ""
    """The colour of its line or bars, which says nothing but whose they are."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Texts that are shown instead of others."""
    coloured: bool = False
    """A text of a table that has its tone's colour."""
    links: Sequence[Json] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None

    @property
    def is_targeted(self) -> bool:
        """Whether thresholds tell good from bad."""
        return bool({Tone.GOOD, Tone.WARN, Tone.BAD} & set(self.tones))

    @property
    def is_hidden(self) -> bool:
        """Whether it is a column of a table that is only there for the links of others."""
        return bool(self.custom.get("hidden"))

    def tone(self, value: Any) -> Tone:
        """What the value's colour says."""
        if self.fixed:
            return self.fixed
        if not isinstance(value, int | float):
            return Tone.NONE
        return self.tones[bisect.bisect_right(self.bounds, value)]


def fields(panel: Json, names: Sequence[str]) -> list[Field]:
    """How the columns of an answer are shown in a panel."""
    config = panel["fieldConfig"]
    given = {each["matcher"]["options"]: each["properties"] for each in config["overrides"]}
    common = _with(Field(), config["defaults"])
    return [
        _with(
            replace(common, name=name, title=name),
            {one["id"]: one["value"] for one in given.get(name, ())},
        )
        for name in names
    ]


def _with(found: Field, given: Mapping[str, Any]) -> Field:
    """The field with what is given, in Grafana's words."""
    steps = given.get("thresholds", {}).get("steps")
    color = _fixed(given)
    custom = {**found.custom, **given.get("custom", {})}
    custom |= {key.removeprefix("custom."): value for key, value in given.items() if key.startswith("custom.")}
    return replace(
        found,
        title=given.get("displayName", found.title),
        unit=given.get("unit", found.unit),
        decimals=int(given.get("decimals", found.decimals)),
        bounds=[step["value"] for step in steps[1:]] if steps else found.bounds,
        tones=[tone_of(step["color"]) for step in steps] if steps else found.tones,
        fixed=tone_of(color) if color and color not in look.LINES else found.fixed,
        line=color if color in look.LINES else found.line,
        titles=_titles(given["mappings"]) if "mappings" in given else found.titles,
        coloured=found.coloured or custom.get("cellOptions", {}).get("type") == "color-text",
        links=given.get("links", found.links),
        custom=custom,
        low=given.get("min", found.low),
        high=given.get("max", found.high),
    )


def _fixed(given: Mapping[str, Any]) -> str:
    color = given.get("color", {})
    return str(color["fixedColor"]) if color.get("mode") == "fixed" else ""


def _titles(mappings: Sequence[Json]) -> dict[str, str]:
    return {value: shown["text"] for mapping in mappings for value, shown in mapping["options"].items()}


@dataclass(frozen=True)
class Writer:
    """Writes values in one language and zone."""

    lang: Lang
    zone: ZoneInfo

    def text(self, value: Any, of: Field, type_name: str = "") -> str:
        """The text of a value of a column of that ClickHouse type; a dash for none."""
        if value is None:
            return NO_VALUE
        if "Date" in type_name:
            return self.time(value, of.unit)
        if isinstance(value, str):
            return of.titles.get(value, value)
        return self.number(value, of)

    def number(self, value: float, of: Field) -> str:
        """A number with its unit."""
        if of.unit == look.AGE_UNIT:
            return age(value, self.lang)
        if of.unit == look.SHARES:
            return f"{written(value * SHARE_SCALE, of.decimals)} %"
        text = written(value, of.decimals)
        if of.unit == look.NUMBERS and of.decimals:
            return text.rstrip("0").rstrip(".")
        return f"{text} {look.suffix(of.unit)}".rstrip()

    def time(self, value: Any, unit: str) -> str:
        """An instant, from epoch seconds; a day as it is."""
        if isinstance(value, str) and not value.isdigit():
            return value
        at = datetime.fromtimestamp(int(value), self.zone)
        pattern = unit if unit.startswith(TIME_UNIT) else look.INSTANTS
        named = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
        parts = {"Q": f"{(at.month + 2) // 3}", **{name: at.strftime(code) for name, code in named.items()}}
        return TIME_TOKEN.sub(lambda found: found[1] or parts[found[0]], pattern.removeprefix(TIME_UNIT))
