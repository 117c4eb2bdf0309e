"""Nothing of a page in Chromium is in the way of anybody: what is opened, the keyboard, pages behind numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboards.entries import Edition
from dashboards.words import Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.web.browsing import (
    A4_PX,
    DESK,
    PHONE,
    REFUSED,
    WHITE,
    WITH_MARKS,
    charts_drawn,
    is_in_nobodys_way,
    opened,
)
from tests.dashboards.web.sites import Site, site

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored


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


SCROLLED = """
() => [...document.querySelectorAll("body *")].filter(one =>
  one.getClientRects().length && !one.closest("caption, .unseen") &&
  getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1).map(one => one.className)
"""
"""Whatever is wider than its box, which paper cuts off."""


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
