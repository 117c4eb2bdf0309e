"""What tests of pages in Chromium share: how a page is opened, what is read out of it, what axe says of it."""

from __future__ import annotations

import colorsys
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboards.web.charts import SPECS
from dashboards.web.colours import MEANING
from dashboards.web.shown import Tone
from tests.dashboards.web.sites import AT, WEB
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PHONE, DESK, WALL = (390, 844), (1920, 1080), (3840, 2160)
WITH_MARKS = f"from={(AT - 2 * 86_400) * 1000}&to=now"
"""A range that has marks of every kind."""
WHITE = "rgb(255, 255, 255)"
A4_PX = (718, 1047)
"""What A4 has between its margins, upright and on its side."""
MS = 120_000
"""Patience with a busy machine."""
expect.set_options(timeout=MS)


@contextmanager
def opened(
    browser: Browser,
    url: str,
    size: tuple[int, int] = DESK,
    *,
    told: Sequence[str] = (),
    ready: str = "#live.on",
    watched: str = "",
    **more: Any,
) -> Iterator[Page]:
    """A page that says nothing to its console but what is `told`, and asks nobody but this machine.

    `watched` is a program that runs before any of the page.
    """
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
    context.add_init_script(watched)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(MS)
    page.goto(url)
    page.wait_for_selector(ready)
    yield page
    context.close()
    assert [line for line in said if not any(part in line for part in told)] == []
    assert {re.match(r"(data:|http://127\.0\.0\.1:)", url) is not None for url in asked} == {True}


REFUSED = ("responded with a status of 40",)
AWAY = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE")


def charts_drawn(page: Page, uid: str) -> None:
    charts = [panel for panel in WEB[uid].panels if panel["type"] in SPECS]
    expect(page.locator(".chart canvas")).to_have_count(len(charts))


def panel_of(uid: str, title: str) -> dict[str, Any]:
    (found,) = (panel for panel in WEB[uid].panels if panel["title"] == title)
    return found


CHOSEN = {"line": "a", "district": ODD_NAME}


ROWS = """
id => [...document.querySelectorAll(`#p${id} .tile, #p${id} .gauge, #p${id} tbody tr`)].map(row =>
  [...row.querySelectorAll(".name, .number, td")].map(cell =>
    (cell.querySelector("a, span:not(.sign)") ?? cell).textContent))
"""


GREY_MAX, HUE_APART_MAX = 0.15, 0.05


def meaning(colour: str) -> Tone:
    """What a colour of a page says: that of the same hue in `colours`, or nothing where it is grey."""
    seen = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    if max(seen) - min(seen) < GREY_MAX:
        return Tone.NONE
    apart = {tone: abs(hue(seen) - hue(inks(tone))) for tone in (Tone.GOOD, Tone.BAD, Tone.WARN)}
    found = min(apart, key=lambda tone: apart[tone])
    assert apart[found] < HUE_APART_MAX, colour
    return found


def hue(parts: Sequence[float]) -> float:
    return colorsys.rgb_to_hsv(*parts)[0]


def inks(tone: Tone) -> list[float]:
    """The parts of the colour that charts give a tone, from 0 to 1."""
    return [int(MEANING[tone][place : place + 2], 16) / 255 for place in (1, 3, 5)]


TAGS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def is_in_nobodys_way(page: Page) -> None:
    """Axe finds nothing by WCAG 2.2 A and AA."""
    found = Axe().run(page, options=TAGS).response["violations"]
    told = [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in found]
    assert told == []
