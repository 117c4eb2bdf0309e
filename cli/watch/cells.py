"""Single cells of the board: values with sign and colour, targets, and how wide things are."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cli.asking import Lang
from cli.figures import DECIMALS, NOTHING, figure
from cli.watch.freshness import Freshness
from hotline.catalogue import Better, Kpi, Unit
from hotline.current import Figure
from hotline.rounded import written

GOOD, BAD, GREY, STRONG, HEADING = "green", "bold red", "bright_black", "bold", "cyan"
WARNINGS = {Freshness.LATE: "bold black on yellow", Freshness.OLD: "bold white on red"}
TILE_LINES = 3


def value_cell(kpi: Kpi, found: Figure | None, lang: Lang) -> Text:
    """A value: ✓ and green where it meets its target, ✗ and red where not; a grey dash for none."""
    if found is None or found.value is None:
        return Text(NOTHING, GREY)
    text = _short(kpi, found.value, lang)
    if kpi.target is None:
        return Text(text)
    return Text(f"✓ {text}", GOOD) if kpi.meets_target(found.value) else Text(f"✗ {text}", BAD)


def target_cell(kpi: Kpi, lang: Lang) -> Text:
    """A target with its direction; empty without one."""
    if kpi.target is None:
        return Text("")
    sign = "≥" if kpi.better is Better.HIGHER else "≤"
    shown = _short(kpi, kpi.target, lang).replace(".00", "")
    return Text(f"{sign} {shown}", GREY)


def _short(kpi: Kpi, value: float, lang: Lang) -> str:
    """A value in its unit; days and working days without it, which their titles name."""
    bare = kpi.unit in {Unit.DAYS, Unit.WORKDAYS}
    return written(value, DECIMALS) if bare else figure(value, kpi.unit.label, lang)


def width_of(cells: Iterable[Text | str]) -> int:
    """Cells that the widest of them takes on the terminal; a Chinese character takes two."""
    return max((cell_len(str(cell)) for cell in cells), default=0)


_UNBROKEN = 10


def heading_width(title: str, least: int) -> int:
    """The width, `least` at least, in which a heading takes no more than two lines."""
    words = title.split()
    if len(words) == 1:
        whole = cell_len(title)
        half = -(-whole // 2)
        may_break = whole > max(len(title), _UNBROKEN)  # Chinese breaks anywhere; a short word is better whole
        return max(least, half + half % 2 if may_break else whole)
    splits = (max(cell_len(" ".join(words[:n])), cell_len(" ".join(words[n:]))) for n in range(1, len(words) + 1))
    return max(least, min(splits))


def gap_of(width: int) -> int:
    """Cells between columns on a terminal of that width."""
    return 4 if width >= 150 else 3 if width >= 110 else 2 if width >= 90 else 1


def plain_table(gap: int = 2) -> Table:
    """A table without lines."""
    return Table(
        box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style=HEADING, collapse_padding=True, expand=False
    )


def tiles(shown: Sequence[tuple[str, Text]], width: int) -> Text:
    """Boxes side by side, a title and a large value each; those at the end that do not fit are left out."""
    least = [max(cell_len(title), value.cell_len) + _FRAME for title, value in shown]
    kept = next((n for n in range(len(shown), 0, -1) if sum(least[:n]) <= width), 1)
    spare = max(0, width - sum(least[:kept]))
    lines = [Text(no_wrap=True, overflow="crop") for _ in range(TILE_LINES)]
    for place, (title, value) in enumerate(shown[:kept]):
        wide = least[place] + spare // kept + (place < spare % kept)
        for line, part in zip(lines, _tile(title, value, wide), strict=True):
            line.append_text(part)
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


_FRAME = 4
"""Cells of a box beside what is in it: its sides, and a blank at each."""


def _tile(title: str, value: Text, width: int) -> tuple[Text, Text, Text]:
    spare = width - _FRAME - cell_len(title)
    top = Text.assemble(
        ("╭" + "─" * (spare // 2), GREY), (f" {title} ", HEADING), ("─" * (spare - spare // 2) + "╮", GREY)
    )
    spare = width - 2 - value.cell_len
    middle = Text.assemble(("│" + " " * (spare // 2), GREY), value, (" " * (spare - spare // 2) + "│", GREY))
    return top, middle, Text("╰" + "─" * (width - 2) + "╯", GREY)
