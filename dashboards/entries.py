"""What stands on a board: entries with a key, a width and a function that makes the panel in one language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from dashboards import spans
from dashboards.words import Lang, Text, window_title
from hotline.catalogue import ALL
from hotline.windows import NOW, WINDOWS

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.spans import Span

GRID_WIDTH = 24
IDS = 1_000_000


WEB = "http://127.0.0.1:8312"
"""Where the web board is, unless settings say otherwise."""


class Edition(NamedTuple):
    """What boards are made for: a language, the zone of the hotline's days, and the address of its web board."""

    lang: Lang
    zone: str
    web: str = WEB

    def uid(self, name: str) -> str:
        """The uid of a board in this edition."""
        return f"hotline-{name}" + ("-zh" if self.lang is Lang.ZH else "")


class Scopes(NamedTuple):
    """Whose sums a panel adds up: all scopes of a kind, or those that a variable of that name chose."""

    kind: str = ALL
    chosen: str = ""


CITY = Scopes()
LINES, DISTRICTS, DEPARTMENTS = (Scopes(kind, chosen=kind) for kind in ("line", "district", "department"))
OPERATOR_GROUPS = Scopes("operator_group")


@dataclass(frozen=True)
class Over:
    """What a number counts over, and how the title says so."""

    title: Text
    span: Callable[[str], Span]


def _over_window(name: str) -> Over:
    (found,) = (window for window in WINDOWS if window.name == name)
    return Over(window_title(found), lambda zone: spans.window(name, zone))


OVER: dict[str, Over] = {
    **{window.name: _over_window(window.name) for window in WINDOWS},
    NOW: Over(Text("now", "当前"), lambda zone: spans.window(WINDOWS[0].name, zone)),
    "window": Over(Text("chosen window", "所选时段"), spans.chosen_window),
    "range": Over(Text("chosen range", "所选时间范围"), spans.period),
}
"""The windows by name; `now` for stocks; the window or the range that the reader chose."""


@dataclass(frozen=True)
class Entry:
    """One panel of a board. `key` names it for good: its id is made of it."""

    key: str
    make: Callable[[Edition], Panel]
    width: int = 0
    """Of 24; 0 for an equal share of what is left of its row."""

    def wide(self, width: int) -> Entry:
        """Give it with a width."""
        return replace(self, width=width)

    @property
    def id(self) -> int:
        """The panel's id, which stays when panels are moved: links, alerts and pictures name it."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") % IDS + 1


@dataclass(frozen=True)
class Row:
    """Entries side by side, all of one height in units of the grid."""

    height: int
    entries: tuple[Entry, ...]

    def widths(self) -> list[int]:
        """The width of each entry; together they are the grid's. Raises ValueError when they cannot be."""
        free = sum(entry.width == 0 for entry in self.entries)
        left = GRID_WIDTH - sum(entry.width for entry in self.entries)
        if (free and left % free) or (not free and left) or left < 0:
            keys = [entry.key for entry in self.entries]
            raise ValueError(f"{keys} do not fill a row of {GRID_WIDTH}: {left} is left for {free} of them")
        return [entry.width or left // free for entry in self.entries]


def row(height: int, *entries: Entry) -> Row:
    """Entries side by side."""
    return Row(height, entries)
