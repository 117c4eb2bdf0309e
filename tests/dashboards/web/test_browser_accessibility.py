"""Nothing of a page in Chromium is in the way of anybody: axe, keyboard, windows of all sizes, paper."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboards.entries import Edition
from dashboards.words import Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.web.browsing import (
    DESK,
    PHONE,
    REFUSED,
    WALL,
    WITH_MARKS,
    charts_drawn,
    is_in_nobodys_way,
    opened,
)
from tests.dashboards.web.sites import WEB, Site, site

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored

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


@pytest.mark.parametrize(("lang", "theme"), [(Lang.EN, "dark"), (Lang.ZH, "light")])
def test_on_a_phone_nothing_is_in_the_way_either_nor_is_what_was_opened(
    lang: Lang, theme: str, browser: Browser, standing: Site
) -> None:
    """A list of names to choose from, the explanation of a number, and the same list on a desk."""
    with opened(browser, f"{standing.url}/d/{Edition(lang, ZONE).uid('tickets')}?theme={theme}", PHONE) as page:
        charts_drawn(page, "hotline-tickets")
        is_in_nobodys_way(page)
        page.locator("button.about").first.click()
        expect(page.locator(".explained").first).to_be_visible()
        is_in_nobodys_way(page)
        page.locator("details.variable summary").first.click()
        for size in (PHONE, DESK):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            expect(page.locator("details.variable[open] .options input").last).to_be_visible()
            is_in_nobodys_way(page)


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
SCROLLED = """
() => [...document.querySelectorAll("body *")].filter(one =>
  one.getClientRects().length && !one.closest("caption, .unseen") &&
  getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1).map(one => one.className)
"""
"""Whatever is wider than its box, which paper cuts off."""
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
WHITE = "rgb(255, 255, 255)"
A4_PX = (718, 1047)
"""What A4 has between its margins, upright and on its side."""


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


@pytest.mark.parametrize(("theme", "lang"), [("light", Lang.ZH), ("dark", Lang.EN)])
def test_pages_behind_numbers_and_the_login_keep_the_theme_and_are_in_nobodys_way(
    theme: str, lang: Lang, browser: Browser, standing: Site, city: Stored
) -> None:
    """By the button of a board, against the system's theme: its ticket, the number behind it, a refusal, the login."""
    scheme = {"light": "dark", "dark": "light"}[theme]
    board = f"{standing.url}/d/{Edition(lang, ZONE).uid('overdue')}"

    def check(page: Page) -> None:
        page.wait_for_load_state()  # its look comes after its text
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme, page.url
        is_in_nobodys_way(page)
        for width in (PHONE[0], DESK[0]):
            page.set_viewport_size({"width": width, "height": DESK[1]})
            assert page.evaluate("document.documentElement.scrollWidth") == width, page.url
        page.emulate_media(media="print")
        for width in A4_PX:
            page.set_viewport_size({"width": width, "height": 1000})
            assert page.evaluate("document.documentElement.scrollWidth") == width, page.url
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == WHITE, page.url
            assert page.evaluate(SCROLLED) == [], page.url
        page.emulate_media(media="screen")

    with (
        site(city.settings, token="t0ken-" + "x" * 40) as locked,
        opened(browser, board, color_scheme=scheme, told=REFUSED) as page,
    ):
        page.locator("#theme").click()
        page.locator("tbody a").first.click()
        page.wait_for_url("**/row?**")
        check(page)
        page.locator(".number-head nav a").click()
        page.wait_for_url(re.compile("/numbers/tickets_overdue[?]"))
        page.locator("summary").click()
        check(page)
        page.goto(f"{standing.url}/numbers/nothing?lang={lang}")
        check(page)
        page.goto(f"{locked.url}/login?lang={lang}")
        page.locator("#token").fill("a guess")
        page.locator("button").click()
        page.locator("[role=alert]").wait_for()
        check(page)


def walk(page: Page, to: Locator) -> None:
    """Go on by Tab to something."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if to.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"{to} is not reached by Tab")


def test_a_board_is_used_by_keyboard_alone(browser: Browser, standing: Site) -> None:
    """A line is chosen, a panel explains itself, the marks are reached and can be scrolled, and the numbers at once."""
    with opened(browser, f"{standing.url}/d/hotline-calls?{WITH_MARKS}") as page:
        walk(page, page.locator("details.variable summary").first)
        page.keyboard.press("Enter")
        walk(page, page.locator("details.variable[open] input[type=checkbox]").nth(1))
        page.keyboard.press("Space")
        walk(page, page.locator("form.choice > button"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("var-line="))
        assert "%24__all" not in page.url.partition("var-district")[0]
        expect(page.locator(".waiting")).to_have_count(0)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        walk(page, page.locator("button.about").first)
        page.keyboard.press("Enter")
        expect(page.locator(".explained").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".explained").first).to_be_hidden()
        walk(page, page.locator("#marks"))
        page.keyboard.press("End")
        expect(page.locator("#marks li").last).to_be_in_viewport()


FOCUS = """
() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    is_inside: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
    is_covered: !one.contains(on),
    outline_px: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
  };
}
"""
"""Whether what has the focus is within the window, has something above it, and how thick the line around it is."""
OUTLINE_PX_MIN = 2


@pytest.mark.parametrize(("lang", "theme", "size"), [(Lang.EN, "light", DESK), (Lang.ZH, "dark", PHONE)])
def test_who_chooses_by_keyboard_sees_where_and_comes_back(
    lang: Lang, theme: str, size: tuple[int, int], browser: Browser, standing: Site
) -> None:
    """Each control of a choice has the focus once: axe finds nothing then, and neither edge nor panel hides it.

    A list of names that is closed by Escape gives the focus back to what opened it, with what was ticked.
    """

    def is_seen() -> None:
        found = page.evaluate(FOCUS)
        assert (found["is_inside"], found["is_covered"]) == (True, False), page.evaluate(
            "document.activeElement.outerHTML"
        )
        assert found["outline_px"] >= OUTLINE_PX_MIN, page.evaluate("document.activeElement.outerHTML")
        is_in_nobodys_way(page)

    url = f"{standing.url}/d/{Edition(lang, ZONE).uid('department')}?theme={theme}"
    with opened(browser, url, size) as page:
        charts_drawn(page, Edition(lang, ZONE).uid("department"))
        walk(page, page.locator("#range"))
        is_seen()
        page.keyboard.press("End")
        expect(page.locator("#range")).to_have_value("")
        expect(page.locator("#ends")).to_be_visible()
        for end in page.locator("#ends input").all():
            walk(page, end)
            is_seen()
        window = page.locator("select[name=var-window]")
        walk(page, window)
        is_seen()
        page.keyboard.press("End")
        expect(window).to_have_value("7d")
        variable = page.locator("details.variable").first
        walk(page, variable.locator("summary"))
        is_seen()
        page.keyboard.press("Enter")
        walk(page, variable.locator("input[type=search]"))
        page.keyboard.type("b")
        expect(variable.locator("input[value=a]")).to_be_hidden()
        is_seen()
        walk(page, variable.locator("input[value=b]"))
        page.keyboard.press("Space")
        is_seen()
        page.keyboard.press("Escape")
        expect(variable).not_to_have_attribute("open", "")
        expect(variable.locator("summary")).to_be_focused()
        walk(page, page.locator("form.choice > button"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("var-window=7d&.*var-department=b"))
