"""Colours, themes, languages and names of pages in Chromium."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.web import drawing
from dashboards.web.feeds import MARKS
from dashboards.web.shown import SIGNS, Tone, Writer, fields
from dashboards.words import Lang
from hotline.catalogue import kpi as find
from hotline.names import DATABASE
from sinks.connecting import connect
from tests.dashboards.conftest import BORN_AT
from tests.dashboards.web.browsing import WITH_MARKS, charts_drawn, inks, meaning, opened, panel_of
from tests.dashboards.web.sites import AT, Clock, Site, site

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored


GOOD_IF_PLAIN = {Tone.PLAIN: Tone.GOOD}
"""As texts, a number without a target and one that is good have the same hue."""


def test_colours_stand_at_and_around_a_target_with_a_sign(browser: Browser, standing: Site, city: Stored) -> None:
    """Good, bad and nothing have the colours that mean it, and two of them a sign and words, in both themes."""
    panel = panel_of("hotline-wall", "Answered within 30 s ≥ 95 % · 30 min")
    (of,) = fields(panel, ["answered_30s_share"])
    writer = Writer(Lang.EN, city.zone)
    for theme in ("light", "dark"):
        with opened(browser, f"{standing.url}/d/hotline-wall?theme={theme}") as page:
            tile = page.locator(f"#p{panel['id']} .tile")
            for value, tone in ((0.9499, Tone.BAD), (0.95, Tone.GOOD), (1.0, Tone.GOOD), (None, Tone.NONE)):
                sign = SIGNS.get(tone, "")
                made = {"name": "", "text": writer.text(value, of), **drawing.toned(of, value, writer)}
                standing.put("hotline-wall", panel["id"], {"solid": True, "tiles": [made]})
                expect(tile.locator(".number")).to_have_text(writer.text(value, of))
                expect(tile.locator(".sign")).to_have_text([sign] if sign else [])
                expect(tile.locator(".unseen")).to_have_count(len(sign))
                assert meaning(tile.evaluate("node => getComputedStyle(node).backgroundColor")) is tone, value


def test_names_from_events_are_text_and_never_markup(browser: Browser, city: Stored) -> None:
    """A department called like a program is shown and does nothing."""
    name = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>=cmd|'/c calc'!A0"
    kpi = find("tickets_created")
    client = connect(city.settings)
    columns = ["scope_kind", "scope", "at", kpi.measures[0].column]
    for table in ("minute_sums_tickets", "recent_sums_tickets"):
        client.insert(f"{DATABASE}.{table}", [["department", name, BORN_AT, 9]], column_names=columns)
    try:
        with (
            site(city.settings, clock=Clock(AT, speed=0.0)) as running,
            opened(browser, f"{running.url}/d/hotline-tickets?var-window=7d") as page,
        ):
            expect(page.get_by_text(name).first).to_be_attached()
            page.locator("details.variable summary").nth(1).click()
            assert page.title() == "Tickets · Hotline Pulse"
            assert page.locator("main img").count() == 0
    finally:
        for table in ("minute_sums_tickets", "recent_sums_tickets"):
            deleted = f"ALTER TABLE {DATABASE}.{table} DELETE WHERE scope = {{n:String}}"
            client.command(deleted, {"n": name}, settings={"mutations_sync": 2})
        client.close()


def test_a_theme_in_an_address_is_that_of_the_pages_behind_it(browser: Browser, standing: Site) -> None:
    """Until the button says another, which then stands against the address."""
    look = "getComputedStyle(document.documentElement).colorScheme"
    with opened(browser, f"{standing.url}/d/hotline-overdue?theme=dark", color_scheme="light") as page:
        page.locator("tbody a").first.click()
        page.wait_for_url("**/row?**")
        page.wait_for_load_state()
        assert page.evaluate(look) == "dark"
        page.goto(f"{standing.url}/d/hotline-overdue?theme=dark")
        page.locator("#theme").click()
        page.reload()
        assert page.evaluate(look) == "light"


STROKES = """
([id, inks]) => {
  const canvas = document.querySelector(`#p${id} canvas`), { width, height } = canvas;
  const read = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  read.drawImage(canvas, 0, 0);
  const dots = read.getImageData(0, 0, width, height).data, is = (at, ink) =>
    dots[at + 3] > 80 && ink.every((part, place) => Math.abs(dots[at + place] - part * 255) < 16);
  return Object.fromEntries(Object.entries(inks).map(([tone, ink]) => [tone, [...Array(width).keys()].filter(x =>
    [...Array(height).keys()].filter(y => is(4 * (y * width + x), ink)).length > height / 3)]));
}
"""
"""Where a chart has an upright stroke of an ink, which may be dashed, and through whose edges another may shine."""


def told_of_strokes(page: Page, panel: int, tone: Tone) -> set[str]:
    """What a chart tells of its upright strokes in the colour of a tone, when the pointer is on them."""
    told, tip = set(), page.locator(".tip")
    columns = page.evaluate(STROKES, [panel, {tone: inks(tone)}])[tone]
    box = page.locator(f"#p{panel} canvas").bounding_box()
    assert box
    for x in columns:
        for y in range(12, 17):  # a dash, not a gap between two
            page.mouse.move(box["x"] + x + 0.5, box["y"] + y)
            told |= {tip.inner_text()} if tip.is_visible() else set()
    return told


@pytest.mark.parametrize("title", ["Calls by time of the event", "Dead letters by the hour"])
def test_marks_stand_in_lines_and_in_bars_in_the_colour_of_their_kind_and_say_it(
    title: str, browser: Browser, standing: Site
) -> None:
    """Under the pointer, and in a list for whoever has none, which is on paper too."""
    panel = panel_of("hotline-pipeline", title)
    path = f"/d/hotline-pipeline?{WITH_MARKS}"
    marks = standing.still(path)[MARKS]["marks"]
    assert {mark["tone"] for mark in marks} == set(Tone)
    with opened(browser, f"{standing.url}{path}") as page:
        charts_drawn(page, "hotline-pipeline")
        lines = page.locator("#marks li").all_inner_texts()
        assert lines == [f"{mark['at']} {mark['kind']} {mark['text']}" for mark in marks]
        tones = page.locator("#marks b").evaluate_all("all => all.map(one => getComputedStyle(one).color)")
        assert [meaning(tone) for tone in tones] == [GOOD_IF_PLAIN.get(mark["tone"], mark["tone"]) for mark in marks]
        page.locator(f"#p{panel['id']} canvas").scroll_into_view_if_needed()
        last = {mark["time"]: mark for mark in marks}  # it covers others of its time
        for tone in (Tone.GOOD, Tone.WARN, Tone.BAD):
            of_tone = [mark for mark in last.values() if mark["tone"] == tone]
            wanted = {f"{mark['at'][:-3]}\n{mark['kind']}\n{mark['text']}" for mark in of_tone}
            until = time.monotonic() + 60
            while not wanted & told_of_strokes(page, panel["id"], tone):  # others may stand in a line
                assert time.monotonic() < until, wanted
        page.emulate_media(media="print")
        assert page.locator("#marks").evaluate("node => node.scrollHeight - node.clientHeight") == 0


def test_languages_and_themes_change_and_keep_what_was_chosen(browser: Browser, standing: Site) -> None:
    with opened(
        browser, f"{standing.url}/d/hotline-calls?var-line=a&from=now-24h&to=now", color_scheme="light"
    ) as page:
        page.get_by_role("link", name="中文").click()
        page.wait_for_url(re.compile("hotline-calls-zh.*from=now-24h.*var-line=a"))
        expect(page.locator("h1")).to_have_text("话务")
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.locator("#theme").click()
        assert page.evaluate(background) != light
        page.reload()
