"""The screens of figures: large tiles, KPIs by windows side by side, the trend of the last hour."""

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from cli.asking import Lang
from cli.figures import name_of
from cli.watch.cells import GREY, STRONG, gap_of, plain_table, target_cell, tiles, value_cell, width_of
from cli.watch.contents import Contents, kpis_of
from cli.watch.scene import Scene
from cli.watch.trend import MINUTES, spark
from cli.watch.words import window_word, word
from hotline.catalogue import Kpi
from hotline.windows import NOW, WINDOWS

SPARK_POINTS = (60, 30, 20, 15, 12, 10)
"""So that every bar is the same span of minutes."""
_WINDOWS_KEPT = ("today", "5min", "1h", "30min", "7d")
"""What is shown where not all windows fit, the most important first."""


def tiles_of(scene: Scene, contents: Contents, lang: Lang, width: int) -> Text:
    """The stocks and the headlines of a screen."""
    shown = []
    for name, window in [*((name, NOW) for name in contents.stocks), *contents.headlines]:
        (kpi,) = kpis_of((name,))
        value = value_cell(kpi, scene.figure(name, window), lang)
        value.stylize(STRONG)
        if window != NOW:
            value = Text.assemble(value, (f"  {window_word(window, lang)}", GREY))
        shown.append((name_of(kpi, lang), value))
    return tiles(shown, width)


@dataclass(frozen=True)
class _Columns:
    """What fits: windows by name, the target, and how many bars of the trend."""

    windows: list[str]
    target: bool
    bars: int
    gap: int


def figures_table(scene: Scene, contents: Contents, lang: Lang, width: int, lines: int) -> Table:
    """KPIs with their windows, targets and trends: as many lines as there are, as many columns as fit."""
    kpis = kpis_of(contents.kpis)[: max(1, lines - 1)]
    names = [name_of(kpi, lang) for kpi in kpis]
    cells = {w.name: [value_cell(kpi, scene.figure(kpi.name, w.name), lang) for kpi in kpis] for w in WINDOWS}
    targets = [target_cell(kpi, lang) for kpi in kpis]
    heads = {name: window_word(name, lang) for name in cells}
    widths = {name: max(width_of(cells[name]), width_of([heads[name]]), 7) for name in cells}
    fits = _fitting(width, width_of(names), widths, width_of([*targets, word("target", lang)]))
    table = plain_table(fits.gap)
    table.add_column(word("kpi", lang), no_wrap=True, width=width_of(names))
    for name in fits.windows:
        table.add_column(heads[name], justify="right", no_wrap=True, width=widths[name])
    if fits.target:
        table.add_column(word("target", lang), no_wrap=True)
    if fits.bars:
        table.add_column(
            word("last_hour", lang), no_wrap=True, width=max(fits.bars, width_of([word("last_hour", lang)]))
        )
    for place, kpi in enumerate(kpis):
        row = [Text(names[place]), *(cells[name][place] for name in fits.windows)]
        row += [targets[place]] if fits.target else []
        row += [_trend(scene, kpi, fits.bars)] if fits.bars else []
        table.add_row(*row)
    return table


def _fitting(width: int, name: int, windows: dict[str, int], target: int) -> _Columns:
    """Choose columns: the name and one window always, then the target, the trend, more windows, more bars."""
    gap = gap_of(width)
    left = width - name
    chosen: list[str] = []
    with_target = left - gap - windows[_WINDOWS_KEPT[0]] >= target + gap
    left -= target + gap if with_target else 0
    least = SPARK_POINTS[-1] + gap
    with_bars = left - gap - windows[_WINDOWS_KEPT[0]] >= least
    left -= least if with_bars else 0
    for window in _WINDOWS_KEPT:
        if chosen and left < windows[window] + gap:
            break
        chosen.append(window)
        left -= windows[window] + gap
    room = left + SPARK_POINTS[-1]
    bars = next((points for points in SPARK_POINTS if points <= room), 0) if with_bars else 0
    return _Columns([w.name for w in WINDOWS if w.name in chosen], with_target, bars, gap)


def _trend(scene: Scene, kpi: Kpi, bars: int) -> Text:
    trend = scene.last_hour
    if trend is None:
        return Text("")
    values = trend.values(kpi, min(bars, MINUTES))
    return Text(spark(values), "blue")
