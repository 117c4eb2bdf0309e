"""What two boards differ in, over any JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.grafana.differences import differences
from dashboards.words import Lang

CALLS = next(board for board in BOARDS if board.name == "calls").json(Edition(Lang.EN, "Asia/Shanghai"))
KEYS = st.sampled_from(["id", "refId", "name", "title", "panels", "x"])
LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=3)


def same(a: Any, b: Any) -> bool:
    """Whether they are the same JSON, keys in any order."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@given(OBJECTS, OBJECTS)
@settings(max_examples=100, deadline=None)
def test_there_is_a_difference_exactly_when_boards_are_not_the_same(
    there: dict[str, Any], ours: dict[str, Any]
) -> None:
    """Whatever they hold, and with all that the server adds."""
    there, ours = ({key: value for key, value in each.items() if key != "id"} for each in (there, ours))
    found = differences({**there, "id": 1, "version": 7}, ours)
    assert bool(found) is not same(there, ours)
    assert differences(ours, copy.deepcopy(ours)) == []


def places(change: Any) -> list[str]:
    there = copy.deepcopy(CALLS)
    change(there)
    return [difference.place for difference in differences(there, CALLS)]


def test_a_difference_names_its_panel_and_the_way_to_it() -> None:
    title = CALLS["panels"][2]["title"]
    assert places(lambda board: board["panels"][2]["gridPos"].update(h=99)) == [f"panels[{title}].gridPos.h"]
    assert places(lambda board: board["panels"][2]["targets"][0].update(rawSql="SELECT 1")) == [
        f"panels[{title}].targets[A].rawSql"
    ]


def test_a_panel_too_many_or_too_few_is_one_difference_and_not_all_after_it() -> None:
    first = CALLS["panels"][0]["title"]
    assert places(lambda board: board["panels"].pop(0)) == [f"panels[{first}]"]
    assert places(lambda board: board["panels"].insert(0, {"id": 5, "title": "Of somebody"})) == ["panels[Of somebody]"]


def test_another_order_is_a_difference() -> None:
    assert places(lambda board: board["panels"].reverse()) == ["panels (order)"]
