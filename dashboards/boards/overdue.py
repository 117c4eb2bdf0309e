"""Overdue: which tickets are late, whose they are, and since when."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DEPARTMENTS, DISTRICTS, LINES, row
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
        "Which tickets are late? The list is of tickets of the chosen lines, districts and departments together. "
        "Numbers and the trend are of the chosen lines, bars of the chosen departments or districts: sums are kept by "
        "one kind of scope at a time.",
        "哪些诉求已逾期?列表同时按所选热线、区县和部门筛选;数字和趋势按所选热线统计,排名按所选部门、区县统计:"
        "各类维度的和分开保存,不能交叉。",
    ),
    since="now-7d",
    refresh="1m",
    variables=(scope("line", TICKETS), scope("department", TICKETS), scope("district", TICKETS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("tickets_overdue", "now", LINES),
            tile("tickets_due_1h", "now", LINES),
            tile("tickets_open", "now", LINES),
            data_age(TICKETS),
        ),
        row(16, overdue_list()),
        row(
            9,
            trend(["tickets_overdue"], LINES),
            ranking("tickets_overdue", "now", DEPARTMENTS, worst=True),
            ranking("tickets_overdue", "now", DISTRICTS, worst=True),
        ),
    ),
)
