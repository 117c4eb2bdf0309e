"""The year by two kinds of scope at once, counted over rows: slower than the annual board, so a board of its own."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import Scopes, row
from dashboards.figures import data_age
from dashboards.within import year_within
from dashboards.words import Text
from dashboards.yearly import year_tile

AUDIENCE, CHANNEL, CATEGORY, DEPARTMENT, DISTRICT, NATURE = map(
    Scopes, ("audience", "channel", "category", "department", "district", "nature")
)

CROSS = Board(
    name="cross",
    title=Text("Cross tables of the year", "年度交叉统计"),
    about=Text(
        "By which channels did each audience come, and about what? Counted ticket by ticket, so it may take a moment.",
        "各类群体从哪些来源反映了什么?逐件统计,可能需稍候。",
    ),
    since="now-1y/y",
    until="now-1y/y",
    annotations=EVERYTHING,
    rows=(
        row(4, year_tile("tickets_created"), year_tile("tickets_dispatched"), data_age()),
        row(
            11,
            year_within("tickets_created", AUDIENCE, CHANNEL),
            year_within("tickets_created", NATURE, CATEGORY, most=5),
        ),
        row(
            16,
            year_within("tickets_created", DISTRICT, CATEGORY, most=5),
            year_within("tickets_dispatched", DISTRICT, DEPARTMENT, most=5),
        ),
    ),
)
