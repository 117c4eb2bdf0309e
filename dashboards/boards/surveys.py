"""Surveys: what citizens say of how their tickets were handled."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.entries import DEPARTMENTS, DISTRICTS, LINES, row
from dashboards.figures import data_age
from dashboards.panels import heat, ranking, table, tile, tiles, trend
from dashboards.variables import scope, window
from dashboards.words import Text
from hotline.subjects import TICKETS

COLUMNS = [
    "surveys_rated",
    "satisfaction_rate",
    "operator_satisfaction_rate",
    "resolution_rate",
    "participation_rate_cohort",
]

SURVEYS_BOARD = Board(
    name="surveys",
    title=Text("Surveys", "评价"),
    about=Text(
        "Are citizens satisfied, and with whom not? Numbers, trends and the heat map are of the chosen lines, tables "
        "and bars of the chosen departments or districts: sums are kept by one kind of scope at a time.",
        "群众是否满意?对哪些单位不满意?数字、趋势和时段图按所选热线统计,表格和排名按所选部门、区县统计:"
        "各类维度的和分开保存,不能交叉。",
    ),
    since="now-7d",
    refresh="1m",
    variables=(window("7d"), scope("line", TICKETS), scope("department", TICKETS), scope("district", TICKETS)),
    annotations=EVERYTHING,
    rows=(
        row(
            5,
            tile("satisfaction_rate", "window", LINES),
            tile("operator_satisfaction_rate", "window", LINES),
            tile("resolution_rate", "window", LINES),
            tile("participation_rate", "window", LINES),
            tile("surveys_rated", "window", LINES),
            data_age(TICKETS),
        ),
        row(6, tiles("satisfaction_rate", "window", DISTRICTS)),
        row(8, trend(["satisfaction_rate"], LINES, before=True), trend(["resolution_rate"], LINES, before=True)),
        row(
            8,
            trend(["surveys_asked", "surveys_rated"], LINES, title=Text("Asked and rated", "征集与参评")),
            heat("surveys_rated", LINES),
        ),
        row(
            10,
            table(Text("Departments", "承办单位"), COLUMNS, "window", DEPARTMENTS, opens="department"),
            table(Text("Districts", "县市区平台"), COLUMNS, "window", DISTRICTS, opens="district"),
        ),
        row(
            9,
            ranking("satisfaction_rate", "window", DEPARTMENTS),
            ranking("satisfaction_rate", "window", DEPARTMENTS, worst=True),
            ranking("resolution_rate", "window", DEPARTMENTS, worst=True),
        ),
    ),
)
