"""Two languages: what boards say besides the names that the catalogue and the windows bring along."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from hotline.catalogue import SCOPE_NAMES
from hotline.events import CHINESE

if TYPE_CHECKING:
    from hotline.catalogue import Kpi
    from hotline.windows import Window


class Lang(StrEnum):
    """The languages that boards are made in."""

    EN = "en"
    ZH = "zh"


class Text(NamedTuple):
    """A text in both languages."""

    en: str
    zh: str

    def of(self, lang: Lang) -> str:
        """The text in one language."""
        return self.zh if lang is Lang.ZH else self.en

    def format(self, **parts: Text | str | float) -> Text:
        """Both texts with their places filled."""
        return Text(*(self.of(lang).format(**_in(parts, lang)) for lang in Lang))


def _in(parts: dict[str, Text | str | float], lang: Lang) -> dict[str, str | float]:
    return {name: part.of(lang) if isinstance(part, Text) else part for name, part in parts.items()}


NO_VALUE = "—"
UNNAMED = "∅"
"""What stands for the scope "", which was stated without a name: an empty choice of a variable would mean all."""


def kpi_title(kpi: Kpi) -> Text:
    """Name a KPI."""
    return Text(kpi.title, kpi.name_zh)


def kpi_formula(kpi: Kpi) -> Text:
    """Say how a KPI is made."""
    return Text(kpi.formula, kpi.formula_zh)


def window_title(window: Window) -> Text:
    """Name a window."""
    return Text(window.title, window.title_zh)


def kind_title(kind: str) -> Text:
    """Name a kind of scope within a sentence."""
    return Text(*SCOPE_NAMES[kind])


def kind_label(kind: str) -> Text:
    """Name a kind of scope where it stands alone."""
    title = kind_title(kind)
    return Text(title.en.capitalize(), title.zh)


def scope_title(kind: str, name: str, lang: Lang) -> str:
    """Show the name of a scope: words of a closed vocabulary in the reader's language, all else as it was stated."""
    return closed_words(kind, lang).get(name, name) or UNNAMED


def scope_titled(kind: str, title: str) -> str:
    """Find the name of the scope that is shown by such a title in any language."""
    return next((name for name, shown in CHINESE.get(kind, {}).items() if shown == title), title)


def closed_words(kind: str, lang: Lang) -> dict[str, str]:
    """What the names of a kind are in a language, where they are not themselves."""
    return CHINESE.get(kind, {}) if lang is Lang.ZH else {}
