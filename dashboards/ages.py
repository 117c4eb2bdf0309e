"""Spans of time in words: in the title of a panel, and as a value on the web board."""

from __future__ import annotations

from dashboards.words import Lang, Text

_WORDS = {86_400: Text("d", "天"), 3600: Text("h", "小时"), 60: Text("min", "分钟"), 1: Text("s", "秒")}


def age(seconds: float, lang: Lang) -> str:
    """A span of time by its two largest units that count anything."""
    parts: list[str] = []
    left = int(abs(seconds))
    for size, word in _WORDS.items():
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {word.of(lang)}")
    return " ".join(parts[:2])
