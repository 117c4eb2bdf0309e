"""The wall: the city now, on one screen, legible from five metres. Nothing to choose."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import row
from dashboards.figures import data_age, longest_wait
from dashboards.panels import tile, trend
from dashboards.words import Text

WALL = Board(
    name="wall",
    title=Text("Hotline wall", "热线大屏"),
    about=Text("How is the hotline doing right now?", "热线现在运行得怎么样?"),
    since="now/d",
    refresh="5s",
    annotations=EVERYTHING,
    rows=(
        row(
            9,
            tile("calls_waiting", "now"),
            longest_wait(),
            tile("answered_30s_share", "30min"),
            tile("abandonment_rate", "30min"),
        ),
        row(
            9,
            tile("tickets_created", "today"),
            tile("timely_handling_rate", "today"),
            tile("tickets_overdue", "now"),
            tile("satisfaction_rate", "today"),
        ),
        row(8, data_age().wide(6), trend(["calls_offered"], before=True)),
    ),
)
