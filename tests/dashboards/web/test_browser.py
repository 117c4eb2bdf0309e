"""The boards in a real Chromium: numbers, colours, languages, outages, hours of ticks, and what axe says."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.web import boards, drawing
from dashboards.web.charts import SPECS
from dashboards.web.keys import STORE
from dashboards.web.shown import Writer, fields
from dashboards.words import Lang
from hotline.catalogue import kpi as find
from hotline.names import DATABASE
from sinks.connecting import connect
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.web.said import Said
from tests.dashboards.web.sites import Clock, Site, site
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board import Board
    from tests.hotline.stored_rows import Stored

WEB = boards.read(ZONE)
AT = int(BORN_AT.timestamp()) + 90_000
PHONE, DESK, WALL = (390, 844), (1920, 1080), (3840, 2160)
ONE_LINE_PX = 20
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
    refused: bool = False,
    **more: Any,
) -> Iterator[Page]:
    """A page that says nothing to its console and asks nobody but this machine; `refused`: something is."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(MS)
    page.goto(url)
    page.wait_for_selector("#live.on")
    yield page
    context.close()
    expected = ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE", *(["responded with a status of 40"] if refused else [])]
    assert [line for line in said if not any(part in line for part in expected)] == []
    assert {re.match(r"(data:|http://127\.0\.0\.1:)", url) is not None for url in asked} == {True}


def numbers(page: Page, panel: dict[str, Any]) -> list[str]:
    return page.locator(f"#p{panel['id']} .number").all_inner_texts()


def charts_drawn(page: Page, uid: str) -> None:
    charts = [panel for panel in WEB[uid].panels if panel["type"] in SPECS]
    expect(page.locator(".chart canvas")).to_have_count(len(charts))


def panel_of(uid: str, title: str) -> dict[str, Any]:
    (found,) = (panel for panel in WEB[uid].panels if panel["title"] == title)
    return found


CHOSEN = {"line": "a", "district": ODD_NAME}
OPENINGS = [pytest.param(one, Lang.EN, {}, id=one.name) for one in BOARDS if one.name != "pipeline"]
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
    shown = {row[0]: row[1:] for row in rows if len(row) > 1}
    assert len(shown) == min(len(wanted), 10 if key.startswith("ranking") else len(wanted)), key
    assert shown == {scope: wanted[scope] for scope in shown}, key


def of_board(board: Board) -> set[str]:
    return {variable.name for variable in board.variables}


def test_colours_stand_at_and_around_a_target_with_a_sign(browser: Browser, shown: Site, city: Stored) -> None:
    """Good, bad and nothing are three colours, and two of them have a sign and words, in both themes."""
    panel = panel_of("hotline-wall", "Answered within 30 s ≥ 95 % · 30 min")
    (of,) = fields(panel, ["answered_30s_share"])
    writer = Writer(Lang.EN, city.zone)
    for theme in ("light", "dark"):
        colours = {}
        with opened(browser, f"{shown.url}/d/hotline-wall?theme={theme}") as page:
            tile = page.locator(f"#p{panel['id']} .tile")
            for value, sign in ((0.9499, "▼"), (0.95, "✓"), (1.0, "✓"), (None, "")):
                made = {"name": "", "text": writer.text(value, of), **drawing.toned(of, value, writer)}
                shown.put("hotline-wall", panel["id"], {"solid": True, "tiles": [made]})
                expect(tile.locator(".number")).to_have_text(writer.text(value, of))
                expect(tile.locator(".sign")).to_have_text([sign] if sign else [])
                expect(tile.locator(".unseen")).to_have_count(len(sign))
                colours[sign] = tile.evaluate("node => getComputedStyle(node).backgroundColor")
            assert len(set(colours.values())) == 3


def test_names_from_events_are_text_and_never_markup(browser: Browser, city: Stored) -> None:
    """A department called like a program is shown and does nothing."""
    name = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>=cmd|'/c calc'!A0"
    kpi = find("tickets_created")
    client = connect(city.settings)
    columns = ["scope_kind", "scope", "at", kpi.measures[0].column]
    for table in ("minute_sums_tickets", "recent_sums_tickets"):
        client.insert(f"{DATABASE}.{table}", [["department", name, BORN_AT, 9]], column_names=columns)
    with (
        site(city.settings, clock=Clock(AT, speed=0.0)) as running,
        opened(browser, f"{running.url}/d/hotline-tickets?var-window=7d") as page,
    ):
        expect(page.get_by_text(name).first).to_be_attached()
        page.locator("details.variable summary").nth(1).click()
        assert page.title() == "Tickets · Hotline Pulse"
        assert page.locator("main img").count() == 0
    client.command(f"ALTER TABLE {DATABASE}.minute_sums_tickets DELETE WHERE scope = {{n:String}}", {"n": name})
    client.command(f"ALTER TABLE {DATABASE}.recent_sums_tickets DELETE WHERE scope = {{n:String}}", {"n": name})
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
() => [...document.querySelectorAll(".panel")].flatMap(panel => {
  const box = panel.getBoundingClientRect(), title = panel.querySelector("h2").textContent;
  const wide = box.right > document.documentElement.clientWidth + 1 ? [title] : [];
  const out = [...panel.querySelectorAll("*")].filter(one => {
    if (one.closest(".unseen, [hidden]") || !one.getClientRects().length) return false;
    const at = one.getBoundingClientRect(), scrolls = getComputedStyle(one).overflowY !== "visible";
    return at.bottom > box.bottom + 2 || at.right > box.right + 2 || scrolls && one.scrollHeight > one.clientHeight + 1;
  });
  return [...wide, ...out.map(one => `${title}: ${one.tagName} ${one.className}`)];
})
"""
"""Whatever leaves its panel, or would have to be scrolled."""
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
    """No text is cut; on paper, white whatever the theme is, no panel is missing and none has to be scrolled."""
    for width, height in (PHONE, (640, 900), DESK, WALL):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)  # charts follow a window in a while
        assert page.evaluate(CUT) == [], width
    page.emulate_media(media="print")
    for width in A4_PX:
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(OUTSIDE) == [], width
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


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("size", [DESK, WALL])
def test_in_kiosk_the_wall_is_one_screen_and_nothing_else(
    lang: Lang, size: tuple[int, int], browser: Browser, shown: Site
) -> None:
    """No links, nothing to choose, nothing to scroll; all panels reach the edge of the screen, and none passes it."""
    uid = Edition(lang, ZONE).uid("wall")
    with opened(browser, f"{shown.url}/d/{uid}?kiosk", size) as page:
        charts_drawn(page, uid)
        for gone in ("nav", ".choice", ".tools", "button.about"):
            expect(page.locator(gone).filter(visible=True)).to_have_count(0)
        ends = "[...document.querySelectorAll('.panel')].map(one => one.getBoundingClientRect().bottom)"
        expect(page.locator("html")).to_have_js_property("scrollHeight", size[1])
        assert size[1] - 30 < max(page.evaluate(ends)) <= size[1]
        assert page.evaluate(CUT) == []


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
        opened(browser, board, color_scheme=scheme, refused=True) as page,
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


def test_a_board_is_used_by_keyboard_alone(browser: Browser, shown: Site) -> None:
    with opened(browser, f"{shown.url}/d/hotline-calls") as page:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.locator("button.about").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".explained").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".explained").first).to_be_hidden()
        summary = page.locator("details.variable summary").first
        summary.focus()
        page.keyboard.press("Enter")
        box = page.locator("details.variable[open] input[type=checkbox]").nth(1)
        box.focus()
        page.keyboard.press("Space")
        page.locator("form.choice > button").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("var-line="))
        assert "%24__all" not in page.url.partition("var-district")[0]


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
        with opened(browser, f"{running.url}/d/hotline-wall") as page:
            panel = panel_of("hotline-wall", "Overdue")
            expect(page.locator(f"#p{panel['id']} .number")).not_to_have_text("")
            before = numbers(page, panel)
            there = store.settings
            store.settings = type(there)(
                **{name: getattr(there, name) for name in there.__struct_fields__}
                | {"clickhouse_url": "http://127.0.0.1:9"}
            )
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


def test_eight_hours_leave_no_more_than_they_found(browser: Browser, city: Stored) -> None:
    """A shift at 1,440 times its pace: neither nodes nor memory of the page grow."""
    ticks = 60
    clock = Clock(AT, speed=0.0)
    with site(city.settings, clock=clock) as running, opened(browser, f"{running.url}/d/hotline-wall") as page:
        charts_drawn(page, "hotline-wall")
        seen: list[tuple[int, int]] = []
        for number in range(ticks):
            clock.start += 8 * 3600 / ticks
            at = datetime.fromtimestamp(int(clock()), UTC)
            expect(page.locator("#clock")).to_have_attribute("datetime", f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
            if number % 12 == 11:
                page.evaluate("gc()")
                seen.append(
                    tuple(
                        page.evaluate("[document.getElementsByTagName('*').length, performance.memory.usedJSHeapSize]")
                    )
                )
        nodes, heaps = zip(*seen, strict=True)
        assert max(nodes) - min(nodes) <= 10
        assert heaps[-1] < heaps[0] + (4 << 20)
