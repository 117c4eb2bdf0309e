"""The board as a whole: what stands where on a terminal of any size."""

from rich.console import Console, Group, RenderableType
from rich.text import Text

from cli.asking import Lang
from cli.watch.cells import GREY, STRONG, TILE_LINES, WARNINGS, width_of
from cli.watch.contents import SCREENS, SPLIT_KEYS, ScreenName
from cli.watch.figures_page import figures_table, tiles_of
from cli.watch.freshness import EVENTS, SILENCE, Freshness
from cli.watch.health_page import health_parts
from cli.watch.listening import Phase
from cli.watch.rows_page import HEAD_LINES, Rows, page_of, rows_of, rows_parts
from cli.watch.scene import Scene, subject_of
from cli.watch.view import View
from cli.watch.words import age_word, kind_word, scope_word, window_word, word
from hotline.catalogue import ALL

KPI_LINES_MIN = 6
"""Lines of the table of KPIs, its heading included, that stay when rows are shown below."""


def board(scene: Scene, view: View, width: int, height: int) -> RenderableType:
    """The whole board, `height` lines of `width` cells."""
    above = [_header(scene, view, width), _context(scene, view), *_warnings(scene, view, width)]
    below = _footer(view, width)
    lines = max(1, height - len(above) - len(below))
    body, used = _body(scene, view, width, lines)
    filler = [Text("")] * (lines - used)
    return Group(*above, *body, *filler, *below)


def printed_board(scene: Scene, view: View, width: int) -> RenderableType:
    """The board as it is printed: without keys, as high as it needs to be."""
    above = [_context(scene, view), *_warnings(scene, view, width)]
    body, _ = _body(scene, view, width, _UNBOUNDED)
    return Group(_title(scene, view), *above, *body)


_UNBOUNDED = 100_000


def page_lines(scene: Scene, view: View, width: int, height: int) -> int:
    """How many rows fit on a page."""
    above = 2 + len(_warnings(scene, view, width))
    lines = max(1, height - above - len(_footer(view, width)))
    return page_of(_rows_lines(view, rows_of(scene, view), lines))


def _body(scene: Scene, view: View, width: int, lines: int) -> tuple[list[RenderableType], int]:
    """The parts between header and footer, and how many lines they take."""
    if view.screen not in SCREENS:
        return _measured(health_parts(scene.health, view.lang, width, lines), width, lines)
    if not scene.current.known:
        return [Text(""), Text(f"  {word(scene.phase, view.lang)}", STRONG)], 2
    contents = SCREENS[view.screen]
    rows = rows_of(scene, view)
    kpi_lines = lines - TILE_LINES - (_rows_lines(view, rows, lines) + 1 if rows else 0)
    shown_lines = min(len(contents.kpis) + 1, max(2, kpi_lines))
    parts: list[RenderableType] = [tiles_of(scene, contents, view.lang, width)]
    parts.append(figures_table(scene, contents, view.lang, width, shown_lines))
    used = TILE_LINES + shown_lines
    if rows:
        parts += [Text(""), *rows_parts(rows, view, width, lines - used - 1)]
        used += 1 + HEAD_LINES + min(len(rows.rows), page_of(lines - used - 1))
    return parts, min(used, lines)


def _rows_lines(view: View, rows: Rows | None, lines: int) -> int:
    """Lines for the rows: what they need, at most two thirds of what the tiles leave; the KPIs have the others."""
    if rows is None:
        return 0
    kpis = len(SCREENS[view.screen].kpis) + 1
    left = lines - TILE_LINES - 1
    return min(HEAD_LINES + max(1, len(rows.rows)), left - min(kpis, max(KPI_LINES_MIN, left // 3)))


def _measured(parts: list[RenderableType], width: int, lines: int) -> tuple[list[RenderableType], int]:
    console = Console(width=width, height=lines, file=None, _environ={})
    return parts, min(lines, len(console.render_lines(Group(*parts), pad=False)))


def _header(scene: Scene, view: View, width: int) -> Text:
    """The tabs of the screens, and the instant of the figures with how they come."""
    text = Text(no_wrap=True, overflow="crop")
    for number, screen in enumerate(ScreenName, 1):
        text.append(f" {number} {word(screen, view.lang)} ", "bold reverse" if screen is view.screen else GREY)
    right = _instant(scene, view.lang, dated=width >= _DATED_WIDTH)
    text.append(" " * max(1, width - width_of([text]) - width_of([right])))
    text.append_text(right)
    return text


_DATED_WIDTH = 100


def _instant(scene: Scene, lang: Lang, *, dated: bool) -> Text:
    if scene.as_of is None:
        return Text(word("no_instant", lang), GREY)
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    text = Text(word("as_of", lang, at=scene.as_of.strftime(form)) + "  ", STRONG)
    judged = SILENCE.judge(scene.silent_s)
    if judged is Freshness.FRESH:
        text.append(f"● {word('live', lang)}", "green")
    else:
        text.append(f" ! {word('late', lang, age=age_word(scene.silent_s, lang))} ", WARNINGS[judged])
    return text


def _title(scene: Scene, view: View) -> Text:
    return Text.assemble(
        (word(view.screen, view.lang), STRONG), "  ", _instant(scene, view.lang, dated=True), no_wrap=True
    )


def _context(scene: Scene, view: View) -> Text:
    """What the figures are about, and how old their newest events are."""
    text = Text(no_wrap=True, overflow="ellipsis")
    about = kind_word(scene.scope.kind if scene.scope else ALL, view.lang)
    text.append(f" {about}", STRONG)
    if scene.scope:
        text.append(f" {scope_word(scene.scope.kind, scene.scope.value, view.lang)}", STRONG)
    ages = sorted(scene.current.ages_s(scene.silent_s).items())
    told = [word(f"newest_{subject}", view.lang, age=age_word(age_s, view.lang)) for subject, age_s in ages]
    if told:
        text.append(f"  ·  {word('newest', view.lang, ages=', '.join(told))}", GREY)
    return text


def _warnings(scene: Scene, view: View, width: int) -> list[Text]:
    """What is wrong with the figures: that nothing comes, or that no events do; nothing while all is well."""
    if scene.as_of is None or not scene.current.known:
        return []
    lang, found = view.lang, []
    silence = SILENCE.judge(scene.silent_s)
    if silence is not Freshness.FRESH:
        at = scene.as_of.strftime("%H:%M:%S")
        found.append((silence, word("silent", lang, age=age_word(scene.silent_s, lang), at=at)))
        if scene.phase is not Phase.VALUES:
            found.append((silence, "! " + word(scene.phase, lang)))
    if view.screen in SCREENS:
        subject = subject_of(view.screen)
        age_s = scene.current.ages_s().get(subject)  # the silence since has a warning of its own
        events = Freshness.FRESH if age_s is None else EVENTS.judge(age_s)
        if events is not Freshness.FRESH and age_s is not None:
            found.append((events, word(f"no_events_{subject}", lang, age=age_word(age_s, lang))))
    return [_warning(text, judged, width) for judged, text in found]


def _warning(text: str, judged: Freshness, width: int) -> Text:
    line = Text(f" {text}", WARNINGS[judged], no_wrap=True, overflow="ellipsis")
    line.append(" " * max(0, width - width_of([line])))
    return line


def _footer(view: View, width: int) -> list[Text]:
    """The keys, on as many lines as they need."""
    lines = [Text(no_wrap=True)]
    for key, name, active in _keys(view):
        item = Text.assemble(" ", (key, "bold reverse" if active else STRONG), (f" {name} ", "" if active else GREY))
        if width_of([lines[-1]]) + width_of([item]) > width and lines[-1].plain:
            lines.append(Text(no_wrap=True))
        lines[-1].append_text(item)
    return lines


def _keys(view: View) -> list[tuple[str, str, bool]]:
    """Key, what it does, and whether that is so now."""
    lang = view.lang
    found = [("1-4", word("key_screen", lang), False)]
    if view.screen in SCREENS and not view.scoped:
        splits = zip(SPLIT_KEYS, SCREENS[view.screen].splits, strict=True)
        found += [("a", word("key_all", lang), view.split is None)]
        found += [(key, kind_word(kind, lang), view.split == kind) for key, kind in splits]
        if view.split is not None:
            found += [
                ("w", f"{word('key_window', lang)} {window_word(view.window, lang)}", False),
                ("s", word("key_sort", lang), False),
                ("↑↓", word("key_scroll", lang), False),
            ]
    return [*found, ("z", word("key_lang", lang), False), ("q", word("key_quit", lang), False)]
