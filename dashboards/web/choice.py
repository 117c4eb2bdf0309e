"""What the reader of a board chose, out of the address of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dashboards.macros import ALL_VALUE, Chosen
from dashboards.web import ranges
from dashboards.web.boards import seconds
from dashboards.web.errors import SaidError
from dashboards.words import Text

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from multidict import MultiMapping

    from dashboards.web.boards import Json, WebBoard

VALUES_MAX = 200
VALUE_BYTES_MAX = 200
"""What a name of a scope may have."""
POINTS_MAX = 1000
"""Buckets of a series."""
_STEPS_S = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")


def is_name(value: str, bytes_max: int = VALUE_BYTES_MAX) -> bool:
    """Whether a text can be the name of a scope."""
    return not _NO_TEXT.search(value) and len(value.encode("utf-8", "replace")) <= bytes_max


class ChoiceError(SaidError, ValueError):
    """A choice that the board does not have; the message names it and what there is."""


@dataclass(frozen=True)
class Choice:
    """A range as it was written, and the values of each variable; equal choices see the same board."""

    since: str
    until: str
    variables: tuple[tuple[str, tuple[str, ...]], ...]

    def at(self, now: datetime, zone: ZoneInfo, interval: str = "1m") -> Chosen:
        """What the macros of a panel stand for, at an instant. Raises RangeError."""
        found = ranges.read(self.since, self.until, now, zone)
        least = seconds(interval)
        step = max(least, (found.to_s - found.from_s) // POINTS_MAX)
        nice = next((each for each in _STEPS_S if each >= step), step)
        values = {name: list(chosen) if len(chosen) != 1 else chosen[0] for name, chosen in self.variables}
        return Chosen(from_s=found.from_s, to_s=found.to_s, interval_s=nice, variables=values)

    @property
    def is_moving(self) -> bool:
        """Whether it means something else later."""
        return ranges.is_moving(self.since, self.until)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a variable."""
        return dict(self.variables)[name]

    def range(self) -> str:
        """Its range as a part of an address."""
        return urlencode([("from", self.since), ("to", self.until)])

    def query(self) -> str:
        """The same choice as a part of an address."""
        chosen = urlencode([(f"var-{name}", value) for name, values in self.variables for value in values])
        return f"{self.range()}&{chosen}"


def read(board: WebBoard, asked: MultiMapping[str]) -> Choice:
    """Read a choice for a board; what is not said is as the board opens. Raises ChoiceError."""
    default = board.json["time"]
    chosen = tuple((variable["name"], _values(variable, asked)) for variable in board.json["templating"]["list"])
    return Choice(asked.get("from", default["from"])[:64], asked.get("to", default["to"])[:64], chosen)


def _values(variable: Json, asked: MultiMapping[str]) -> tuple[str, ...]:
    name = variable["name"]
    if variable["type"] == "constant":
        return ("",)
    given = tuple(dict.fromkeys(asked.getall(f"var-{name}", ()))) or _opening(variable)
    if variable["type"] == "custom":
        known = [option["value"] for option in variable["options"]]
        if len(given) != 1 or given[0] not in known:
            found, there = repr(", ".join(given)[:80]), ", ".join(known)
            raise ChoiceError(
                Text(f"{name} is {found}: choose one of {there}", f"{name}不能是{found}:请从{there}中选择")
            )
        return given
    if len(given) > VALUES_MAX:
        raise ChoiceError(too_many(len(given), name))
    for value in given:
        if not is_name(value):
            raise ChoiceError(
                Text(
                    f"{value[:40]!r} cannot be a {name}: names have at most {VALUE_BYTES_MAX} bytes",
                    f"{value[:40]!r}不能是{name}的名称:名称最多{VALUE_BYTES_MAX}字节",
                )
            )
    return (ALL_VALUE,) if ALL_VALUE in given else given


def too_many(values: int, name: str) -> Text:
    """Say that more names were chosen than a question may have."""
    return Text(
        f"{values} values of {name}: choose at most {VALUES_MAX}, or all",
        f"{name}选了{values}个值:最多选{VALUES_MAX}个,或选全部",
    )


def _opening(variable: Json) -> tuple[str, ...]:
    value = variable["current"]["value"]
    return tuple(value) if isinstance(value, list) else (value,)
