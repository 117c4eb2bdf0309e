"""Numbers of a page in Chromium against what `hotline kpi` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.words import Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.web.browsing import CHOSEN, ROWS, opened
from tests.dashboards.web.said import Said
from tests.dashboards.web.sites import AT, Site

if TYPE_CHECKING:
    from dashboards.board import Board
    from tests.hotline.stored_rows import Stored


NO_KPIS_AS_IT_OPENS = {"pipeline", "cross"}
"""The city of the tests has no ticket of last year; `test_year_numbers` reads cross tables of this one."""
OPENINGS = [pytest.param(one, Lang.EN, {}, id=one.name) for one in BOARDS if one.name not in NO_KPIS_AS_IT_OPENS]
OPENINGS += [pytest.param(one, Lang.ZH, CHOSEN, id=f"{one.name} chosen") for one in BOARDS if one.variables]


@pytest.mark.parametrize(("board", "lang", "chosen"), OPENINGS)
def test_every_number_in_the_page_is_the_one_of_hotline_kpi(
    board: Board, lang: Lang, chosen: dict[str, str], browser: Browser, standing: Site, city: Stored
) -> None:
    """Tiles of one number and of one for each scope, bars, cells of tables, tiles of the year."""
    said = Said(city, "7d", int(AT), lang, {kind: chosen[kind] for kind in chosen if kind in of_board(board)})
    query = urlencode({"var-window": "7d"} | {f"var-{kind}": name for kind, name in said.chosen.items()})
    numbers = 0
    with opened(browser, f"{standing.url}/d/{Edition(lang, ZONE).uid(board.name)}?{query}") as page:
        expect(page.locator(".waiting")).to_have_count(0)
        for entry in (entry for row in board.rows for entry in row.entries):
            what, *more = entry.key.split()
            rows = page.evaluate(ROWS, entry.id)
            if what == "tile" or (what == "year" and len(more) == 1):
                assert rows[0][-1] == said.number(*(more if what == "tile" else [*more, "year"])), entry.key
            elif what in {"tiles", "ranking"}:
                name, over, kind = more[:3]
                check_rows(rows, said.by_scope([name], over, kind), entry.key)
            elif what == "table":
                *names, over, kind = more
                check_rows(rows, said.by_scope(names, over, kind), entry.key)
            else:
                continue
            numbers += sum(bool(re.search("[1-9]", text)) for row in rows for text in row[-1:])
    assert numbers


def check_rows(rows: list[list[str]], wanted: dict[str, list[str]], key: str) -> None:
    """Each scope once; of bars, the first ten."""
    named = [row[0] for row in rows if len(row) > 1]
    shown = {row[0]: row[1:] for row in rows if len(row) > 1}
    assert len(named) == len(shown) == min(len(wanted), 10 if key.startswith("ranking") else len(wanted)), key
    assert shown == {scope: wanted[scope] for scope in shown}, key


def of_board(board: Board) -> set[str]:
    return {variable.name for variable in board.variables}
