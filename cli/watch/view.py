"""What the board is set to show, and what a key changes of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cli.asking import Lang
from cli.watch.contents import SCREENS, SPLIT_KEYS, ScreenName, kinds_of
from cli.watch.keys import Key


class Order(StrEnum):
    """How the rows by line, district … are sorted."""

    VOLUME = "volume"
    WORST = "worst"


ROW_WINDOWS = ("5min", "30min", "1h", "today", "7d")


@dataclass(frozen=True)
class View:
    """The settings of the board. `split` is a scope kind, None for no rows; `top` is the first row that is shown."""

    screen: ScreenName = ScreenName.CALLS
    split: str | None = None
    lang: Lang = Lang.EN
    order: Order = Order.VOLUME
    window: str = "today"
    top: int = 0
    scoped: bool = False
    """The board is about one scope: it has no rows."""

    @property
    def shown_split(self) -> str | None:
        """The kind of the rows that this screen can show."""
        return self.split if self.screen in SCREENS and not self.scoped else None

    def pressed(self, key: str, *, rows: int, page: int) -> "View":
        """The view after a key; `rows` there are, of which `page` fit."""
        if key in "1234" and len(key) == 1:
            return self._on(list(ScreenName)[int(key) - 1])
        if key in {Key.LEFT, Key.RIGHT}:
            names = list(ScreenName)
            step = 1 if key == Key.RIGHT else -1
            return self._on(names[(names.index(self.screen) + step) % len(names)])
        if key in _SCROLLS:
            return replace(self, top=self._scrolled(key, rows, page))
        return self._set(key)

    def _on(self, screen: ScreenName) -> "View":
        split = self.split if screen not in SCREENS or self.split in kinds_of(screen) else None
        return replace(self, screen=screen, split=split, top=0)

    def _set(self, key: str) -> "View":
        changes: dict[str, Any] = {}
        if key == "z":
            changes = {"lang": Lang.EN if self.lang is Lang.ZH else Lang.ZH}
        elif self.screen not in SCREENS or self.scoped:
            pass
        elif key in SPLIT_KEYS:
            changes = {"split": SCREENS[self.screen].splits[SPLIT_KEYS.index(key)], "top": 0}
        elif key == "a":
            changes = {"split": None, "top": 0}
        elif key == "s":
            changes = {"order": Order.WORST if self.order is Order.VOLUME else Order.VOLUME, "top": 0}
        elif key == "w":
            changes = {"window": ROW_WINDOWS[(ROW_WINDOWS.index(self.window) + 1) % len(ROW_WINDOWS)]}
        return replace(self, **changes)

    def _scrolled(self, key: str, rows: int, page: int) -> int:
        last = max(0, rows - page)
        wanted = {
            Key.UP: self.top - 1,
            Key.DOWN: self.top + 1,
            Key.PAGE_UP: self.top - page,
            Key.PAGE_DOWN: self.top + page,
            Key.HOME: 0,
            Key.END: last,
        }[Key(key)]
        return max(0, min(wanted, last))


_SCROLLS = frozenset({Key.UP, Key.DOWN, Key.PAGE_UP, Key.PAGE_DOWN, Key.HOME, Key.END})
