"""Overdue: which tickets are late, whose they are, and since when."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import CITY, DEPARTMENTS, DISTRICTS, row
from dashboards.figures import data_age
from dashboards.lists import overdue_list
from dashboards.panels import ranking, tile, trend
from dashboards.variables import scope
from dashboards.words import Text
from hotline.subjects import TICKETS

OVERDUE = Board(
    name="overdue",
    title=Text("Overdue", "逾期"),
    about=Text(
        "Which tickets are late? The list is of tickets of the chosen lines, districts and departments together.",
        "哪些诉求已逾期?列表同时按所选热线、区县和部门筛选。",
    ),
    since="now-7d",
    refresh="1m",
    variables=(scope(TICKETS, "line"), scope(TICKETS, "department"), scope(TICKETS, "district")),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("tickets_overdue", "now"),
            tile("tickets_due_1h", "now"),
            tile("tickets_open", "now"),
            data_age(TICKETS),
        ),
        row(16, overdue_list()),
        row(
            9,
            trend(["tickets_overdue"], CITY),
            ranking("tickets_overdue", "now", DEPARTMENTS, worst=True),
            ranking("tickets_overdue", "now", DISTRICTS, worst=True),
        ),
    ),
)
