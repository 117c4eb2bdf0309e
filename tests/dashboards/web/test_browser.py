"""The boards in a real Chromium: numbers, colours, languages, outages, hours of ticks, and what axe says."""

from __future__ import annotations

import colorsys
import re
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.web import boards, drawing, feeds, offers, server
from dashboards.web.charts import SPECS
from dashboards.web.colours import MEANING
from dashboards.web.feeds import MARKS
from dashboards.web.keys import STORE
from dashboards.web.shown import SIGNS, Tone, Writer, fields
from dashboards.web.store import Store
from dashboards.words import Lang
from hotline.catalogue import kpi as find
from hotline.names import DATABASE
from sinks.connecting import connect
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.web.said import Said
from tests.dashboards.web.sites import Clock, Site, site
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from dashboards.board import Board
    from dashboards.web.store import Answer
    from hotline.queries import Statement
    from hotline.settings import Settings
    from tests.hotline.stored_rows import Stored

WEB = boards.read(ZONE)
AT = int(BORN_AT.timestamp()) + 90_000
PHONE, DESK, WALL = (390, 844), (1920, 1080), (3840, 2160)
ONE_LINE_PX = 20
WITH_MARKS = f"from={(AT - 2 * 86_400) * 1000}&to=now"
"""A range that has marks of every kind."""
GOOD_IF_PLAIN = {Tone.PLAIN: Tone.GOOD}
"""As texts, a number without a target and one that is good have the same hue."""
MS = 120_000
"""Patience with a busy machine."""
expect.set_options(timeout=MS)


@pytest.fixture(scope="module")
def shown(city: Stored) -> Iterator[Site]:
    with site(city.settings, clock=Clock(AT, speed=0.0)) as found:
        yield found


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


def numbers(page: Page, panel: dict[str, Any]) -> list[str]:
    return page.locator(f"#p{panel['id']} .number").all_inner_texts()


def charts_drawn(page: Page, uid: str) -> None:
    charts = [panel for panel in WEB[uid].panels if panel["type"] in SPECS]
    expect(page.locator(".chart canvas")).to_have_count(len(charts))


def panel_of(uid: str, title: str) -> dict[str, Any]:
    (found,) = (panel for panel in WEB[uid].panels if panel["title"] == title)
    return found


CHOSEN = {"line": "a", "district": ODD_NAME}
NO_KPIS_AS_IT_OPENS = {"pipeline", "cross"}
"""The city of the tests has no ticket of last year; `test_year_numbers` reads cross tables of this one."""
OPENINGS = [pytest.param(one, Lang.EN, {}, id=one.name) for one in BOARDS if one.name not in NO_KPIS_AS_IT_OPENS]
OPENINGS += [pytest.param(one, Lang.ZH, CHOSEN, id=f"{one.name} chosen") for one in BOARDS if one.variables]
ROWS = """
id => [...document.querySelectorAll(`#p${id} .tile, #p${id} .gauge, #p${id} tbody tr`)].map(row =>
  [...row.querySelectorAll(".name, .number, td")].map(cell =>
    (cell.querySelector("a, span:not(.sign)") ?? cell).textContent))
"""


@pytest.mark.parametrize(("board", "lang", "chosen"), OPENINGS)
def test_every_number_in_the_page_is_the_one_of_hotline_kpi(
    board: Board, lang: Lang, chosen: dict[str, str], browser: Browser, shown: Site, city: Stored
) -> None:
    """Tiles of one number and of one for each scope, bars, cells of tables, tiles of the year."""
    said = Said(city, "7d", int(AT), lang, {kind: chosen[kind] for kind in chosen if kind in of_board(board)})
    query = urlencode({"var-window": "7d"} | {f"var-{kind}": name for kind, name in said.chosen.items()})
    numbers = 0
    with opened(browser, f"{shown.url}/d/{Edition(lang, ZONE).uid(board.name)}?{query}") as page:
        expect(page.locator(".waiting")).to_have_count(0)
        for entry in (entry for row in board.rows for entry in row.entries):
            what, *more = entry.key.split()
            rows = page.evaluate(ROWS, entry.id)
            if what == "tile" or (what == "year" and len(more) == 1):
                assert rows[0][-1] == said.number(*(more if what == "tile" else [*more, "year"])), entry.key
            elif what in {"tiles", "ranking"}:
                name, over, kind = more[:3]
                check_rows(rows, said.by_scope([name], over, kind), entry.key)
            elif what == "table":
                *names, over, kind = more
                check_rows(rows, said.by_scope(names, over, kind), entry.key)
            else:
                continue
            numbers += sum(bool(re.search("[1-9]", text)) for row in rows for text in row[-1:])
    assert numbers


def check_rows(rows: list[list[str]], wanted: dict[str, list[str]], key: str) -> None:
    """Each scope once; of bars, the first ten."""
    named = [row[0] for row in rows if len(row) > 1]
    shown = {row[0]: row[1:] for row in rows if len(row) > 1}
    assert len(named) == len(shown) == min(len(wanted), 10 if key.startswith("ranking") else len(wanted)), key
    assert shown == {scope: wanted[scope] for scope in shown}, key


def of_board(board: Board) -> set[str]:
    return {variable.name for variable in board.variables}


def test_colours_stand_at_and_around_a_target_with_a_sign(browser: Browser, shown: Site, city: Stored) -> None:
    """Good, bad and nothing have the colours that mean it, and two of them a sign and words, in both themes."""
    panel = panel_of("hotline-wall", "Answered within 30 s ≥ 95 % · 30 min")
    (of,) = fields(panel, ["answered_30s_share"])
    writer = Writer(Lang.EN, city.zone)
    for theme in ("light", "dark"):
        with opened(browser, f"{shown.url}/d/hotline-wall?theme={theme}") as page:
            tile = page.locator(f"#p{panel['id']} .tile")
            for value, tone in ((0.9499, Tone.BAD), (0.95, Tone.GOOD), (1.0, Tone.GOOD), (None, Tone.NONE)):
                sign = SIGNS.get(tone, "")
                made = {"name": "", "text": writer.text(value, of), **drawing.toned(of, value, writer)}
                shown.put("hotline-wall", panel["id"], {"solid": True, "tiles": [made]})
                expect(tile.locator(".number")).to_have_text(writer.text(value, of))
                expect(tile.locator(".sign")).to_have_text([sign] if sign else [])
                expect(tile.locator(".unseen")).to_have_count(len(sign))
                assert meaning(tile.evaluate("node => getComputedStyle(node).backgroundColor")) is tone, value


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


TAGS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def is_in_nobodys_way(page: Page) -> None:
    """Axe finds nothing by WCAG 2.2 A and AA."""
    found = Axe().run(page, options=TAGS).response["violations"]
    told = [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in found]
    assert told == []


@pytest.mark.parametrize(
    ("uid", "theme"),
    [(uid, "light") for uid in WEB if not uid.endswith("-zh")]
    + [(f"hotline-{name}-zh", "dark") for name in ("wall", "tickets", "annual", "pipeline")],
)
def test_nothing_is_in_the_way_of_anybody(uid: str, theme: str, browser: Browser, shown: Site) -> None:
    """Axe finds nothing by WCAG 2.2 A and AA, all kinds of panels in both themes; no page is wider than its window.

    The head of a board is one line where there is room for it.
    """
    with opened(browser, f"{shown.url}/d/{uid}?theme={theme}") as page:
        charts_drawn(page, uid)
        is_in_nobodys_way(page)
        head, tools = (page.locator(what).evaluate("node => node.offsetTop") for what in ("h1", ".tools"))
        assert abs(head - tools) < ONE_LINE_PX
        fits_windows_and_paper(page)


@pytest.mark.parametrize(("lang", "theme"), [(Lang.EN, "dark"), (Lang.ZH, "light")])
def test_on_a_phone_nothing_is_in_the_way_either_nor_is_what_was_opened(
    lang: Lang, theme: str, browser: Browser, shown: Site
) -> None:
    """A list of names to choose from, the explanation of a number, and the same list on a desk."""
    with opened(browser, f"{shown.url}/d/{Edition(lang, ZONE).uid('tickets')}?theme={theme}", PHONE) as page:
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
def test_nothing_is_cut_in_chinese_either(uid: str, browser: Browser, shown: Site) -> None:
    with opened(browser, f"{shown.url}/d/{uid}?theme=dark") as page:
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
    lang: Lang, size: tuple[int, int], browser: Browser, shown: Site
) -> None:
    """No links, nothing to choose, nothing to scroll; all panels reach the edge of the screen, and none passes it.

    Numbers and all else, letters of charts and what an outage says among them, are large enough for five metres.
    """
    uid, theme = Edition(lang, ZONE).uid("wall"), {Lang.EN: "light", Lang.ZH: "dark"}[lang]
    with opened(browser, f"{shown.url}/d/{uid}?kiosk&theme={theme}", size, watched=WRITTEN) as page:
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
    theme: str, lang: Lang, browser: Browser, shown: Site, city: Stored
) -> None:
    """By the button of a board, against the system's theme: its ticket, the number behind it, a refusal, the login."""
    scheme = {"light": "dark", "dark": "light"}[theme]
    board = f"{shown.url}/d/{Edition(lang, ZONE).uid('overdue')}"

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
        page.goto(f"{shown.url}/numbers/nothing?lang={lang}")
        check(page)
        page.goto(f"{locked.url}/login?lang={lang}")
        page.locator("#token").fill("a guess")
        page.locator("button").click()
        page.locator("[role=alert]").wait_for()
        check(page)


def test_a_theme_in_an_address_is_that_of_the_pages_behind_it(browser: Browser, shown: Site) -> None:
    """Until the button says another, which then stands against the address."""
    look = "getComputedStyle(document.documentElement).colorScheme"
    with opened(browser, f"{shown.url}/d/hotline-overdue?theme=dark", color_scheme="light") as page:
        page.locator("tbody a").first.click()
        page.wait_for_url("**/row?**")
        page.wait_for_load_state()
        assert page.evaluate(look) == "dark"
        page.goto(f"{shown.url}/d/hotline-overdue?theme=dark")
        page.locator("#theme").click()
        page.reload()
        assert page.evaluate(look) == "light"


def walk(page: Page, to: Locator) -> None:
    """Go on by Tab to something."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if to.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"{to} is not reached by Tab")


def test_a_board_is_used_by_keyboard_alone(browser: Browser, shown: Site) -> None:
    """A line is chosen, a panel explains itself, the marks are reached and can be scrolled, and the numbers at once."""
    with opened(browser, f"{shown.url}/d/hotline-calls?{WITH_MARKS}") as page:
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


STROKES = """
([id, inks]) => {
  const canvas = document.querySelector(`#p${id} canvas`), { width, height } = canvas;
  const read = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  read.drawImage(canvas, 0, 0);
  const dots = read.getImageData(0, 0, width, height).data, is = (at, ink) =>
    dots[at + 3] > 80 && ink.every((part, place) => Math.abs(dots[at + place] - part * 255) < 8);
  return Object.fromEntries(Object.entries(inks).map(([tone, ink]) => [tone, [...Array(width).keys()].filter(x =>
    [...Array(height).keys()].filter(y => is(4 * (y * width + x), ink)).length > height / 3)]));
}
"""
"""Where a chart has an upright stroke of an ink, which may be dashed."""


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
    title: str, browser: Browser, shown: Site
) -> None:
    """Under the pointer, and in a list for whoever has none, which is on paper too."""
    panel = panel_of("hotline-pipeline", title)
    path = f"/d/hotline-pipeline?{WITH_MARKS}"
    marks = shown.still(path)[MARKS]["marks"]
    assert {mark["tone"] for mark in marks} == set(Tone)
    with opened(browser, f"{shown.url}{path}") as page:
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


def test_languages_and_themes_change_and_keep_what_was_chosen(browser: Browser, shown: Site) -> None:
    with opened(browser, f"{shown.url}/d/hotline-calls?var-line=a&from=now-24h&to=now", color_scheme="light") as page:
        page.get_by_role("link", name="中文").click()
        page.wait_for_url(re.compile("hotline-calls-zh.*from=now-24h.*var-line=a"))
        expect(page.locator("h1")).to_have_text("话务")
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.locator("#theme").click()
        assert page.evaluate(background) != light
        page.reload()
        assert page.evaluate(background) != light


def test_a_page_lives_through_outages_of_the_store_and_of_the_server(browser: Browser, city: Stored) -> None:
    with site(city.settings, clock=Clock(AT, speed=20.0)) as running:
        store, port = running.app[STORE], running.port
        with opened(browser, f"{running.url}/d/hotline-wall", told=AWAY) as page:
            panel = panel_of("hotline-wall", "Overdue")
            expect(page.locator(f"#p{panel['id']} .number")).not_to_have_text("")
            before = numbers(page, panel)
            there, store.settings = store.settings, away(store.settings)
            expect(page.locator("#trouble")).to_contain_text("No answer from the store since")
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


def away(settings: Settings) -> Settings:
    """The same settings with a store that is not there."""
    same = {name: getattr(settings, name) for name in settings.__struct_fields__}
    return type(settings)(**same | {"clickhouse_url": "http://127.0.0.1:9"})


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
