"""One question asked three ways: what `hotline watch`, `hotline kpi` and a running stack's boards say right now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cli.watch.contents import SCREENS
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.words import Lang
from deploy.stack.boards import boards_here
from deploy.stack.state import read_state
from hotline.catalogue import KPIS, Stock
from hotline.windows import NOW
from tests.dashboards.web.sites import still, written

if TYPE_CHECKING:
    from tests.e2e.stacks import Hotline

Figures = dict[tuple[str, str], Any]
"""KPI and window → what is said of it."""


def watched(hotline: Hotline) -> Figures:
    """Read the figures of all screens of `hotline watch`."""
    found: Figures = {}
    for screen in SCREENS:
        done = hotline.do("watch", "--once", "--json", "--screen", screen)
        assert done.code == 0, done.said
        found |= {(one["kpi"], one["window"]): one["value"] for one in done.json["figures"] if not one["scope"]}
    return found


def asked(hotline: Hotline) -> Figures:
    """Ask `hotline kpi` about today up to the end of the running minute, and about what is open then."""
    now = datetime.now(ZoneInfo(hotline.settings.zone))
    so_far = f"{now:%Y-%m-%d}..{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    return {
        (one["kpi"], NOW if isinstance(KPIS[one["kpi"]].numerator, Stock) else "today"): one["value"]
        for one in hotline.figures(*KPIS, period=so_far)
    }


def shown(hotline: Hotline, window: str) -> Figures:
    """Read the texts of all tiles as the stack's boards show them, with that window and nothing else chosen."""
    state = read_state(hotline.settings.folder)
    assert state is not None
    port = int(boards_here(state).rpartition(":")[2])
    found: Figures = {}
    for board in BOARDS:
        panels = still(port, f"/d/{Edition(Lang.EN, state.settings.zone).uid(board.name)}?var-window={window}")
        for entry in (entry for row in board.rows for entry in row.entries):
            kind, *more = entry.key.split()
            if kind == "tile":
                name, over, _ = more
                (tile,) = panels[entry.id]["tiles"]
                found[name, {"window": window}.get(over, over)] = tile["text"]
    return found


def agree(hotline: Hotline, *windows: str) -> tuple[int, int]:
    """Hold the three against one another; how many figures of `hotline kpi`, and of boards, were compared.

    Minutes and deadlines pass by themselves: what is compared is what stood still while it was asked for.
    """
    before = watched(hotline)
    figures, texts = asked(hotline), [shown(hotline, window) for window in windows]
    after = watched(hotline)
    still_so = {key: value for key, value in before.items() if after[key] == value}
    answered = {key: value for key, value in figures.items() if key in still_so}
    _same(answered, still_so)
    said = {key: text for one in texts for key, text in one.items() if key in still_so}
    _same(said, {key: written(key[0], still_so[key], Lang.EN) for key in said})
    return len(answered), len(said)


def _same(one: Figures, other: Figures) -> None:
    differ = {key: (value, other[key]) for key, value in one.items() if value != other[key]}
    assert not differ
