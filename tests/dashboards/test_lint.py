"""Each rule of boards finds a board that breaks it."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.lint import lint
from dashboards.words import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

EDITION = Edition(Lang.EN, "Asia/Shanghai")
CALLS, ANNUAL = (board.json(EDITION) for board in BOARDS if board.name in {"calls", "annual"})
Json = dict[str, Any]


def first(board: Json, kind: str) -> Json:
    found: Json = next(panel for panel in board["panels"] if panel["type"] == kind)
    return found


def tiles(board: Json) -> Json:
    return next(each for each in board["panels"] if each.get("options", {}).get("reduceOptions", {}).get("values"))


def coloured(board: Json, colour: str | None) -> None:
    """Give all lines of the trend of answered and abandoned calls a colour, or none."""
    panel = next(each for each in board["panels"] if each["title"] == "Answered and abandoned")
    for each in panel["fieldConfig"]["overrides"]:
        for given in each["properties"]:
            if given["id"] == "color":
                given["value"] = {"mode": "fixed", "fixedColor": colour} if colour else {"mode": "thresholds"}


def put(name: str, value: Any) -> Callable[[Json], None]:
    return lambda board: board.update({name: value})


def in_panel(kind: str, name: str, value: Any) -> Callable[[Json], None]:
    return lambda board: first(board, kind).update({name: value})


def in_field(name: str, value: Any) -> Callable[[Json], None]:
    return lambda board: first(board, "stat")["fieldConfig"]["defaults"].update({name: value})


def in_sql(sql: str, kind: str = "stat") -> Callable[[Json], None]:
    return lambda board: first(board, kind)["targets"][0].update(rawSql=sql)


def moved(**by: int) -> Callable[[Json], None]:
    return lambda board: first(board, "stat")["gridPos"].update(by)


def in_override(name: str, value: Any, *, of: int = 1) -> Callable[[Json], None]:
    def change(board: Json) -> None:
        given = first(board, "table")["fieldConfig"]["overrides"][of]["properties"]
        next(each for each in given if each["id"] == name)["value"] = value

    return change


def base(color: str, value: float | None) -> Json:
    return {"mode": "absolute", "steps": [{"value": value, "color": color}]}


BREACHES: dict[str, Callable[[Json], None]] = {
    "uid '': give one": put("uid", ""),
    "at most 40 characters": put("uid", "x" * 41),
    "id: leave it to the server": put("id", 7),
    "editable: boards are code": put("editable", True),
    "schemaVersion 41": put("schemaVersion", 41),
    "timezone: name the hotline's zone": put("timezone", "browser"),
    "title: say what question": put("title", ""),
    "description: say what question": put("description", ""),
    "stands 2 times": lambda board: board["panels"][0].update(id=board["panels"][1]["id"]),
    "placement hides it": lambda board: board["links"][0].update(placement="inControlsMenu"),
    "keep time range and variables": lambda board: board["links"][0].update(keepTime=False),
    "panels overlap at (4, 0)": moved(x=4),
    "nothing is at (0, 0)": moved(x=4, w=4),
    "outside the 24 columns": moved(x=23),
    "no ad hoc filters": lambda board: board["templating"]["list"][1].update(type="adhoc"),
    "no allValue": lambda board: board["templating"]["list"][1].update(allValue=".*"),
    "variable line: unknown macro": lambda board: board["templating"]["list"][1].update(
        query="SELECT $__timeFilter(a)"
    ),
    "select time and text": lambda board: board["annotations"]["list"][1]["target"].update(rawSql="SELECT 1 AS time"),
    "end with LIMIT 100": lambda board: board["annotations"]["list"][3]["target"].update(
        rawSql="SELECT 1 AS time, '' AS text"
    ),
    "kind 'gauge': the web board draws": in_panel("stat", "type", "gauge"),
    "kind 'row': the web board draws": in_panel("stat", "type", "row"),
    "title: give one": in_panel("stat", "title", ""),
    "description: say what the numbers are": in_panel("stat", "description", ""),
    "interval: give one": in_panel("stat", "interval", ""),
    "datasource: hotline-clickhouse": in_panel("stat", "datasource", {"uid": "other"}),
    "write a limit, Grafana draws 25 rows": lambda board: tiles(board)["options"]["reduceOptions"].pop("limit"),
    "filterValues.le = 1e-09: the web board draws -1": lambda board: first(board, "heatmap")["options"].update(
        filterValues={"le": 1e-9}
    ),
    "color.mode = 'palette-classic': the web board draws": lambda board: first(board, "timeseries")["fieldConfig"][
        "defaults"
    ].update(color={"mode": "palette-classic"}),
    "color.fixedColor = 'green': the web board draws": in_field("color", {"mode": "fixed", "fixedColor": "green"}),
    "2 lines have the colour #B877D9": lambda board: coloured(board, "#B877D9"),
    "2 lines have the colour None": lambda board: coloured(board, None),
    "targets: it asks nothing": in_panel("stat", "targets", []),
    "unit 'furlongs'": in_field("unit", "furlongs"),
    "decimals: say how many": in_field("decimals", None),
    "noValue 'nobody'": in_field("noValue", "nobody"),
    "thresholds: the base": in_field("thresholds", base("green", None)),
    "thresholds: the base is #8E8E8E from null": in_field("thresholds", base("#8E8E8E", 0)),
    "unit 'ells'": in_override("unit", "ells"),
    "thresholds: the base is": in_override("thresholds", base("green", None)),
    "unknown macro $__timeInterval": in_sql("SELECT $__timeInterval(at) AS time"),
    "the board has none of that name": in_sql("SELECT ${queue:singlequote}"),
    "${line} stands unquoted": in_sql("SELECT ${line}"),
    "unknown format 'csv'": in_sql("SELECT ${line:csv}"),
    "call_events: boards read sums": in_sql("SELECT count() FROM hotline.call_events"),
    "write AS time": in_sql("SELECT at", "timeseries"),
    "variable web: add web_variable": lambda board: board["templating"]["list"].pop(),
    "links: calls_waiting has none to its page": in_panel("stat", "links", []),
    "links: calls_answered has none to its page": in_sql("SELECT 1 AS calls_answered"),
    "values of calls_offered do not lead": in_override("links", []),
    "column name: links read it, so give it the unit string": in_override("unit", "locale", of=0),
    "values of service_level_30s do not lead": lambda board: first(board, "bargauge")["fieldConfig"].update(
        overrides=[]
    ),
}
OF_CELLS = ("Surveys by year", "Tickets by working days", "Departments")
"""Tables of the year whose rows are years, months and scopes."""


@pytest.mark.parametrize("said", BREACHES)
def test_a_board_that_breaks_a_rule_is_told_which(said: str) -> None:
    board = copy.deepcopy(CALLS)
    BREACHES[said](board)
    assert [breach for breach in lint(board) if said in breach], lint(board)


@pytest.mark.parametrize("title", OF_CELLS)
def test_each_cell_of_a_table_is_told_that_leads_nowhere_or_to_more_than_its_row(title: str) -> None:
    """Also one of the year before, of a change, and of days of a kind."""
    cells = 0
    (at,) = (place for place, panel in enumerate(ANNUAL["panels"]) if panel["title"] == title)
    for place, override in enumerate(ANNUAL["panels"][at]["fieldConfig"]["overrides"]):
        given = {each["id"]: each for each in override["properties"]}
        if not set(override["matcher"]["options"].split("_")) & {"name", "time", "ms", "days"}:
            whole = re.sub(r"\$\{__data\.fields\.\w+:percentencode\}", "1", given["links"]["value"][0]["url"])
            for links in ([], [{**given["links"]["value"][0], "url": whole}]):
                board = copy.deepcopy(ANNUAL)
                of = board["panels"][at]["fieldConfig"]["overrides"][place]["properties"]
                next(each for each in of if each["id"] == "links")["value"] = links
                (breach,) = lint(board)
                assert f"values of {override['matcher']['options']} do not lead" in breach
            cells += 1
    assert cells >= 1


def test_the_board_that_is_broken_here_breaks_no_rule_by_itself() -> None:
    assert lint(CALLS) == []
