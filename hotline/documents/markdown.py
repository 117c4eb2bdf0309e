"""The little Markdown that generated pages need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by `python -m hotline.documents`; edit the code that it is made from. -->"


def page(title: str, *parts: str) -> str:
    """Lay out a whole page."""
    return "\n\n".join([NOTE, f"# {title}", *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; bars inside cells are escaped."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Text as code, nothing for nothing."""
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Several pieces of code in a row."""
    return ", ".join(code(text) for text in texts)
