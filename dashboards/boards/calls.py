"""Calls: who waits, how soon they are answered, on which line; for the shift supervisor."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DISTRICTS, LINES, OPERATOR_GROUPS, row
from dashboards.figures import data_age
from dashboards.panels import heat, ranking, table, tile, tiles, trend
from dashboards.variables import scope, window
from dashboards.words import Text
from hotline.subjects import CALLS

COLUMNS = ["calls_offered", "calls_waiting", "service_level_30s", "abandonment_rate", "average_wait_s"]

CALLS_BOARD = Board(
    name="calls",
    title=Text("Calls", "话务"),
    about=Text(
        "Are callers answered in time, and on which line not? Numbers, trends and the heat map are of the chosen "
        "lines, the table and the bars by district of the chosen districts, those by operator group of all: sums are "
        "kept by one kind of scope at a time.",
        "来电是否及时接听?哪条热线没有?数字、趋势和时段图按所选热线统计,区县表格和排名按所选区县统计,班组排名为全部:"
        "各类维度的和分开保存,不能交叉。",
    ),
    since="now-6h",
    refresh="10s",
    variables=(window("1h"), scope("line", CALLS), scope("district", CALLS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("calls_waiting", "now", LINES),
            tile("calls_talking", "now", LINES),
            tile("service_level_30s", "window", LINES),
            tile("abandonment_rate", "window", LINES),
            tile("average_wait_s", "window", LINES),
            data_age(CALLS),
        ),
        row(
            5,
            tile("calls_offered", "window", LINES),
            tile("calls_answered", "window", LINES),
            tile("calls_abandoned", "window", LINES),
            tile("answered_30s_share", "window", LINES),
            tile("average_talk_s", "window", LINES),
            tile("long_talk_share", "window", LINES),
        ),
        row(6, tiles("service_level_30s", "window", LINES).wide(16), tiles("calls_waiting", "now", LINES)),
        row(8, trend(["calls_offered"], LINES, before=True), trend(["service_level_30s"], LINES, before=True)),
        row(
            8,
            trend(["calls_answered", "calls_abandoned"], LINES, title=Text("Answered and abandoned", "接听与放弃")),
            trend(["calls_waiting", "calls_talking"], LINES, title=Text("Waiting and talking", "排队与通话中")),
        ),
        row(
            10,
            table(Text("Lines", "热线"), COLUMNS, "window", LINES),
            table(Text("Districts", "县市区平台"), COLUMNS, "window", DISTRICTS, opens="district"),
        ),
        row(
            9,
            ranking("service_level_30s", "window", DISTRICTS),
            ranking("service_level_30s", "window", DISTRICTS, worst=True),
        ),
        row(
            9,
            ranking("answered_30s_share", "window", OPERATOR_GROUPS),
            ranking("answered_30s_share", "window", OPERATOR_GROUPS, worst=True),
        ),
        row(9, heat("calls_offered", LINES)),
    ),
)
