"""One department, or several: what it has on its desk, how it handles it, what citizens say."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DEPARTMENTS, row
from dashboards.figures import data_age
from dashboards.panels import table, tile, trend
from dashboards.variables import scope, window
from dashboards.words import Text
from hotline.subjects import TICKETS

DEPARTMENT = Board(
    name="department",
    title=Text("Department", "承办单位"),
    about=Text("How does a department handle its tickets?", "承办单位办理诉求的情况如何?"),
    since="now-7d",
    refresh="1m",
    variables=(window("7d"), scope("department", TICKETS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("tickets_open", "now", DEPARTMENTS),
            tile("tickets_overdue", "now", DEPARTMENTS),
            tile("tickets_due_1h", "now", DEPARTMENTS),
            tile("timely_handling_rate", "window", DEPARTMENTS),
            tile("satisfaction_rate", "window", DEPARTMENTS),
            data_age(TICKETS),
        ),
        row(
            5,
            tile("tickets_dispatched", "window", DEPARTMENTS),
            tile("tickets_handled", "window", DEPARTMENTS),
            tile("average_handling_workdays", "window", DEPARTMENTS),
            tile("reopened_rate", "window", DEPARTMENTS),
            tile("returned_rate", "window", DEPARTMENTS),
            tile("resolution_rate", "window", DEPARTMENTS),
        ),
        row(
            8,
            trend(
                ["tickets_dispatched", "tickets_handled"],
                DEPARTMENTS,
                title=Text("Dispatched and handled", "派单与办结"),
            ),
            trend(["tickets_open", "tickets_overdue"], DEPARTMENTS, title=Text("Open and overdue", "在办与逾期")),
        ),
        row(
            8,
            trend(["timely_handling_rate"], DEPARTMENTS, before=True),
            trend(["satisfaction_rate"], DEPARTMENTS, before=True),
        ),
        row(
            10,
            table(
                Text("Chosen departments", "所选承办单位"),
                [
                    "tickets_dispatched",
                    "tickets_handled",
                    "tickets_open",
                    "tickets_overdue",
                    "timely_handling_rate",
                    "completion_rate",
                    "average_handling_days",
                    "returned_rate",
                    "satisfaction_rate",
                    "resolution_rate",
                ],
                "window",
                DEPARTMENTS,
            ),
        ),
    ),
)
