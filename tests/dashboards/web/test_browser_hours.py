"""A page in Chromium that hangs for a shift."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser

from dashboards.web import feeds
from dashboards.web.store import Store
from tests.dashboards.web.browsing import charts_drawn, opened
from tests.dashboards.web.sites import AT, Clock, site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dashboards.web.store import Answer
    from hotline.queries import Statement
    from tests.hotline.stored_rows import Stored


TOLD = """
at => new Promise(told => {
  const look = () => document.getElementById("clock").dateTime === at ? told() : setTimeout(look, 1);
  look();
})
"""
"""Waits until the page was told of an instant."""
TICKS, WARM = 360, 60
GROWN_BYTES_MAX = 2048
"""What a tick may leave in a page, where programs still settle: a place kept for each point of its chart is more."""


def test_eight_hours_leave_no_more_than_they_found(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shift in ticks of 80 s, each with other numbers: neither nodes, listeners nor memory of the page grow.

    The engine is asked for two instants; the ticks after those have their answers in turn.
    """
    monkeypatch.setattr(Store, "run", in_turn(Store.run))
    monkeypatch.setattr(feeds, "LOOKS_S", 0.005)
    clock = Clock(AT, speed=0.0)
    with site(city.settings, clock=clock) as running, opened(browser, f"{running.url}/d/hotline-wall") as page:
        charts_drawn(page, "hotline-wall")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        seen: list[dict[str, int]] = []
        for number in range(TICKS + 1):
            clock.start += 80
            at = datetime.fromtimestamp(int(clock()), UTC)
            page.evaluate(TOLD, f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
            if number in {WARM, TICKS}:
                devtools.send("HeapProfiler.collectGarbage")
                found = devtools.send("Performance.getMetrics")["metrics"]
                seen.append({one["name"]: one["value"] for one in found})
    early, late = seen
    grown = {name: late[name] - early[name] for name in ("Nodes", "JSEventListeners", "Documents", "JSHeapUsedSize")}
    assert (grown["Nodes"], grown["JSEventListeners"], grown["Documents"]) == (0, 0, 0)
    assert grown["JSHeapUsedSize"] / (TICKS - WARM) < GROWN_BYTES_MAX


def in_turn(run: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Ask each question for two instants, and give those answers in turn from then on."""
    kept: dict[str, list[Answer]] = defaultdict(list)

    async def answered(store: Store, statement: Statement, *turn: Any) -> Answer:
        of_question = kept[re.sub(r"\d{10}", "", statement.sql)]
        if len(of_question) == 2:
            of_question.reverse()
        else:
            of_question.append(await run(store, statement, *turn))
        return of_question[-1]

    return answered
