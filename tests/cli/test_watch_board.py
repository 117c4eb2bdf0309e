"""What stands on the board, cell by cell, in both languages and at the sizes that people have."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from rich.cells import cell_len

from cli.asking import Lang
from cli.figures import name_of
from cli.watch.board import board, page_lines
from cli.watch.cells import BAD, GOOD, GREY
from cli.watch.contents import SCREENS, SPLIT_KEYS, ScreenName, kpis_of
from cli.watch.freshness import SILENT_LATE_S, SILENT_OLD_S
from cli.watch.listening import Phase
from cli.watch.rows_page import rows_of
from cli.watch.scene import Scene
from cli.watch.trend import BARS, Trend, spark
from cli.watch.view import Order, View
from cli.watch.words import WORDS, window_word, word
from hotline.catalogue import KPIS, Better, Stock, scope_kinds
from hotline.current import Current
from hotline.events import CHINESE
from hotline.queries import Scope
from hotline.windows import EVENT_LATE_S, EVENT_OLD_S, WINDOWS
from tests.cli.board_pictures import README_PICTURE, SIZES, lines, readme_picture, views
from tests.cli.board_scenes import AT, SCOPES, ZONE, full, scene, values

if TYPE_CHECKING:
    from rich.segment import Segment

VIEWS = dict(views())
FIGURES = list(SCREENS)
every_size = pytest.mark.parametrize(("width", "height"), SIZES, ids=["80x24", "200x50"])
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
every_lang = pytest.mark.parametrize("lang", Lang)


def drawn(view: View, width: int, height: int, of: Scene | None = None) -> list[list[Segment]]:
    return lines(board(of or scene(), view, width, height), width, height)


def text_of(line: list[Segment]) -> str:
    return "".join(segment.text for segment in line)


def texts(view: View, width: int, height: int, of: Scene | None = None) -> list[str]:
    return [text_of(line) for line in drawn(view, width, height, of)]


def cells(line: str) -> str:
    """One character a cell: the second cell of a wide one is NUL."""
    return "".join(char + "\0" * (cell_len(char) - 1) for char in line)


def right_edge(line: str, part: str, *, after: int = 0) -> int:
    """The cell that follows `part` in a line."""
    at = cells(line).index(cells(part), after)
    return at + cell_len(part)


def style_of(line: list[Segment], part: str) -> str:
    return next(str(segment.style) for segment in line if part in segment.text)


@every_size
@every_view
def test_a_board_fills_the_terminal_and_nothing_is_cut(view: View, width: int, height: int) -> None:
    shown = texts(view, width, height)
    assert len(shown) == height
    assert max(map(cell_len, shown)) <= width
    assert not [line for line in shown if "…" in line]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (10, 3), (40, 10), (60, 15), (79, 23), (132, 43), (300, 90)])
@every_view
def test_a_board_of_any_size_can_be_drawn(view: View, width: int, height: int) -> None:
    of = scene(silent_s=99)
    assert len(lines(board(of, view, width, height), width, height)) >= 1


@every_lang
@every_size
@pytest.mark.parametrize("screen", FIGURES)
def test_values_stand_under_their_window_and_names_begin_at_the_left(
    screen: ScreenName, lang: Lang, width: int, height: int
) -> None:
    shown = texts(View(screen=screen, lang=lang), width, height)
    head = next(line for line in shown if line.startswith(word("kpi", lang)))
    below = shown[shown.index(head) + 1 :]
    windows = [window_word(w.name, lang) for w in WINDOWS if f" {window_word(w.name, lang)} " in f"{head} "]
    assert len(windows) >= 3
    for place, kpi in enumerate(kpis_of(SCREENS[screen].kpis)):
        line = below[place]
        assert line.startswith(name_of(kpi, lang) + " ")
        edge = 0
        for window in windows:
            edge = right_edge(head, window, after=edge)
            found = cells(line)
            assert found[edge - 1] != " ", (kpi.name, window)
            assert found[edge : edge + 1] in {" ", ""}, (kpi.name, window)


@every_lang
@every_size
def test_rows_of_chinese_names_align_by_cells(lang: Lang, width: int, height: int) -> None:
    view = View(screen=ScreenName.CALLS, split="district", lang=lang)
    shown = texts(view, width, height)
    rows = [cells(line) for line in shown if line.startswith(("昆山市", "苏州工业园区", "张家港市"))]
    assert len(rows) == 3
    edges = [{at for at in range(1, len(row)) if row[at] == " " and row[at - 1] not in " \0"} for row in rows]
    in_all = set.intersection(*edges)
    assert len([at for at in in_all if at > 20]) >= 5


@every_size
@every_lang
@pytest.mark.parametrize("screen", FIGURES)
def test_every_kpi_of_a_screen_is_named_as_in_the_catalogue_as_far_as_there_is_room(
    screen: ScreenName, lang: Lang, width: int, height: int
) -> None:
    shown = texts(View(screen=screen, lang=lang), width, height)
    names = [name_of(kpi, lang) for kpi in kpis_of(SCREENS[screen].kpis)]
    assert [name for name in names if not any(line.startswith(f"{name} ") for line in shown)] == names[14:]


@every_lang
@pytest.mark.parametrize("screen", FIGURES)
def test_a_target_is_met_or_not_by_sign_and_by_colour(screen: ScreenName, lang: Lang) -> None:
    of = scene()
    shown = drawn(View(screen=screen, lang=lang), 200, 50, of)
    judged = 0
    for kpi in kpis_of(SCREENS[screen].kpis):
        line = next(line for line in shown if text_of(line).startswith(name_of(kpi, lang) + " "))
        signs = [segment for segment in line if segment.text.strip()[:1] in {"✓", "✗"}]
        if kpi.target is None:
            assert not signs
            continue
        met = [kpi.meets_target(of.figure(kpi.name, window.name).value) for window in WINDOWS]  # type: ignore[union-attr,arg-type]
        assert [segment.text.strip()[0] for segment in signs] == ["✓" if good else "✗" for good in met]
        assert [str(segment.style) for segment in signs] == [GOOD if good else BAD for good in met]
        bound = "≥" if kpi.better is Better.HIGHER else "≤"
        assert any(segment.text.strip().startswith(bound) for segment in line)
        judged += len(met)
    assert judged


@every_lang
def test_no_value_is_a_grey_dash_and_never_a_zero_or_green(lang: Lang) -> None:
    frame = values(random.Random(1))
    empty = frame.with_columns(numerator=frame["numerator"] * 0, denominator=frame["denominator"] * 0, value=None)
    current = Current()
    current.take(full(empty), 0)
    of = replace(scene(), current=current)
    shown = drawn(View(lang=lang), 200, 50, of)
    line = next(line for line in shown if text_of(line).startswith(name_of(KPIS["answer_rate"], lang)))
    dashes = [segment for segment in line if segment.text.strip() == "—"]
    assert len(dashes) == len(WINDOWS)
    assert {str(segment.style) for segment in dashes} == {GREY}
    assert "0" not in text_of(line).split("≥")[0]
    assert not any("green" in str(segment.style) for segment in line)


@every_lang
def test_stocks_are_of_the_instant_and_large(lang: Lang) -> None:
    of = scene()
    shown = texts(View(lang=lang), 80, 24, of)
    for name in SCREENS[ScreenName.CALLS].stocks:
        top = next(place for place, line in enumerate(shown) if f" {name_of(KPIS[name], lang)}" in line and "╭" in line)
        figure = of.figure(name, "any")
        assert figure is not None
        assert f" {figure.value} " in shown[top + 1]


@every_lang
@every_size
@every_view
def test_the_title_of_every_tile_is_whole(view: View, width: int, height: int, lang: Lang) -> None:
    shown = texts(replace(view, lang=lang), width, height)
    top = next(line for line in shown if "╭" in line)
    titles = [part.strip("─╮") for part in top.split("╭") if part]
    if view.screen in SCREENS:
        contents = SCREENS[view.screen]
        kpis = kpis_of((*contents.stocks, *(name for name, _ in contents.headlines)))
        known = [name_of(kpi, lang) for kpi in kpis]
    else:
        known = [word(name, lang) for name in ("stack", "lag", "stored", "dead")]
    assert titles == [f" {title} " for title in known]


class TestFreshness:
    @every_lang
    @pytest.mark.parametrize(
        ("silent_s", "style"),
        [(SILENT_LATE_S - 1, None), (SILENT_LATE_S, "bold black on yellow"), (SILENT_OLD_S, "bold white on red")],
    )
    def test_silence_becomes_a_warning_in_words_and_in_colour(
        self, silent_s: float, style: str | None, lang: Lang
    ) -> None:
        shown = drawn(View(lang=lang), 80, 24, scene(silent_s=silent_s))
        warned = [line for line in shown if text_of(line).startswith(" !")]
        assert len(warned) == (0 if style is None else 1)
        assert (word("live", lang) in text_of(shown[0])) is (style is None)
        if style:
            assert "14:32:07" in text_of(warned[0])
            assert style_of(warned[0], "!") == style
            assert style_of(shown[0], "!") == style

    @every_lang
    @pytest.mark.parametrize(
        ("age_s", "style"), [(EVENT_LATE_S, "bold black on yellow"), (EVENT_OLD_S, "bold white on red")]
    )
    def test_events_that_stay_away_are_told_on_the_screens_that_are_about_them(
        self, age_s: float, style: str, lang: Lang
    ) -> None:
        of = scene()
        of.current.newest_at["calls"] = int(AT.timestamp() - age_s)
        calls, tickets = (drawn(View(screen=screen, lang=lang), 80, 24, of) for screen in FIGURES[:2])
        (warned,) = [line for line in calls if text_of(line).startswith(" !")]
        assert style_of(warned, "!") == style
        assert not [line for line in tickets if text_of(line).startswith(" !")]

    @every_lang
    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.VALUES])
    def test_no_warning_is_cut_on_a_small_terminal(self, phase: Phase, lang: Lang) -> None:
        shown = texts(View(lang=lang), 80, 24, scene(silent_s=11 * 3600 + 59 * 60, phase=phase))
        assert sum(line.startswith(" !") for line in shown) == 2
        assert not any("…" in line for line in shown)

    @every_lang
    def test_why_nothing_comes_is_told_beside_the_last_figures(self, lang: Lang) -> None:
        shown = texts(View(lang=lang), 80, 24, scene(silent_s=60, phase=Phase.NO_BROKER))
        assert any(word(Phase.NO_BROKER, lang) in line for line in shown)
        assert any(name_of(KPIS["calls_offered"], lang) in line for line in shown)

    @every_lang
    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.VALUES])
    def test_before_there_are_figures_the_reason_is_told_in_words(self, phase: Phase, lang: Lang) -> None:
        of = Scene(Current(), phase, 9.0, None, None, ZONE)
        shown = texts(View(lang=lang), 80, 24, of)
        assert any(word(phase, lang) in line for line in shown)
        assert not any("—" in line or "✓" in line for line in shown)


class TestRows:
    @pytest.mark.parametrize("screen", FIGURES)
    def test_they_are_sorted_by_volume_or_by_what_is_worst(self, screen: ScreenName) -> None:
        of, kind = scene(), SCREENS[screen].splits[1]
        found = rows_of(of, View(screen=screen, split=kind))
        assert found is not None
        volumes = [row.figures[0].value for row in found.rows if row.figures[0]]
        assert len(volumes) == len(SCOPES[kind])
        assert volumes == sorted(volumes, reverse=True)  # type: ignore[type-var]
        worst = rows_of(of, View(screen=screen, split=kind, order=Order.WORST))
        assert worst is not None
        place = [kpi.name for kpi in worst.kpis].index(SCREENS[screen].worst)
        shares = [row.figures[place].value for row in worst.rows]  # type: ignore[union-attr]
        assert shares == sorted(shares)  # type: ignore[type-var]
        assert {row.scope for row in worst.rows} == {row.scope for row in found.rows}

    def test_those_without_a_value_are_not_the_worst(self) -> None:
        of = scene()
        current = Current()
        frame = values(random.Random(3))
        is_one = (frame["kpi"] == "service_level_30s") & (frame["scope"] == "昆山市")
        current.take(full(frame.filter(~is_one)), 0)
        found = rows_of(replace(of, current=current), View(split="district", order=Order.WORST))
        assert found is not None
        assert found.rows[-1].scope == "昆山市"

    @pytest.mark.parametrize("screen", FIGURES)
    def test_a_key_for_each_kind_shows_rows_of_that_kind_and_only_kpis_that_are_kept_by_it(
        self, screen: ScreenName
    ) -> None:
        for key, kind in zip(SPLIT_KEYS, SCREENS[screen].splits, strict=True):
            view = View(screen=screen).pressed(key, rows=0, page=1)
            found = rows_of(scene(), view)
            assert found is not None
            assert (view.split, found.kind) == (kind, kind)
            assert {row.scope for row in found.rows} == set(SCOPES[kind])
            assert all(kpi.grain(kind) for kpi in found.kpis)

    def test_arrows_scroll_as_far_as_there_are_rows(self) -> None:
        view = View(split="district")
        of = scene()
        rows, page = len(SCOPES["district"]), page_lines(of, view, 80, 24)
        assert 1 < page < rows
        for _ in range(99):
            view = view.pressed("down", rows=rows, page=page)
        assert view.top == rows - page
        assert view.pressed("home", rows=rows, page=page).top == 0
        assert view.pressed("page up", rows=rows, page=page).top == max(0, rows - 2 * page)
        last = rows_of(of, view)
        assert last is not None
        shown = texts(view, 80, 24, of)
        assert any(line.startswith(last.rows[-1].scope or word("unnamed", Lang.EN)) for line in shown)
        assert not any(line.startswith(last.rows[0].scope) for line in shown if last.rows[0].scope)

    def test_a_name_that_a_terminal_would_obey_is_only_shown(self) -> None:
        frame = values(random.Random(3))
        evil = "\x1b]0;owned\x07\x1b[2J\u202e\n昆山市"
        current = Current()
        current.take(full(frame.with_columns(pl.col("scope").replace("昆山市", evil))), 0)
        of = replace(scene(), current=current)
        for board_of in (of, replace(of, scope=Scope("district", evil))):
            shown = texts(View(split="district", scoped=bool(board_of.scope)), 200, 50, board_of)
            assert len(shown) == 50
            assert any("owned" in line and "昆山市" in line for line in shown)
            assert all(char.isprintable() for line in shown for char in line)

    @every_lang
    def test_what_was_stated_without_a_scope_has_a_name(self, lang: Lang) -> None:
        shown = texts(View(split="district", lang=lang), 200, 50)
        assert any(line.startswith(word("unnamed", lang)) for line in shown)

    @every_lang
    def test_words_of_closed_vocabularies_are_in_the_language(self, lang: Lang) -> None:
        for name, chinese in CHINESE["audience"].items():
            of = replace(scene(), scope=Scope("audience", name))
            shown = texts(View(screen=ScreenName.TICKETS, lang=lang, scoped=True), 200, 50, of)
            assert any((chinese if lang is Lang.ZH else name) in line for line in shown)


class TestKeys:
    def test_numbers_and_arrows_change_the_screen(self) -> None:
        view = View()
        assert [view.pressed(key, rows=0, page=1).screen for key in "1234"] == list(ScreenName)
        assert view.pressed("left", rows=0, page=1).screen is ScreenName.HEALTH
        assert view.pressed("right", rows=0, page=1).screen is ScreenName.TICKETS

    def test_a_split_that_the_next_screen_does_not_have_is_left(self) -> None:
        view = View(screen=ScreenName.TICKETS, split="department")
        assert view.pressed("3", rows=0, page=1).split == "department"
        assert view.pressed("1", rows=0, page=1).split is None

    def test_z_changes_the_language_and_back(self) -> None:
        assert View().pressed("z", rows=0, page=1).lang is Lang.ZH
        assert View().pressed("z", rows=0, page=1).pressed("z", rows=0, page=1) == View()

    def test_s_w_and_a_change_order_window_and_rows(self) -> None:
        view = View(split="line", top=3)
        assert view.pressed("s", rows=9, page=1) == replace(view, order=Order.WORST, top=0)
        assert view.pressed("w", rows=9, page=1).window == "7d"
        assert view.pressed("a", rows=9, page=1) == replace(view, split=None, top=0)

    def test_unknown_keys_change_nothing(self) -> None:
        for key in ("x", "9", "é", "\0"):
            assert View().pressed(key, rows=9, page=1) == View()

    @every_lang
    @pytest.mark.parametrize("width", [80, 200])
    def test_every_key_that_works_is_shown(self, width: int, lang: Lang) -> None:
        foot = " ".join(texts(View(split="line", lang=lang), width, 24)[-2:])
        assert all(f" {key} " in f" {foot} " for key in ["1-4", "a", *SPLIT_KEYS, "w", "s", "↑↓", "z", "q"])


class TestOneScope:
    def test_the_board_is_about_it_and_has_no_rows(self) -> None:
        of = replace(scene(), scope=Scope("district", "昆山市"))
        view = View(scoped=True, split="line")
        shown = texts(view, 80, 24, of)
        assert any("district 昆山市" in line for line in shown)
        assert rows_of(of, view) is None
        figure = of.current.figure(KPIS["calls_offered"], "today", "district", "昆山市")
        assert figure is not None
        line = next(line for line in shown if line.startswith("Calls offered"))
        assert f"{figure.value:,}" in line
        assert not any(f" {key} " in shown[-1] for key in SPLIT_KEYS)

    def test_what_is_not_kept_by_it_has_no_value(self) -> None:
        of = replace(scene(), scope=Scope("department", "市公安局"))
        shown = texts(View(scoped=True), 80, 24, of)
        assert "—" in next(line for line in shown if line.startswith("Calls offered"))


class TestTrend:
    def test_bars_are_from_the_lowest_to_the_highest(self) -> None:
        assert spark([0, 5, 10]) == BARS[0] + BARS[3] + BARS[-1]
        assert spark([0.97, 0.99]) == BARS[0] + BARS[-1]

    def test_no_value_is_an_empty_place_and_nothing_at_all_draws_nothing(self) -> None:
        assert spark([0.5, None, 0.5]) == BARS[3] + " " + BARS[3]
        assert spark([None, None]) == "  "
        assert spark([]) == ""

    def test_counts_begin_at_zero_and_zero_is_the_lowest(self) -> None:
        assert spark([9, 10])[0] == BARS[6]
        assert spark([3, 3]) == BARS[-1] * 2
        assert spark([0, 0]) == BARS[0] * 2

    def test_minutes_together_are_divided_once_and_not_averaged(self) -> None:
        rate = KPIS["answer_rate"]
        pairs = [(1, 1), (0, 9), (None, None), (0, 0)]
        assert Trend(0, {rate.name: pairs}).values(rate, 2) == [0.1, None]

    def test_a_stock_is_that_of_the_last_minute(self) -> None:
        waiting = KPIS["calls_waiting"]
        assert Trend(0, {waiting.name: [(3, None), (5, None)]}).values(waiting, 1) == [5]

    def test_a_trend_of_another_hour_is_not_drawn(self) -> None:
        of = scene()
        assert of.trend is not None
        old = replace(of, trend=replace(of.trend, end_s=of.trend.end_s - 3600))
        assert any(char in BARS for line in texts(View(), 80, 24, of) for char in line)
        assert not any(char in BARS for line in texts(View(), 80, 24, old) for char in line)

    @every_size
    def test_each_line_has_its_hour(self, width: int, height: int) -> None:
        shown = texts(View(), width, height)
        line = next(line for line in shown if line.startswith("Calls offered"))
        assert sum(char in BARS for char in line) in {60, 30, 20, 15, 12, 10}


class TestHealth:
    @every_lang
    @every_size
    def test_parts_lags_rates_restarts_and_dead_letters_are_there(self, width: int, height: int, lang: Lang) -> None:
        shown = texts(View(screen=ScreenName.HEALTH, lang=lang), width, height)
        worker = next(line for line in shown if line.startswith("worker-0"))
        assert word("silent_part", lang) in worker
        assert " 2 " in worker
        assert any("143.2" in line for line in shown)
        assert any("34" in line and "4.1" in line for line in shown)
        assert sum(line.startswith("hotline.") for line in shown) == 4
        dead = next(line for line in shown if line.startswith("unknown_ticket"))
        assert dead.split()[1:] == ["3", "17"]

    def test_before_the_first_answer_it_says_so(self) -> None:
        of = replace(scene(), health=None)
        shown = texts(View(screen=ScreenName.HEALTH), 80, 24, of)
        assert any(word("asking", Lang.EN) in line for line in shown)


class TestContents:
    def test_every_name_is_a_kpi_of_one_subject_and_stocks_are_stocks(self) -> None:
        for contents in SCREENS.values():
            assert len({KPIS[name].subject.name for name in contents.names}) == 1
            assert all(isinstance(KPIS[name].numerator, Stock) for name in contents.stocks)
            assert contents.worst in contents.columns
            assert KPIS[contents.worst].better is not Better.NEITHER
            assert set(contents.splits) <= set(scope_kinds(KPIS[contents.names[0]].subject))

    def test_every_word_says_the_same_with_the_same_blanks_in_both_languages(self) -> None:
        for name, (english, chinese) in WORDS.items():
            blanks = [{part.partition("}")[0] for part in text.split("{")[1:]} for text in (english, chinese)]
            assert blanks[0] == blanks[1], name
        assert all(phase in WORDS for phase in Phase if phase is not Phase.VALUES)

    def test_the_picture_in_the_readme_is_fresh(self) -> None:
        assert README_PICTURE.read_text(encoding="utf-8") == readme_picture(), "run python -m tests.cli.board_pictures"
