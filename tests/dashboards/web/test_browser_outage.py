"""Pages in Chromium without the store, without the server, and without a word from it."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.entries import Edition
from dashboards.web import feeds, offers, server
from dashboards.web.keys import STORE
from dashboards.web.shown import Tone
from dashboards.words import Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.web.browsing import AWAY, MS, charts_drawn, is_in_nobodys_way, meaning, opened, panel_of
from tests.dashboards.web.sites import AT, WEB, Clock, away, site

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored


def numbers(page: Page, panel: dict[str, Any]) -> list[str]:
    return page.locator(f"#p{panel['id']} .number").all_inner_texts()


def test_a_page_lives_through_outages_of_the_store_and_of_the_server(browser: Browser, city: Stored) -> None:
    with site(city.settings, clock=Clock(AT, speed=20.0)) as running:
        store, port = running.app[STORE], running.port
        with opened(browser, f"{running.url}/d/hotline-wall", told=AWAY) as page:
            panel = panel_of("hotline-wall", "Overdue")
            expect(page.locator(f"#p{panel['id']} .number")).not_to_have_text("")
            before = numbers(page, panel)
            there, store.settings = store.settings, away(store.settings)
            expect(page.locator("#trouble")).to_contain_text("No answer from the store since")
            expect(page.locator("#live")).to_contain_text("database away since")
            expect(page.locator(".panel.stale")).to_have_count(len(WEB["hotline-wall"].panels))
            assert numbers(page, panel) == before
            store.settings = there
            expect(page.locator("#trouble")).to_be_hidden()
            expect(page.locator(".panel.stale")).to_have_count(0)
            page.evaluate("window.kept = true")
            running.stop()
            expect(page.locator("#trouble")).to_contain_text("Connection lost since")
            assert numbers(page, panel) == before
            with site(city.settings, clock=Clock(AT, speed=20.0), port=port):
                expect(page.locator("#trouble")).to_be_hidden()
                assert page.evaluate("window.kept"), "the page connected by itself"


SIGN = "getComputedStyle(document.getElementById('live'), '::before').content"
STATES = {
    Lang.EN: ("live", "database away since", "in part as of"),
    Lang.ZH: ("实时", "数据库自…无应答", "部分数据截至"),
}
"""Of a page: as it should be, without the store, and where one panel has no answer."""


@pytest.mark.parametrize("lang", Lang)
def test_the_word_beside_the_clock_says_what_is_true_with_a_sign_and_since_when(
    lang: Lang, browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the store, and where one panel cannot be drawn; the sentence below and the panels say the same."""
    uid = Edition(lang, ZONE).uid("wall")
    broken = WEB[uid].panels[0]["id"]
    is_broken = threading.Event()

    def drawn(panel: Any, *given: Any) -> Any:
        if panel["id"] == broken and is_broken.is_set():
            raise KeyError("a fault")
        return faultless(panel, *given)

    faultless = feeds.drawn
    monkeypatch.setattr(feeds, "drawn", drawn)
    well, gone, partly = STATES[lang]
    with site(city.settings, clock=Clock(AT, speed=20.0)) as running, opened(browser, f"{running.url}/d/{uid}") as page:
        store, live = running.app[STORE], page.locator("#live")

        def check(word: str, panels: int) -> None:
            """The word and the sentence name the instant since when the first of the panels has no answer."""
            first, _, last = word.partition("…")
            expect(live).to_have_text(re.compile(rf"^{first} ?\d\d:\d\d:\d\d{last}$"))
            expect(page.locator(".panel.stale")).to_have_count(panels)
            shown = [page.locator(of).all_inner_texts() for of in ("#live", "#trouble", ".panel.stale .since")]
            at_live, at_trouble, sinces = (re.findall(r"\d\d:\d\d:\d\d", " ".join(texts)) for texts in shown)
            assert at_live == at_trouble == [min(sinces)]
            assert page.evaluate(SIGN) == '"▼ "'

        expect(live).to_have_text(well)
        assert page.evaluate(SIGN) == '"● "'
        there, store.settings = store.settings, away(store.settings)
        check(gone, len(WEB[uid].panels))
        is_in_nobodys_way(page)
        store.settings = there
        expect(live).to_have_text(well)
        is_broken.set()
        check(partly, 1)
        is_in_nobodys_way(page)
        is_broken.clear()
        expect(live).to_have_text(well)


def test_a_page_that_was_opened_in_an_outage_gets_its_names_and_keeps_what_was_chosen(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is loaded again: what is ticked and searched for meanwhile stays, and new names are found and chosen."""
    monkeypatch.setattr(offers, "AGAIN_S", 0.2)
    with site(city.settings, clock=Clock(AT, speed=20.0)) as running:
        store = running.app[STORE]
        there, store.settings = store.settings, away(store.settings)
        with opened(browser, f"{running.url}/d/hotline-calls?var-line=zz", ready="#live.off") as page:
            line = page.locator("details.variable").first
            line.locator("summary").click()
            boxes = line.locator(".options input")
            expect(boxes).to_have_count(2)
            line.locator("input[type=search]").fill("a")
            store.settings = there
            expect(line.locator("input[value=a]")).to_be_visible()
            expect(line.locator("input[value=b]")).to_be_hidden()
            expect(line.locator("input[value=zz]")).to_be_checked()
            line.locator("input[value=a]").check()
            page.locator("form.choice > button").click()
            page.wait_for_url(re.compile("var-line=zz&var-line=a&"))
            expect(page.locator("details.variable").first.locator("input:checked")).to_have_count(2)


COLOURS = """
() => [...document.querySelectorAll(".panel:not(.text) .content *")].filter(one => one.getClientRects().length).flatMap(
  one => { const style = getComputedStyle(one);
    return one.tagName === "CANVAS" ? [style.filter] : [style.color, style.backgroundColor]; })
"""
"""The colours of all that panels show; of a chart, what is done to its colours."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_as_of_then_is_grey_and_as_legible_as_what_is_of_now(
    theme: str, browser: Browser, city: Stored
) -> None:
    """Without the store and without the server: no colour says good, late or bad, and axe finds nothing."""
    tables, wall = (f"/d/hotline-{name}?var-window=7d&theme={theme}" for name in ("overdue", "wall"))
    with (
        site(city.settings, clock=Clock(AT, speed=60.0)) as running,
        opened(browser, f"{running.url}{tables}", told=AWAY) as other,
        opened(browser, f"{running.url}{wall}", told=AWAY) as page,
    ):
        charts_drawn(page, "hotline-wall")
        expect(page.locator(".waiting")).to_have_count(0)
        expect(other.locator("tbody tr").first).to_be_attached()
        assert {meaning(colour) for colour in coloured(page)} >= {Tone.NONE, Tone.GOOD, Tone.BAD}
        store = running.app[STORE]
        there, store.settings = store.settings, away(store.settings)
        for one in (page, other):
            expect(one.locator(".panel:not(.text):not(.stale)")).to_have_count(0)
            is_grey(one)
        store.settings = there
        for one in (page, other):
            expect(one.locator(".panel.stale")).to_have_count(0)
        running.stop()
        for one in (page, other):
            expect(one.locator("body.lost")).to_be_attached()
            expect(one.locator(".panel.stale")).to_have_count(0)
            is_grey(one)


def is_grey(page: Page) -> None:
    assert {meaning(colour) for colour in coloured(page)} == {Tone.NONE}
    assert "grayscale(1)" in page.evaluate(COLOURS) or not page.locator("canvas").count()
    is_in_nobodys_way(page)


def coloured(page: Page) -> set[str]:
    return {colour for colour in page.evaluate(COLOURS) if colour.startswith("rgb")}


NOTES_LOST = """
document.addEventListener("DOMContentLoaded", () => {
  window.lost = 0;
  const look = () => { if (document.body.classList.contains("lost")) window.lost++; };
  new MutationObserver(look).observe(document.body, { attributeFilter: ["class"] });
});
"""
"""Counts how often a page said that its connection is lost."""
BEAT_S, SILENT_S = 0.1, 2.0


def test_a_server_that_stands_still_is_shown_as_lost_and_one_that_has_nothing_to_say_is_not(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line stays open, and nothing comes; also for a board that is asked once, and without anything loaded again.

    The clock stands, so beats are all that is said, for longer than a page waits.
    """
    monkeypatch.setattr(server, "QUIET_S", BEAT_S)
    monkeypatch.setattr(server, "SILENT_S", SILENT_S)
    goes_on = threading.Event()
    with (
        site(city.settings, clock=Clock(AT, speed=0.0)) as running,
        opened(browser, f"{running.url}/d/hotline-wall", watched=NOTES_LOST) as wall,
        opened(browser, f"{running.url}/d/hotline-annual", watched=NOTES_LOST) as annual,
    ):
        pages = {wall: "live", annual: "as of now"}
        wall.wait_for_timeout(1.6 * SILENT_S * 1000)
        for page, state in pages.items():
            expect(page.locator("#live")).to_have_text(state)
            assert page.evaluate("lost") == 0
        running.loop.call_soon_threadsafe(goes_on.wait, MS / 1000)
        try:
            for page in pages:
                expect(page.locator("#trouble")).to_contain_text("Connection lost since")
                expect(page.locator("#live")).to_have_text("connecting …")
        finally:
            goes_on.set()
        for page, state in pages.items():
            expect(page.locator("#trouble")).to_be_hidden()
            expect(page.locator("#live")).to_have_text(state)
            assert page.evaluate("lost"), "it is the page that was open"


SHOWN = "[...document.querySelectorAll('.tile, tbody tr, #clock')].map(one => one.textContent)"


SLEPT = timedelta(hours=8)


def test_a_page_on_a_computer_that_slept_for_hours_says_so_and_is_right_again(
    browser: Browser, city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a lid that is closed: no program runs, no word comes, and the page's clock is hours further at once.

    What it shows then is of before, and it says since when; it connects by itself, and shows the numbers of now.
    """
    monkeypatch.setattr(server, "QUIET_S", BEAT_S)
    monkeypatch.setattr(server, "SILENT_S", SILENT_S)
    clock, wakes = Clock(AT, speed=0.0), threading.Event()
    with (
        site(city.settings, clock=clock) as running,
        opened(browser, f"{running.url}/d/hotline-tickets", watched=NOTES_LOST) as page,
    ):
        charts_drawn(page, "hotline-tickets")
        expect(page.locator(".waiting")).to_have_count(0)
        before = page.evaluate(SHOWN)
        page.clock.install()
        at_lid = page.evaluate("Date.now()")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        running.loop.call_soon_threadsafe(wakes.wait, MS / 1000)
        streams: list[str] = []
        page.on("request", lambda request: streams.append(request.resource_type))
        page.clock.fast_forward(int(SLEPT.total_seconds() * 1000))
        devtools.send("Page.setWebLifecycleState", {"state": "active"})
        try:
            expect(page.locator("#live")).to_have_text("connecting …")
            expect(page.locator("body.lost")).to_be_attached()
            (since,) = re.findall(r"Connection lost since (\S+):", page.locator("#trouble").inner_text())
            hours_after = (datetime.fromtimestamp(at_lid / 1000, city.zone) + SLEPT).strftime("%H")
            assert not since.startswith(hours_after)
            assert page.evaluate(SHOWN) == before
            clock.start += SLEPT.total_seconds()
        finally:
            wakes.set()
        expect(page.locator("#trouble")).to_be_hidden()
        expect(page.locator("#live")).to_have_text("live")
        now = running.still("/d/hotline-tickets")
        tiles = [tile["text"] for panel in WEB["hotline-tickets"].panels for tile in now[panel["id"]].get("tiles", ())]
        assert page.locator(".tile .number").all_inner_texts() == tiles
        assert page.evaluate(SHOWN) != before
        assert "eventsource" in streams, "the line of before is not relied on"
        assert page.evaluate("lost"), "it is the page that was open"
