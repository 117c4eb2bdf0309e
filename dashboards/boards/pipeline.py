"""The pipeline: whether figures arrive, and what could not be counted; for the engineer on duty."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import row
from dashboards.figures import data_age
from dashboards.panels import trend
from dashboards.pipeline import (
    covered,
    dead_by_reason,
    dead_in_the_last_hour,
    dead_letters,
    dead_trend,
    live_age,
    logs,
    marks,
    repairs,
    stored_age,
)
from dashboards.processes import (
    differing,
    insert_time,
    lag,
    lag_trend,
    memory,
    processes,
    rates,
    reconciliations,
    silent,
    starts,
)
from dashboards.words import Text

PIPELINE = Board(
    name="pipeline",
    title=Text("Pipeline", "数据链路"),
    about=Text(
        "Do figures arrive, and is anything left out? From what processes tell of themselves, and what the sink "
        "stores.",
        "数据是否及时入库?有没有未计入的?取自各进程的通报与入库进程所存的内容。",
    ),
    since="now-24h",
    refresh="10s",
    annotations=EVERYTHING,
    rows=(
        row(5, data_age(), stored_age(), live_age(), silent(), lag(), starts()),
        row(4, dead_in_the_last_hour(), repairs(), differing()),
        row(
            8,
            trend(["calls_offered", "calls_answered"], title=Text("Calls by time of the event", "话务(按事件时间)")),
            trend(
                ["tickets_created", "tickets_handled"], title=Text("Tickets by time of the event", "诉求(按事件时间)")
            ),
        ),
        row(8, rates(), lag_trend()),
        row(8, insert_time(), memory()),
        row(7, processes(), reconciliations()),
        row(8, dead_by_reason(), dead_trend()),
        row(8, dead_letters()),
        row(5, covered()),
        row(9, marks().wide(14), logs()),
    ),
)
