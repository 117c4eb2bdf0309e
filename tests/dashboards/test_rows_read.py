"""Live boards stay cheap: no query reads more rows of sums than days, parts of days and what it draws are made of."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from bench import year
from bench.boards import BACK_S, Cost, costs
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.words import Lang
from hotline.catalogue import ALL
from hotline.names import DATABASE
from hotline.windows import DAY_S, HOUR_S
from tests.dashboards.asking import Asking
from tests.dashboards.conftest import ZONE
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board import Board

DAYS = 30
SCOPES = {kind: 100 if kind == "department" else 1 if kind == ALL else 2 for kind in year.SCOPES}
GRANULE = 8192
"""The engine reads rows by so many at once, of each scope that lies by itself."""
GRANULES = 4
MINUTES = DAY_S // 60
LIVE = [board for board in BOARDS if board.refresh]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asking, int]]:
    at_s = int(time.time()) // HOUR_S * HOUR_S
    with engine(tmp_path_factory.mktemp("year"), ZONE) as settings, migrated(settings) as client:
        year.store(client, at_s, days=DAYS, scopes=SCOPES)
        asking = Asking(settings)
        yield asking, at_s
        asking.close()


@pytest.mark.parametrize("board", LIVE, ids=lambda board: board.name)
def test_no_live_query_reads_more_than_its_days_and_parts_of_days(board: Board, stored: tuple[Asking, int]) -> None:
    asking, at_s = stored
    found = costs(board, asking, at_s)
    assert len(found) > 5
    dear = [(cost.panel, cost.rows, rows_max(board, cost)) for cost in found if cost.rows > rows_max(board, cost)]
    assert not dear


ROWS_OR_EVENTS = re.compile(rf"(FROM|JOIN) {DATABASE}\.(calls|tickets|activities|\w+_events)\b")
LISTS = {"Overdue tickets", "Longest wait now < 1 min"}
"""Which tickets are late, and who waits: no sum can say."""


def test_live_boards_read_sums_but_for_lists() -> None:
    made = [panel for board in LIVE for panel in board.json(Edition(Lang.EN, ZONE))["panels"]]
    of_rows = [
        panel["title"] for panel in made for asked in panel.get("targets", ()) if ROWS_OR_EVENTS.search(asked["rawSql"])
    ]
    assert set(of_rows) == LISTS


def rows_max(board: Board, cost: Cost) -> int:
    """Of each scope: the days since ever, the minutes of two parts of days, and of a trend those of its range."""
    scopes, share = max((SCOPES[kind], kind_share(kind)) for kind in kinds(cost.sql))
    drawn = BACK_S.get(board.since, DAY_S) // 60 if "WITH FILL" in cost.sql else 0
    return int(scopes * (DAYS + (2 * MINUTES + drawn) * share) + GRANULES * GRANULE * min(scopes, 2))


def kinds(sql: str) -> set[str]:
    return {ALL} | (set(re.findall(r"'(\w+)'", sql)) & set(SCOPES))


def kind_share(kind: str) -> float:
    return year.RECENT_MINUTES_PERCENT / 100 if SCOPES[kind] >= year.MANY else 1
