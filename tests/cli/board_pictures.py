"""Boards as pictures: SVG in which every run of characters stands at its own cell, whatever the fonts.

`python -m tests.cli.board_pictures` writes docs/board.svg; with a folder, all screens in all sizes and languages there.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from cli.asking import Lang
from cli.watch.board import board
from cli.watch.contents import ScreenName
from cli.watch.view import View
from tests.cli.board_scenes import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.segment import Segment

ROOT = Path(__file__).parents[2]
README_PICTURE = ROOT / "docs" / "board.svg"
SIZES = ((80, 24), (200, 50))
CELL, LINE, FONT = 8.4, 18, 14
FONTS = "'DejaVu Sans Mono','Noto Sans Mono CJK SC','Noto Sans CJK SC',Menlo,Consolas,monospace"
THEME = TerminalTheme(
    (24, 26, 31),
    (220, 223, 228),
    [
        (24, 26, 31),
        (255, 107, 107),
        (120, 200, 120),
        (229, 192, 100),
        (97, 165, 240),
        (198, 120, 221),
        (86, 182, 194),
        (200, 204, 212),
    ],
    [
        (140, 146, 158),
        (255, 107, 107),
        (120, 200, 120),
        (229, 192, 100),
        (97, 165, 240),
        (198, 120, 221),
        (86, 182, 194),
        (255, 255, 255),
    ],
)


def lines(what: RenderableType, width: int, height: int) -> list[list[Segment]]:
    """The lines of a board as a terminal of that size shows them."""
    console = Console(
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        _environ={},
        emoji=False,
        highlight=False,
    )
    return console.render_lines(what, console.options.update(width=width, height=None), pad=False)


def picture(what: RenderableType, width: int, height: int) -> str:
    """The SVG of a board."""
    wide, high = round(width * CELL + 20, 1), height * LINE + 20
    body = [f'<rect width="{wide}" height="{high}" rx="8" fill="{_hex(THEME.background_color)}"/>']
    for row, segments in enumerate(lines(what, width, height)[:height]):
        column = 0
        for segment in segments:
            body += _drawn(segment, column, row)
            column += cell_len(segment.text)
    style = f"text{{font:{FONT}px {FONTS};white-space:pre}}.b{{font-weight:bold}}"
    style += f".w{{letter-spacing:{2 * CELL - FONT:.1f}px}}"  # a wide character takes two cells
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">\n'
        f"<style>{style}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _drawn(segment: Segment, column: int, row: int) -> Iterator[str]:
    style = segment.style or Style()
    fore, back = _colours(style)
    width = cell_len(segment.text)
    x, y = 10 + column * CELL, 10 + row * LINE
    if back:
        yield f'<rect x="{x:.1f}" y="{y}" width="{width * CELL:.1f}" height="{LINE}" fill="{back}"/>'
    for run, at in _runs(segment.text):
        named = " ".join(name for name, given in (("b", style.bold), ("w", cell_len(run) > len(run))) if given)
        kind = f' class="{named}"' if named else ""
        yield f'<text x="{x + at * CELL:.1f}" y="{y + 13.5}" fill="{fore}"{kind}>{escape(run)}</text>'


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """Runs of characters of one width, without the spaces around them, and the cell of each."""
    run, at, column = "", 0, 0
    for char in text:
        wide = cell_len(char)
        if run and (char == " " or cell_len(run[-1]) != wide):
            yield run, at
            run = ""
        if char != " ":
            at = at if run else column
            run += char
        column += wide
    if run:
        yield run, at


def _colours(style: Style) -> tuple[str, str | None]:
    fore = style.color.get_truecolor(THEME) if style.color and not style.color.is_default else THEME.foreground_color
    back = (
        style.bgcolor.get_truecolor(THEME, foreground=False) if style.bgcolor and not style.bgcolor.is_default else None
    )
    if style.reverse:
        return _hex(back or THEME.background_color), _hex(fore)
    return _hex(fore), _hex(back) if back else None


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def views() -> Iterator[tuple[str, View]]:
    """Every screen, with and without rows, in both languages."""
    for lang in Lang:
        for screen in ScreenName:
            yield f"{screen}-{lang}", View(screen=screen, lang=lang)
        for screen, split in (
            (ScreenName.CALLS, "district"),
            (ScreenName.TICKETS, "department"),
            (ScreenName.SURVEYS, "line"),
        ):
            yield f"{screen}-{split}-{lang}", View(screen=screen, split=split, lang=lang)


def readme_picture() -> str:
    """The picture in the README."""
    view = View(screen=ScreenName.CALLS, split="district", lang=Lang.EN)
    return picture(board(scene(), view, 110, 30), 110, 30)


def main(arguments: list[str]) -> None:
    """Write the picture of the README, or all pictures into a folder."""
    if not arguments:
        README_PICTURE.write_text(readme_picture(), encoding="utf-8")
        return
    for name, view in views():
        for width, height in SIZES:
            file = Path(arguments[0]) / f"{name}-{width}x{height}.svg"
            file.write_text(picture(board(scene(), view, width, height), width, height), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
