"""Links of panels: each leads to a page about the number that the panel shows, whatever its reader chose."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from multidict import MultiDict

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.numbers.address import Address, read
from dashboards.numbers.counted import counted
from dashboards.numbers.listed import listing
from dashboards.words import UNNAMED, Lang
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board import Board

FROM_S, TO_S = int(BORN_AT.timestamp()) + 17, int(BORN_AT.timestamp()) + 5000
BY_NAME = {board.name: board for board in BOARDS}
CHOICES = {
    "all": {kind: [ALL_VALUE] for kind in ("line", "district", "department")},
    "some": {kind: [ODD_NAME, UNNAMED] for kind in ("line", "district", "department")},
}


def in_grafana(url: str, variables: dict[str, Any], name: str = "") -> str:
    """An address as Grafana makes it of a link."""
    plain = {"${web:raw}": "http://w", "${__from}": str(FROM_S * 1000), "${__to}": str(TO_S * 1000)}
    plain["${__data.fields.name:percentencode}"] = quote(name, safe="")
    ends = {
        "since_ms": FROM_S + 60,
        "until_ms": TO_S - 60,
        "since_before_ms": FROM_S - 60,
        "until_before_ms": TO_S - 120,
    }
    plain |= {f"${{__data.fields.{column}:percentencode}}": str(at_s * 1000) for column, at_s in ends.items()}
    plain |= {"${__data.fields.source:percentencode}": "city", "${__value.raw:percentencode}": "t1"}
    for token, value in plain.items():
        url = url.replace(token, value)
    return re.sub(
        r"\$\{(\w+):queryparam\}", lambda found: urlencode({f"var-{found[1]}": variables[found[1]]}, doseq=True), url
    )


def address(url: str, variables: dict[str, Any], name: str = "") -> Address:
    split = urlsplit(in_grafana(url, variables, name))
    assert "$" not in split.query.replace(quote(ALL_VALUE), "").replace(ALL_VALUE, "")
    pairs = MultiDict(parse_qsl(split.query, strict_parsing=True))
    return read(split.path.removeprefix("/numbers/"), pairs, datetime.now(UTC), ZoneInfo(ZONE))


def panels(board: Board) -> Iterator[tuple[dict[str, Any], list[str], list[str]]]:
    """Panels with what they link to themselves, and from their values."""
    for panel in board.json(Edition(Lang.EN, ZONE))["panels"]:
        properties = [p for each in panel.get("fieldConfig", {}).get("overrides", ()) for p in each["properties"]]
        values = [link["url"] for p in properties if p["id"] == "links" for link in p["value"]]
        own = [link["url"] for link in panel.get("links", ())]
        yield panel, *([url for url in urls if "/numbers/" in url] for urls in (own, values))


def summed(sql: str) -> str:
    """The part of a statement that adds up sums."""
    return sql[sql.index("FROM (SELECT sumForEach(") :]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("board", [pytest.param(board, id=board.name) for board in BOARDS])
def test_a_tile_leads_to_the_sums_that_it_adds_up_itself(board: Board, choice: str) -> None:
    variables = {**CHOICES[choice], "window": "7d"}  # a shorter one, by its name, is known to have no whole day
    now = datetime.fromtimestamp(TO_S, UTC)
    tiles = 0
    for panel, own, _ in panels(board):
        if panel["type"] != "stat" or len(own) != 1 or len(panel["targets"]) != 1:
            continue
        sql = panel["targets"][0]["rawSql"]
        found = counted(address(own[0], variables), now, ZoneInfo(ZONE))
        assert found.sql is not None
        if " AS name" not in sql and "_change" not in sql and "AS longest_wait" not in sql:
            asked = expand(sql, Chosen(from_s=FROM_S, to_s=TO_S, variables=variables))
            assert summed(asked) == summed(found.sql), panel["title"]
            tiles += 1
    assert tiles or board.name in {"annual", "cross", "pipeline"}


@pytest.mark.parametrize("board", [pytest.param(board, id=board.name) for board in BOARDS])
def test_every_link_of_a_panel_is_an_address_of_a_number_of_its_scopes(board: Board) -> None:
    variables = {**CHOICES["some"], "window": "today"}
    links = 0
    for panel, own, values in panels(board):
        for url in own:
            found = address(url, variables)
            assert f"`{found.kpi.name}`" in panel["description"]
            assert found.chosen in {(), (ODD_NAME, UNNAMED)}
            links += 1
        for url in values:
            if "/row?" in url:
                found = address(url.replace("/row?", "?"), variables)
                assert f"`{found.kpi.name}`" in panel["description"]
                continue
            found = address(url, variables, ODD_NAME)
            of_scope = "fields.name" in url
            assert (found.chosen, found.kind != "all") == ((ODD_NAME,) if of_scope else (), of_scope)
            assert of_scope or (found.from_s, found.to_s) in {(FROM_S + 60, TO_S - 60), (FROM_S - 60, TO_S - 120)}
    assert links >= 2


def test_the_longest_wait_leads_to_those_who_wait_the_first_who_came_on_top() -> None:
    ((_, (url,), _),) = (found for found in panels(BY_NAME["wall"]) if found[0]["title"].startswith("Longest wait"))
    found = address(url, {})
    assert (found.kpi.name, found.over, found.sort, found.order) == ("calls_waiting", "now", "queued_at", "asc")
    sql = listing(counted(found, datetime.now(UTC), ZoneInfo(ZONE)), found).statement.sql
    assert re.search(r"ORDER BY `?queued_at`? ASC NULLS LAST", sql)


@pytest.mark.parametrize("lang", Lang)
def test_the_age_of_the_data_leads_to_the_pipeline_as_it_is_now(lang: Lang) -> None:
    """On every board; not in the range of the board, which may be last year."""
    for board in BOARDS:
        panels = board.json(Edition(lang, ZONE))["panels"]
        (age,) = (panel for panel in panels if panel["title"].startswith(("Data age", "数据时效")))
        (link,) = age["links"]
        assert link["url"] == f"/d/{Edition(lang, ZONE).uid('pipeline')}"
        assert (link["keepTime"], link["includeVars"]) == (False, False)
