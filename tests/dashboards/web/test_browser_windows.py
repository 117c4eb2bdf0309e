"""Pages in Chromium in windows of all sizes, on a wall and on paper: nothing is cut, left or covered."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.entries import Edition
from dashboards.words import Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.web.browsing import (
    A4_PX,
    DESK,
    PHONE,
    WALL,
    WHITE,
    charts_drawn,
    is_in_nobodys_way,
    opened,
)
from tests.dashboards.web.sites import WEB, Site

ONE_LINE_PX = 20


@pytest.mark.parametrize(
    ("uid", "theme"),
    [(uid, "light") for uid in WEB if not uid.endswith("-zh")]
    + [(f"hotline-{name}-zh", "dark") for name in ("wall", "tickets", "annual", "pipeline")],
)
def test_nothing_is_in_the_way_of_anybody(uid: str, theme: str, browser: Browser, standing: Site) -> None:
    """Axe finds nothing by WCAG 2.2 A and AA, all kinds of panels in both themes; no page is wider than its window.

    The head of a board is one line where there is room for it.
    """
    with opened(browser, f"{standing.url}/d/{uid}?theme={theme}") as page:
        charts_drawn(page, uid)
        is_in_nobodys_way(page)
        head, tools = (page.locator(what).evaluate("node => node.offsetTop") for what in ("h1", ".tools"))
        assert abs(head - tools) < ONE_LINE_PX
        fits_windows_and_paper(page)


@pytest.mark.parametrize(
    "uid", [f"hotline-{name}-zh" for name in ("calls", "surveys", "department", "district", "overdue")]
)
def test_nothing_is_cut_in_chinese_either(uid: str, browser: Browser, standing: Site) -> None:
    with opened(browser, f"{standing.url}/d/{uid}?theme=dark") as page:
        charts_drawn(page, uid)
        fits_windows_and_paper(page)


CUT = """
() => [...document.querySelectorAll("body *")].filter(one => {
  if (one.closest(".unseen, [hidden], .skip, select, fieldset") || !one.getClientRects().length) return false;
  const style = getComputedStyle(one), clips = way => ["hidden", "clip"].includes(style["overflow" + way]);
  if (one.title === one.textContent) return false;
  return clips("X") && one.scrollWidth > one.clientWidth + 1 || clips("Y") && one.scrollHeight > one.clientHeight + 1;
}).map(one => [one.closest("section")?.querySelector("h2").textContent, one.className, one.textContent,
  one.clientWidth, one.scrollWidth, one.clientHeight, one.scrollHeight].join(" "))
"""
"""Whatever clips a text that is not told otherwise."""
OUTSIDE = """
paper => [...document.querySelectorAll(".panel")].flatMap(panel => {
  const box = panel.getBoundingClientRect(), title = panel.querySelector("h2").textContent;
  const wide = box.right > document.documentElement.clientWidth + 1 ? [title] : [];
  const out = [...panel.querySelectorAll("*")].filter(one => {
    if (one.closest(".unseen, [hidden]") || !one.getClientRects().length) return false;
    if (!paper && one.parentNode.closest(".scroll, .bars, .markdown")) return false;
    const at = one.getBoundingClientRect(), scrolls = paper && getComputedStyle(one).overflowY !== "visible";
    return at.bottom > box.bottom + 2 || at.right > box.right + 2 || scrolls && one.scrollHeight > one.clientHeight + 1;
  });
  return [...wide, ...out.map(one => `${title}: ${one.tagName} ${one.className}`)];
})
"""
"""Whatever leaves its panel; on paper also what would have to be scrolled."""
COVERED = """
() => { const all = [...document.querySelectorAll(".panel")].map(one => one.getBoundingClientRect());
  return all.filter((a, i) => all.slice(i + 1).some(b =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length; }
"""
INKS = """
() => [...document.querySelectorAll(".content:not(.empty) canvas")].map(one => {
  const read = new OffscreenCanvas(one.width, one.height).getContext("2d", { willReadFrequently: true });
  read.drawImage(one, 0, 0);
  const seen = { dark: 0, light: 0 };
  const dots = new Uint32Array(read.getImageData(0, 0, one.width, one.height).data.buffer);
  const near = (part, ink) => part - ink < 5 && ink - part < 5;
  for (const dot of dots) {
    if (dot >>> 24 < 100) continue; // the edge of a letter is its ink, seen through
    const red = dot & 255, green = dot >> 8 & 255, blue = dot >> 16 & 255;
    if (near(red, 22) && near(green, 32) && near(blue, 46)) seen.dark++;
    if (near(red, 232) && near(green, 237) && near(blue, 243)) seen.light++;
  }
  return seen;
})
"""
"""How many dots of each chart have the ink of the letters of the light theme, and of the dark one."""


def fits_windows_and_paper(page: Page) -> None:
    """No text is cut, no panel is left or covered; on paper, which is white, none is missing or has to be scrolled."""
    for width, height in (PHONE, (640, 900), DESK, WALL):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)  # charts follow a window in a while
        assert page.evaluate(CUT) == [], width
        assert page.evaluate(OUTSIDE, False) == [], width
        assert page.evaluate(COVERED) == 0, width
    page.emulate_media(media="print")
    for width in A4_PX:
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(OUTSIDE, True) == [], width
        assert page.evaluate(COVERED) == 0
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == WHITE
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        until = time.monotonic() + 20
        while page.locator(".content:not(.empty) canvas").count() and not is_inked(page.evaluate(INKS)):
            assert time.monotonic() < until, "letters of charts stay light on paper"
            page.wait_for_timeout(50)
    assert page.locator(".panel:visible").count() == page.locator(".panel").count()
    assert page.pdf(format="A4").startswith(b"%PDF-")


def is_inked(seen: list[dict[str, int]]) -> bool:
    return any(one["dark"] for one in seen) and not any(one["light"] for one in seen)


WRITTEN = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  window.written.push([text, parseFloat(/([\\d.]+)px/.exec(this.font)[1])]);
  return write.call(this, text, ...at);
};
"""
"""Notes each text that is written into a chart, and the height of its letters."""
LETTERS = """
() => [...document.querySelectorAll("body *")].filter(one => !one.closest(".unseen, .tip, .skip") &&
  one.getClientRects().length && [...one.childNodes].some(part => part.nodeType === Node.TEXT_NODE && part.data.trim())
).map(one => [one.textContent, parseFloat(getComputedStyle(one).fontSize), one.className])
"""
"""Each text that is seen, the height of its letters, and what it is."""
NUMBER_PX, LABEL_PX = 40, 18
"""What is read from five metres on a screen of 1920 dots that is a metre wide: digits of 21 mm, names of 9 mm."""


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("size", [DESK, WALL])
def test_in_kiosk_the_wall_is_one_screen_and_nothing_else(
    lang: Lang, size: tuple[int, int], browser: Browser, standing: Site
) -> None:
    """No links, nothing to choose, nothing to scroll; all panels reach the edge of the screen, and none passes it.

    Numbers and all else, letters of charts and what an outage says among them, are large enough for five metres.
    """
    uid, theme = Edition(lang, ZONE).uid("wall"), {Lang.EN: "light", Lang.ZH: "dark"}[lang]
    with opened(browser, f"{standing.url}/d/{uid}?kiosk&theme={theme}", size, watched=WRITTEN) as page:
        charts_drawn(page, uid)
        for gone in ("nav", ".choice", ".tools", "button.about"):
            expect(page.locator(gone).filter(visible=True)).to_have_count(0)
        ends = "[...document.querySelectorAll('.panel')].map(one => one.getBoundingClientRect().bottom)"
        expect(page.locator("html")).to_have_js_property("scrollHeight", size[1])
        assert size[1] - 30 < max(page.evaluate(ends)) <= size[1]
        assert page.evaluate(CUT) == []
        assert page.evaluate(OUTSIDE, False) == []
        assert page.evaluate(COVERED) == 0
        page.evaluate(
            "document.querySelectorAll('.since, #trouble').forEach(one => { one.hidden = false; one.append('…') })"
        )
        seen, scale = page.evaluate(LETTERS), size[0] / DESK[0]
        assert len(WEB[uid].panels) - 1 == len([px for _, px, kind in seen if kind == "number"])
        assert [one for one in seen if one[2] == "number" and one[1] < NUMBER_PX * scale] == []
        assert [one for one in seen + page.evaluate("written") if one[1] < LABEL_PX * scale] == []
        assert len(page.evaluate("written")) > 8
        is_in_nobodys_way(page)
