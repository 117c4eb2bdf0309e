"""Rules that every board keeps; each names the panel, what is wrong and what to write."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from grafana_foundation_sdk.models import units

from dashboards import look
from dashboards.annotations import MARKS_MAX
from dashboards.entries import GRID_WIDTH
from dashboards.links import NUMBERS, WEB_VARIABLE
from dashboards.macros import ALL_VALUE, MacroError, variables_of
from dashboards.query import DATASOURCE_UID, SERIES
from dashboards.web.drawable import OPTIONS, undrawable
from dashboards.web.shown import TIME_UNIT
from dashboards.words import NO_VALUE
from hotline.catalogue import KPIS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UID_CHARACTERS_MAX = 40
SCHEMA_VERSION = 42
_UNITS = frozenset(get_args(hint)[0] for hint in vars(units).get("__annotations__", {}).values())
_INTERVAL = re.compile(r"[1-9]\d*[smhd]")
_UNQUOTED = re.compile(r"\$\{\w+\}")
_SELECTED = re.compile(r" AS (\w+)")
_OF_ROW = "${__data.fields."
_READ_OF_ROW = re.compile(r"\$\{__data\.fields\.(\w+)")
_EVENTS = re.compile(r"\b\w+_events\b")
Json = dict[str, Any]


class LintError(ValueError):
    """Boards that break rules; the message has a line for each breach."""


def lint(board: Json) -> list[str]:
    """Say which rules a board breaks."""
    of_board = [breach for rule in _OF_BOARD for breach in rule(board)]
    names = {variable["name"] for variable in board["templating"]["list"]}
    return of_board + [
        f"panel {panel.get('title', '')!r}: {breach}" for panel in board["panels"] for breach in _of_panel(panel, names)
    ]


def _head(board: Json) -> Iterator[str]:
    uid = board.get("uid", "")
    if not uid or len(uid) > UID_CHARACTERS_MAX:
        yield f"uid {uid!r}: give one of at most {UID_CHARACTERS_MAX} characters"
    if "id" in board:
        yield "id: leave it to the server, the uid names the board"
    if board.get("editable", True):
        yield "editable: boards are code, set false"
    if board.get("schemaVersion") != SCHEMA_VERSION:
        yield f"schemaVersion {board.get('schemaVersion')}: write {SCHEMA_VERSION}, the last of the classic model"
    if board.get("timezone", "browser") in {"", "browser"}:
        yield "timezone: name the hotline's zone, days are local"
    for name in ("title", "description"):
        if not board.get(name):
            yield f"{name}: say what question the board answers"


def _ids(board: Json) -> Iterator[str]:
    for number, count in Counter(panel.get("id") for panel in board["panels"]).items():
        if not number or count > 1:
            yield f"panel id {number} stands {count} times: give every panel one of its own"


def _placement(board: Json) -> Iterator[str]:
    for placed in (*board["links"], *board["annotations"]["list"]):
        if "placement" in placed:
            yield f"{placed.get('title') or placed.get('name')!r}: placement hides it in a menu, leave it out"


def _links(board: Json) -> Iterator[str]:
    for link in board["links"]:
        if not (link.get("keepTime") and link.get("includeVars")):
            yield f"link {link['title']!r}: keep time range and variables"


def _grid(board: Json) -> Iterator[str]:
    cells: Counter[tuple[int, int]] = Counter()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    rows = max((y for _, y in cells), default=-1) + 1
    overlaps = sorted(cell for cell, count in cells.items() if count > 1)
    holes = [(x, y) for y in range(rows) for x in range(GRID_WIDTH) if (x, y) not in cells]
    if any(x >= GRID_WIDTH for x, _ in cells):
        yield f"grid: a panel is outside the {GRID_WIDTH} columns"
    if overlaps:
        yield f"grid: panels overlap at {overlaps[0]} (x, y)"
    if holes:
        yield f"grid: nothing is at {holes[0]} (x, y)"


def _variables(board: Json) -> Iterator[str]:
    if WEB_VARIABLE not in {variable["name"] for variable in board["templating"]["list"]}:
        yield f"variable {WEB_VARIABLE}: add web_variable, links to the pages of numbers begin with it"
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if variable["type"] == "adhoc":
            yield f"variable {name}: no ad hoc filters, they need a setting that the reader may not have"
        if variable.get("allValue"):
            yield f"variable {name}: no allValue, $__conditionalAll looks for {ALL_VALUE}"
        if variable["type"] == "query":
            yield from (f"variable {name}: {breach}" for breach in _sql(variable["query"], set()))


def _annotations(board: Json) -> Iterator[str]:
    names = {variable["name"] for variable in board["templating"]["list"]}
    for annotation in board["annotations"]["list"]:
        sql = annotation["target"].get("rawSql")
        if sql is None:
            continue
        if " AS time" not in sql or " AS text" not in sql:
            yield f"annotation {annotation['name']!r}: select time and text"
        if not sql.endswith(f" LIMIT {MARKS_MAX}"):
            yield f"annotation {annotation['name']!r}: end with LIMIT {MARKS_MAX}, more marks hide a trend"
        yield from (f"annotation {annotation['name']!r}: {breach}" for breach in _sql(sql, names))


_OF_BOARD: tuple[Callable[[Json], Iterator[str]], ...] = (
    _head,
    _ids,
    _placement,
    _links,
    _grid,
    _variables,
    _annotations,
)


def _of_panel(panel: Json, names: set[str]) -> Iterator[str]:
    yield from undrawable(panel)
    if not panel.get("title"):
        yield "title: give one"
    if not panel.get("description"):
        yield "description: say what the numbers are"
    if panel["type"] in OPTIONS.keys() - {"text"}:
        yield from _of_query_panel(panel, names)


def _of_query_panel(panel: Json, names: set[str]) -> Iterator[str]:
    if not _INTERVAL.fullmatch(panel.get("interval", "")):
        yield "interval: give one, such as 1m; without it the width of the panel decides"
    if panel.get("datasource", {}).get("uid") != DATASOURCE_UID:
        yield f"datasource: {DATASOURCE_UID} is the one of all boards"
    yield from _field(panel["fieldConfig"]["defaults"])
    for override in panel["fieldConfig"]["overrides"]:
        given = {each["id"]: each["value"] for each in override["properties"]}
        if "unit" in given:
            yield from _unit(given["unit"], given.get("decimals"))
        if "thresholds" in given:
            yield from _base(given["thresholds"])
    if not panel.get("targets"):
        yield "targets: it asks nothing"
    yield from _limit(panel)
    yield from _lines(panel)
    yield from _to_numbers(panel)
    yield from _texts_of_links(panel)
    for target in panel.get("targets", ()):
        yield from _sql(target["rawSql"], names)
        if target["format"] == SERIES and " AS time" not in target["rawSql"]:
            yield "a series needs a column: write AS time"


def _limit(panel: Json) -> Iterator[str]:
    reduced = panel.get("options", {}).get("reduceOptions", {})
    if reduced.get("values") and not reduced.get("limit"):
        yield "reduceOptions: write a limit, Grafana draws 25 rows without one"


def _lines(panel: Json) -> Iterator[str]:
    if panel["type"] != "timeseries":
        return
    common = panel["fieldConfig"]["defaults"]
    given = [{one["id"]: one["value"] for one in each["properties"]} for each in panel["fieldConfig"]["overrides"]]
    colours = Counter(each.get("color", common.get("color", {})).get("fixedColor") for each in given)
    for colour, count in colours.items():
        if colour is None or count > 1:
            yield f"overrides: {count} lines have the colour {colour}, give each one of look.LINES of its own"


def _to_numbers(panel: Json) -> Iterator[str]:
    """Every KPI that a panel shows has a link to its page; in rows of a scope or a span of time, each value has one.

    Values that are made of those of a KPI, as `…_before`, lead to its page as well.
    """
    shown = {name for target in panel.get("targets", ()) for name in _SELECTED.findall(target["rawSql"])}
    leads = {_path(link.get("url", "")) for link in panel.get("links", ())}
    for kpi in sorted(shown & KPIS.keys()):
        if _page(kpi) not in leads:
            yield f"links: {kpi} has none to its page, add to_numbers"
    values = {(name, _path(url)) for name, url in _links_of_rows(panel)}
    for name in sorted(_of_rows(panel, shown)):
        if (name, _page(_kpi_of(name))) not in values:
            to = "to_number_of_scope or to_number_of_span"
            yield f"overrides: values of {name} do not lead to the page of what their row is about, add {to}"


def _texts_of_links(panel: Json) -> Iterator[str]:
    """What links read of a row is written as it is: Grafana would give them the digits of a name as `12,345`."""
    units = {
        each["matcher"]["options"]: given["value"]
        for each in panel["fieldConfig"]["overrides"]
        for given in each["properties"]
        if given["id"] == "unit"
    }
    read = {name for _, url in _links_of_rows(panel) for name in _READ_OF_ROW.findall(url)}
    for name in sorted(read):
        if units.get(name) != look.TEXT_UNIT:
            yield f"column {name}: links read it, so give it the unit {look.TEXT_UNIT}"


def _page(kpi: str) -> str:
    return f"${{{WEB_VARIABLE}:raw}}{NUMBERS}{kpi}"


def _path(url: str) -> str:
    return url.partition("?")[0]


def _kpi_of(column: str) -> str:
    """The KPI that a column shows, or that what it shows is made of; nothing for one of no KPI."""
    return next((name for name in (column, column.rpartition("_")[0]) if name in KPIS), "")


def _of_rows(panel: Json, shown: set[str]) -> set[str]:
    """Columns of KPIs whose values each belong to a row: all of a table, else those of scopes."""
    if panel["type"] == "table":
        return {name for each in panel["fieldConfig"]["overrides"] if _kpi_of(name := each["matcher"]["options"])}
    return shown & KPIS.keys() if "name" in shown else set()


def _links_of_rows(panel: Json) -> Iterator[tuple[str, str]]:
    """Columns with where their values lead, if that names a column of the row."""
    for override in panel["fieldConfig"]["overrides"]:
        yield from ((name, url) for name, url in _links_of(override) if _OF_ROW in url)


def _links_of(override: Json) -> Iterator[tuple[str, str]]:
    for given in override["properties"]:
        if given["id"] == "links":
            yield from ((override["matcher"]["options"], link["url"]) for link in given["value"])


def _field(field: Json) -> Iterator[str]:
    yield from _unit(field.get("unit"), field.get("decimals"))
    yield from _base(field.get("thresholds", {}))
    if field.get("noValue") != NO_VALUE:
        yield f"noValue {field.get('noValue')!r}: write {NO_VALUE}; it is shown for errors too"


def _unit(unit: str | None, decimals: float | None) -> Iterator[str]:
    if unit is None or (unit not in _UNITS and not unit.startswith(("suffix:", TIME_UNIT))):
        yield f"unit {unit!r}: Grafana has none of that name"
    if decimals is None and unit != look.TEXT_UNIT:
        yield "decimals: say how many"


def _base(thresholds: Json) -> Iterator[str]:
    steps = thresholds.get("steps") or [{}]
    if steps[0].get("value", 0) is not None or steps[0].get("color") != look.NO_DATA:
        yield f"thresholds: the base is {look.NO_DATA} from null on; colours of values begin at 0"


def _sql(sql: str, names: set[str]) -> Iterator[str]:
    try:
        unknown = variables_of(sql) - names
    except MacroError as error:
        yield str(error)
        return
    for name in sorted(unknown):
        yield f"variable {name!r}: the board has none of that name"
    for found in _UNQUOTED.findall(sql):
        yield f"{found} stands unquoted: write {found[:-1]}:singlequote}}"
    for found in _EVENTS.findall(sql):
        yield f"{found}: boards read sums, or rows where there are no sums"
