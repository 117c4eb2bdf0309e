"""One district, or several: its calls, its tickets, what its citizens say."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DISTRICTS, row
from dashboards.figures import data_age
from dashboards.panels import table, tile, trend
from dashboards.variables import scope, window
from dashboards.words import Text
from hotline.subjects import CALLS, TICKETS

DISTRICT = Board(
    name="district",
    title=Text("District", "县市区平台"),
    about=Text("How is a district served?", "县市区平台的服务情况如何?"),
    since="now-7d",
    refresh="1m",
    variables=(window("7d"), scope("district", CALLS, TICKETS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("calls_offered", "window", DISTRICTS),
            tile("service_level_30s", "window", DISTRICTS),
            tile("abandonment_rate", "window", DISTRICTS),
            tile("timely_handling_rate", "window", DISTRICTS),
            tile("satisfaction_rate", "window", DISTRICTS),
            data_age(),
        ),
        row(
            5,
            tile("tickets_created", "window", DISTRICTS),
            tile("tickets_handled", "window", DISTRICTS),
            tile("tickets_open", "now", DISTRICTS),
            tile("tickets_overdue", "now", DISTRICTS),
            tile("average_handling_days", "window", DISTRICTS),
            tile("reopened_rate", "window", DISTRICTS),
        ),
        row(8, trend(["calls_offered"], DISTRICTS, before=True), trend(["tickets_created"], DISTRICTS, before=True)),
        row(
            8,
            trend(["timely_handling_rate"], DISTRICTS, before=True),
            trend(["satisfaction_rate"], DISTRICTS, before=True),
        ),
        row(
            10,
            table(
                Text("Calls of the chosen districts", "所选区县话务"),
                ["calls_offered", "calls_answered", "service_level_30s", "abandonment_rate", "average_wait_s"],
                "window",
                DISTRICTS,
            ),
            table(
                Text("Tickets of the chosen districts", "所选区县诉求"),
                ["tickets_created", "tickets_open", "tickets_overdue", "timely_handling_rate", "satisfaction_rate"],
                "window",
                DISTRICTS,
            ),
        ),
    ),
)
