"""The rows of the board: a figure for each line, district, department …, sorted, as many as fit."""

from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.asking import Lang
from cli.figures import name_of
from cli.watch.cells import GREY, HEADING, STRONG, gap_of, heading_width, plain_table, value_cell, width_of
from cli.watch.contents import SCREENS, Contents, kpis_of
from cli.watch.scene import Scene, own_window
from cli.watch.view import Order, View
from cli.watch.words import kind_word, scope_word, window_word, word
from hotline.catalogue import Better, Kpi, Stock
from hotline.current import Figure

HEAD_LINES = 3
"""What stands above the rows: a line that says what they are, and headings of two lines."""
_NAME_WIDTH_MIN = 16


@dataclass(frozen=True)
class Row:
    """One scope and its figures, in the order of the columns."""

    scope: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True)
class Rows:
    """All rows of a split, sorted."""

    kind: str
    kpis: tuple[Kpi, ...]
    rows: tuple[Row, ...]


def rows_of(scene: Scene, view: View) -> Rows | None:
    """The rows that a view asks for; None when it asks for none."""
    kind = view.shown_split
    if kind is None:
        return None
    contents = SCREENS[view.screen]
    kpis = tuple(kpi for kpi in kpis_of(contents.columns) if kpi.grain(kind) is not None)
    rows = [
        Row(scope, tuple(scene.current.figure(kpi, own_window(kpi.name, view.window), kind, scope) for kpi in kpis))
        for scope in scene.current.scopes(kind)
    ]
    shown = [row for row in rows if any(figure and (figure.numerator or figure.denominator) for figure in row.figures)]
    return Rows(kind, kpis, tuple(_sorted(shown, kpis, contents, view.order)))


def _sorted(rows: list[Row], kpis: tuple[Kpi, ...], contents: Contents, order: Order) -> list[Row]:
    by_volume = sorted(rows, key=lambda row: (-_number(row, 0), row.scope))
    ranked = [place for place, kpi in enumerate(kpis) if kpi.name == contents.worst]
    if order is Order.VOLUME or not ranked:
        return by_volume
    (place,) = ranked
    sign = 1 if kpis[place].better is Better.HIGHER else -1
    return sorted(by_volume, key=lambda row: (_value(row, place) is None, sign * _number(row, place)))


def _value(row: Row, place: int) -> float | int | None:
    found = row.figures[place] if place < len(row.figures) else None
    return None if found is None else found.value


def _number(row: Row, place: int) -> float:
    return _value(row, place) or 0


def page_of(lines: int) -> int:
    """How many rows fit into that many lines."""
    return max(1, lines - HEAD_LINES)


def rows_parts(rows: Rows, view: View, width: int, lines: int) -> list[RenderableType]:
    """A line that says what the rows are, and the table of those that fit."""
    page = page_of(lines)
    top = max(0, min(view.top, len(rows.rows) - page))
    shown = rows.rows[top : top + page]
    return [_title(rows, view, top, len(shown), width), _table(rows, shown, view.lang, width)]


def _title(rows: Rows, view: View, top: int, count: int, width: int) -> Text:
    ranked = kpis_of((SCREENS[view.screen].worst,))[0] if view.order is Order.WORST else rows.kpis[0]
    order = word("worst_by" if view.order is Order.WORST else "most_by", view.lang, kpi=name_of(ranked, view.lang))
    text = Text(no_wrap=True)
    text.append(word("by", view.lang, kind=kind_word(rows.kind, view.lang)), f"{STRONG} {HEADING}")
    text.append(f" · {window_word(view.window, view.lang)} · {order}", GREY)
    if not rows.rows:
        text.append("  " + word("no_rows", view.lang, kind=kind_word(rows.kind, view.lang)))
        return text
    place = word("rows", view.lang, first=top + 1, last=top + count, count=len(rows.rows))
    text.append(" " * max(2, width - width_of([text]) - width_of([place])))
    text.append(place, GREY)
    return text


def _table(rows: Rows, shown: tuple[Row, ...], lang: Lang, width: int) -> Table:
    names = [scope_word(rows.kind, row.scope, lang) for row in shown]
    cells = [[value_cell(kpi, row.figures[place], lang) for row in shown] for place, kpi in enumerate(rows.kpis)]
    titles = [name_of(kpi, lang) for kpi in rows.kpis]
    titles = [
        f"{title} ({word('now', lang)})" if isinstance(kpi.numerator, Stock) and lang is Lang.EN else title
        for title, kpi in zip(titles, rows.kpis, strict=True)
    ]
    widths = [heading_width(title, max(7, width_of(column))) for title, column in zip(titles, cells, strict=True)]
    name_width = max(_NAME_WIDTH_MIN, min(width_of(names), width // 3))
    gap = gap_of(width)
    fitting = 0
    left = width - name_width
    while fitting < len(widths) and left >= widths[fitting] + gap:
        left -= widths[fitting] + gap
        fitting += 1
    table = plain_table(gap)
    table.add_column(f"\n{kind_word(rows.kind, lang)}", no_wrap=True, overflow="ellipsis", width=name_width)
    for title, column in list(zip(titles, widths, strict=True))[:fitting]:
        table.add_column(title, justify="right", width=column, overflow="fold", vertical="bottom")
    for place, name in enumerate(names):
        table.add_row(Text(name), *(cells[column][place] for column in range(fitting)))
    return table
