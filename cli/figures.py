"""Figures as people read them: percent, seconds and days with their units, a dash for no value, targets with a sign."""

import io
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cli.asking import Lang
from cli.output import print_data
from hotline.rounded import rounded, written

if TYPE_CHECKING:
    from rich.table import Table

    from hotline.catalogue import Kpi
    from hotline.queries.question import Scope

NOTHING = "—"
DECIMALS = 2
_UNITS = {
    Lang.EN: {"seconds": " s", "days": " d", "working days": " working days", "count": ""},
    Lang.ZH: {"seconds": " 秒", "days": " 天", "working days": " 个工作日", "count": ""},
}
_HEADINGS_ZH = {
    "KPI": "指标",
    "from": "起",
    "to": "止",
    "scope": "范围",
    "value": "数值",
    "target": "目标",
    "numerator": "分子",
    "denominator": "分母",
    "name": "名称",
    "unit": "单位",
    "kept by": "可分",
    "formula": "公式",
    "period": "期间",
    "came": "进入",
    "left": "离开",
    "rows": "明细",
    "page": "页",
}


def heading(text: str, lang: Lang) -> str:
    """Give a heading in that language."""
    return _HEADINGS_ZH.get(text, text) if lang is Lang.ZH else text


def name_of(kpi: "Kpi", lang: Lang) -> str:
    """Give a KPI's name for people."""
    return kpi.name_zh if lang is Lang.ZH else kpi.title


def formula_of(kpi: "Kpi", lang: Lang) -> str:
    """Give its formula in words."""
    return kpi.formula_zh if lang is Lang.ZH else kpi.formula


def figure(value: float | None, unit: str, lang: Lang) -> str:
    """Show a value in its unit; whole numbers stay whole, and no value is a dash, never 0."""
    if value is None:
        return NOTHING
    if unit == "share":
        return f"{rounded(value * 100, DECIMALS):.{DECIMALS}f}%"
    number = f"{value:,}" if isinstance(value, int) else written(value, DECIMALS)
    return number + _UNITS[lang][unit]


def target_of(kpi: "Kpi", value: float | None, lang: Lang) -> str:
    """Show a target and whether it is met, by a sign that needs no colour; nothing without a target."""
    from hotline.catalogue import Better

    if kpi.target is None:
        return ""
    bound = f"{'≥' if kpi.better is Better.HIGHER else '≤'} {figure(kpi.target, kpi.unit.label, lang)}"
    return bound if value is None else f"{'✓' if kpi.meets_target(value) else '✗'} {bound}"


def when(instant: datetime) -> str:
    """Show a local time, a midnight as its day."""
    midnight = (instant.hour, instant.minute, instant.second) == (0, 0, 0)
    text = f"{instant:%Y-%m-%d}" if midnight else f"{instant:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return text if not instant.fold else f"{text} {instant:%z}"  # the second pass of a repeated hour


def scope_text(scope: "Scope | None") -> str:
    """Show a scope as it is asked for."""
    return f"{scope.kind}={scope.value}" if scope else ""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> "Table":
    """Lay out rows in columns, without headings where there are none; `right` numbers those aligned to the right."""
    from rich.table import Table

    found = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(headings))
    for place, text in enumerate(headings):
        found.add_column(text, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        found.add_row(*row, style=_style(row))
    return found


def show(*parts: "Table | str") -> None:
    """Print for people: as wide as the terminal, and whole lines into a pipe."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    text = io.StringIO()
    console = Console(file=text, force_terminal=is_terminal, width=width, markup=False, emoji=False, highlight=False)
    for part in parts:
        console.print(part)
    print_data("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


_PIPE_WIDTH = 4_000


def _style(row: Sequence[str]) -> str:
    return "red" if any(cell.startswith("✗") for cell in row) else ""
