"""A page in Chromium that hangs for a shift."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, CDPSession

from dashboards.web import feeds
from dashboards.web.store import Store
from tests.dashboards.web.browsing import charts_drawn, opened
from tests.dashboards.web.sites import AT, Clock, site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

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
TICKS, WARM, STEP = 360, 60, 30
"""How many; when a page has settled; between which it is looked at. Answers come in turn, so these are even."""
GROWN_OBJECTS_MAX = 0.25
"""What a tick may leave in a page: less than an object in four ticks.

From look to look their number, thirty thousand, is the same but for seven; at times the engine lets go of hundreds
that it had kept for itself. So the step in the middle of all is what tells: a leak is in each of them.
"""
GROWN_BYTES_MAX = 1024
"""What else a tick may leave, such as texts and places in lists: a place for each point of the chart is more.

While programs are still compiled anew, in the first hundreds of ticks, each leaves up to 600 bytes; from the
thousandth to the five thousandth it was 20, and from the three thousandth on 4.
"""


def test_eight_hours_leave_no_more_than_they_found(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shift in ticks of 80 s, each with other numbers: neither nodes, listeners nor memory of the page grow.

    The engine is asked for two instants; the ticks after those have their answers in turn.
    """
    seen = hang(browser, city, monkeypatch)
    grown = {name: seen[-1][name] - seen[0][name] for name in seen[0]}
    assert (grown["Nodes"], grown["JSEventListeners"], grown["Documents"]) == (0, 0, 0)
    assert objects_a_tick(seen) < GROWN_OBJECTS_MAX
    assert grown["JSHeapUsedSize"] / (TICKS - WARM) < GROWN_BYTES_MAX


LEAKS = """
window.kept = [];
addEventListener("DOMContentLoaded", () => {
  const clock = document.getElementById("clock");
  new MutationObserver(() => window.kept.push({})).observe(clock, { attributeFilter: ["datetime"] });
});
"""
"""Keeps one empty object a tick."""


def test_one_small_object_a_tick_would_be_noticed(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = hang(browser, city, monkeypatch, ticks=WARM + 4 * STEP, watched=LEAKS)
    assert objects_a_tick(seen) == pytest.approx(1, abs=GROWN_OBJECTS_MAX)


def hang(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch, *, ticks: int = TICKS, watched: str = ""
) -> list[dict[str, int]]:
    """Let a page hang for so many ticks; what it is made of once it has settled, and after each step from then on."""
    monkeypatch.setattr(Store, "run", in_turn(Store.run))
    monkeypatch.setattr(feeds, "LOOKS_S", 0.005)
    clock = Clock(AT, speed=0.0)
    seen: list[dict[str, int]] = []
    with (
        site(city.settings, clock=clock) as running,
        opened(browser, f"{running.url}/d/hotline-wall", watched=watched) as page,
    ):
        charts_drawn(page, "hotline-wall")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        for number in range(ticks + 1):
            clock.start += 80
            at = datetime.fromtimestamp(int(clock()), UTC)
            page.evaluate(TOLD, f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
            if number >= WARM and number % STEP == 0:
                objects = objects_of(devtools)
                found = devtools.send("Performance.getMetrics")["metrics"]
                seen.append({"objects": objects, **{one["name"]: one["value"] for one in found}})
    return seen


def objects_a_tick(seen: Sequence[dict[str, int]]) -> float:
    """By how many objects a page grew with a tick, in the step between two looks that is the median of all."""
    return median(late["objects"] - early["objects"] for early, late in pairwise(seen)) / STEP


def objects_of(devtools: CDPSession) -> int:
    """How many objects a page has, of all kinds, once those that nobody needs are gone."""
    of = {"objectGroup": "counted"}
    every = devtools.send("Runtime.evaluate", {"expression": "Object.prototype", **of})["result"]["objectId"]
    found = devtools.send("Runtime.queryObjects", {"prototypeObjectId": every, **of})["objects"]["objectId"]
    asked = {"objectId": found, "functionDeclaration": "function () { return this.length; }"}
    number: int = devtools.send("Runtime.callFunctionOn", asked)["result"]["value"]
    devtools.send("Runtime.releaseObjectGroup", of)
    devtools.send("HeapProfiler.collectGarbage")  # the list of them
    return number


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
