"""Tickets: what came in, what is open, what is late, and where; for the supervisor of handling."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DEPARTMENTS, DISTRICTS, LINES, row
from dashboards.figures import data_age
from dashboards.panels import heat, ranking, table, tile, tiles, trend
from dashboards.variables import scope, window
from dashboards.words import Text
from hotline.subjects import TICKETS

CAME = ["tickets_created", "timely_handling_rate", "average_handling_days", "reopened_rate"]
OPEN = ["tickets_overdue", "tickets_due_1h", "tickets_open"]
"""Columns of two tables: by what came, and by what is late, of which the one with most is the first to call."""

TICKETS_BOARD = Board(
    name="tickets",
    title=Text("Tickets", "诉求"),
    about=Text(
        "Are tickets handled in time, and where not? Numbers and trends are of the chosen lines, tables and bars by "
        "department or district of the chosen ones: sums are kept by one kind of scope at a time.",
        "诉求是否按时办理?哪里没有?数字和趋势按所选热线统计,部门与区县的表格和排名按所选部门、区县统计:"
        "各类维度的和分开保存,不能交叉。",
    ),
    since="now-7d",
    refresh="30s",
    variables=(window("today"), scope("line", TICKETS), scope("department", TICKETS), scope("district", TICKETS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("tickets_open", "now", LINES),
            tile("tickets_overdue", "now", LINES),
            tile("tickets_due_1h", "now", LINES),
            tile("timely_handling_rate", "window", LINES),
            tile("completion_rate", "window", LINES),
            data_age(TICKETS),
        ),
        row(
            5,
            tile("tickets_created", "window", LINES),
            tile("tickets_answered_online", "window", LINES),
            tile("tickets_dispatched", "window", LINES),
            tile("tickets_handled", "window", LINES),
            tile("average_handling_days", "window", LINES),
            tile("reopened_rate", "window", LINES),
        ),
        row(6, tiles("timely_handling_rate", "window", DISTRICTS).wide(16), tiles("tickets_overdue", "now", DISTRICTS)),
        row(8, trend(["tickets_created"], LINES, before=True), trend(["timely_handling_rate"], LINES, before=True)),
        row(
            8,
            trend(["tickets_dispatched", "tickets_handled"], LINES, title=Text("Dispatched and handled", "派单与办结")),
            trend(["tickets_open", "tickets_overdue"], LINES, title=Text("Open and overdue", "在办与逾期")),
        ),
        row(
            10,
            table(Text("Departments", "承办单位"), CAME, "window", DEPARTMENTS, opens="department"),
            table(Text("Departments: open", "承办单位在办"), OPEN, "now", DEPARTMENTS, opens="department"),
        ),
        row(
            10,
            table(Text("Districts", "县市区平台"), CAME, "window", DISTRICTS, opens="district"),
            table(Text("Districts: open", "县市区平台在办"), OPEN, "now", DISTRICTS, opens="district"),
        ),
        row(
            9,
            ranking("timely_handling_rate", "window", DEPARTMENTS),
            ranking("timely_handling_rate", "window", DEPARTMENTS, worst=True),
            ranking("tickets_overdue", "now", DEPARTMENTS, worst=True),
        ),
        row(9, heat("tickets_created", LINES), ranking("tickets_created", "window", DEPARTMENTS).wide(8)),
    ),
)
