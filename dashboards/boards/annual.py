"""The year: what the office publishes, by month, quarter and year, beside the year before. No refresh."""

from __future__ import annotations

from dashboards.annotations import EVERYTHING
from dashboards.board import Board
from dashboards.coverage import coverage
from dashboards.entries import Scopes, row
from dashboards.figures import data_age
from dashboards.words import Text
from dashboards.workdays import workday_table
from dashboards.yearly import definitions, year_line, year_split, year_table, year_tile, year_top, year_totals
from hotline.buckets import By

AUDIENCE, CHANNEL, CATEGORY, DEPARTMENT, LINE, DISTRICT, NATURE = map(
    Scopes, ("audience", "channel", "category", "department", "line", "district", "nature")
)
TICKET_NAMES = ["tickets_created", "tickets_answered_online", "tickets_dispatched"]
ONLINE_NAMES = ["tickets_answered_by_operators", "tickets_answered_by_specialists"]
CALL_COUNTS = ["calls_connected", "calls_offered", "calls_answered", "calls_outbound"]
CALL_NAMES = ["calls_answered", "answered_30s_share", "average_wait_s", "average_talk_s", "long_talk_share"]
TALK_NAMES = [
    *("average_talk_s", "long_talk_share"),
    *("average_talk_outbound_s", "long_talk_share_outbound"),
    *("average_talk_all_s", "long_talk_share_all"),
]
HANDLING_NAMES = ["timely_handling_rate", "completion_rate", "average_handling_workdays", "reopened_rate"]
TICKETS_AND_HANDLING = [*TICKET_NAMES, *HANDLING_NAMES]
SURVEY_COUNTS = ["surveys_asked", "surveys_rated"]
SURVEY_NAMES = ["participation_rate", "satisfaction_rate", "operator_satisfaction_rate", "resolution_rate"]

EVERY_NAME = dict.fromkeys(
    [
        *TICKET_NAMES,
        *ONLINE_NAMES,
        *CALL_COUNTS,
        *CALL_NAMES,
        *TALK_NAMES,
        *HANDLING_NAMES,
        *SURVEY_COUNTS,
        *SURVEY_NAMES,
    ]
)

HANDLED = Text("Tickets and handling", "诉求与办理")
HEIGHTS = {By.MONTH: 14, By.QUARTER: 7, By.YEAR: 4}
"""Of tables of a year's spans: as many rows as it has of them, of a height that Grafana gives them."""

ANNUAL = Board(
    name="annual",
    title=Text("The year", "年度"),
    about=Text(
        "How was the year, and how does it compare with the one before? The range is the last whole year.",
        "全年情况如何?与上年相比怎样?默认范围为上一个完整年度。",
    ),
    since="now-1y/y",
    until="now-1y/y",
    annotations=EVERYTHING,
    rows=(
        row(
            4,
            *(year_tile(name).wide(4) for name in TICKET_NAMES),
            year_totals(Text("Answered on-line: by whom", "在线解答:按答复人"), ONLINE_NAMES).wide(8),
            data_age(),
        ),
        row(6, year_split(Text("Tickets by audience", "诉求总量与办理"), [*TICKET_NAMES, *ONLINE_NAMES], AUDIENCE)),
        row(
            8,
            year_split(Text("Tickets by channel", "诉求来源"), ["tickets_created"], CHANNEL, CATEGORY.kind).wide(7),
            year_split(Text("Tickets by line", "各热线诉求"), [*TICKET_NAMES, *ONLINE_NAMES], LINE),
        ),
        row(4, *map(year_tile, CALL_COUNTS), *map(year_tile, CALL_NAMES[1:3])),
        row(4, *map(year_tile, TALK_NAMES)),
        row(9, year_line("tickets_created"), year_line("calls_answered")),
        row(9, year_line("answered_30s_share"), year_line("average_wait_s")),
        *(row(HEIGHTS[by], year_table(Text("Calls", "话务"), CALL_NAMES, by)) for by in HEIGHTS),
        row(HEIGHTS[By.MONTH], year_table(Text("Tickets", "诉求"), [*TICKET_NAMES, *HANDLING_NAMES[:2]], By.MONTH)),
        row(HEIGHTS[By.QUARTER], year_table(HANDLED, TICKETS_AND_HANDLING, By.QUARTER)),
        row(HEIGHTS[By.YEAR], year_table(HANDLED, TICKETS_AND_HANDLING, By.YEAR)),
        row(
            HEIGHTS[By.MONTH],
            workday_table(Text("Tickets", "诉求"), TICKET_NAMES[:1]).wide(10),
            workday_table(Text("Calls", "话务"), CALL_COUNTS[1:3]),
        ),
        row(
            8,
            year_top("tickets_created", CATEGORY),
            year_top("tickets_dispatched", DEPARTMENT),
            year_top("tickets_created", DISTRICT),
        ),
        row(4, *map(year_tile, HANDLING_NAMES)),
        row(10, year_split(Text("Departments", "承办单位"), [TICKET_NAMES[2], *HANDLING_NAMES], DEPARTMENT)),
        row(
            8,
            year_split(
                Text("Handling in working days, by nature", "工作日办理时长"),
                [TICKET_NAMES[0], TICKET_NAMES[2], HANDLING_NAMES[2]],
                NATURE,
                CATEGORY.kind,
            ),
            year_line("average_handling_workdays"),
        ),
        row(4, *map(year_tile, [*SURVEY_COUNTS, *SURVEY_NAMES])),
        *(row(HEIGHTS[by], year_table(Text("Surveys", "评价"), [*SURVEY_COUNTS, *SURVEY_NAMES], by)) for by in HEIGHTS),
        row(9, year_line("satisfaction_rate"), year_line("resolution_rate")),
        row(
            HEIGHTS[By.MONTH],
            coverage().wide(8),
            definitions(EVERY_NAME),
        ),
    ),
)
