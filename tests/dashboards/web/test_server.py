"""The web server on the real engine: pages, streams, what they share, who may look, and what happens in an outage."""

from __future__ import annotations

import asyncio
import gc
import html
import http.client
import json
import re
import resource
import socket
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from dashboards.boards import BOARDS
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.numbers import figure
from dashboards.numbers.routes import PAGES_AT_ONCE_MAX
from dashboards.web import access, boards, bundle, choice, feeds, offers, server, store
from dashboards.web.keys import STORE
from dashboards.web.shown import Writer, fields, tone_of
from hotline.events import CHINESE
from hotline.queries import Statement, answer_from_rows
from hotline.settings import SettingsError
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.number_pages import Page
from tests.dashboards.web.sites import PATIENCE_S, Clock, Site, embedded, site
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dashboards.asking import Asking
    from tests.hotline.stored_rows import Stored

WEB = boards.read(ZONE)
LOCAL = ZoneInfo(ZONE)
AT = BORN_AT.timestamp() + 90_000


@pytest.fixture(scope="module")
def page(city: Stored) -> Iterator[Site]:
    with site(city.settings, clock=Clock(AT, speed=0.0)) as found:
        yield found


def test_the_boards_of_the_web_are_those_of_grafana_in_their_order() -> None:
    assert tuple(board.name for board in BOARDS) == boards.ORDER
    other = boards.read("Europe/Berlin")
    assert list(other) == list(WEB)
    assert {board.json["timezone"] for board in other.values()} == {"Europe/Berlin"}


@pytest.mark.parametrize("uid", WEB)
def test_a_page_shows_every_panel_and_its_text(uid: str, page: Site, asking: Asking) -> None:
    """Each content is that of the panel's own statements, asked as Grafana asks them."""
    board = WEB[uid]
    (age,) = (panel for panel in board.panels if panel["title"].startswith(("Data age", "数据时效")))
    younger = expected(board, age, asking)
    text = page.get(f"/d/{uid}?still").text
    shown = {said["id"]: said["content"] for said in embedded(text, "first")["panels"]}
    sections = [rest.partition("</section>")[0] for rest in text.split('<section class="panel ')[1:]]
    for panel, section in zip(board.panels, sections, strict=True):
        assert panel["title"] in html.unescape(section)
        assert (panel["id"] in shown) is (panel["type"] != "text"), panel["title"]
        check_leads(section, panel, shown.get(panel["id"], {}))
    tick = embedded(text, "first")["tick"]
    assert tick["failed"] == {}
    for panel in board.panels:
        if panel["type"] == "stat":
            told = [expected(board, panel, asking), *([younger] if panel is age else [])]  # a minute may pass meanwhile
            assert texts(shown[panel["id"]]) in told, panel["title"]


def check_leads(section: str, panel: dict[str, Any], content: dict[str, Any]) -> None:
    """Numbers lead where Grafana's lead: links of a panel from its section, links of values from what shows them."""
    assert numbers_in(section) == numbers_in(panel.get("links", ())), panel["title"]
    if any(content.get(part) for part in ("rows", "bars")) or len(content.get("tiles", ())) > 1:
        assert set(numbers_in(content)) == set(numbers_in(panel["fieldConfig"]["overrides"])), panel["title"]


def numbers_in(what: Any) -> list[str]:
    """The KPIs to whose pages something leads."""
    return re.findall(r"/numbers/(\w+)[/?]", what if isinstance(what, str) else json.dumps(what))


def texts(content: dict[str, Any]) -> list[str]:
    return [tile["text"] for tile in content["tiles"]]


def expected(board: boards.WebBoard, panel: dict[str, Any], asking: Asking) -> list[str]:
    """The texts of a stat panel, by its statement."""
    found = asking.ask(expand(panel["targets"][0]["rawSql"], opening(board)))
    writer = Writer(board.lang, LOCAL)
    shown = fields(panel, list(found.types))
    if panel["options"]["reduceOptions"]["values"]:
        return [writer.text(row[-1], shown[-1]) for row in found.rows] or ["—"]
    return [writer.text(value, of) for value, of in zip(found.rows[-1], shown, strict=True)]


def opening(board: boards.WebBoard) -> Chosen:
    """What a board opens with, at the clock of these tests."""
    return choice.read(board, MultiDict()).at(datetime.fromtimestamp(AT, LOCAL), LOCAL)


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing_of_its_own(page: Site) -> None:
    for uid in WEB:
        found = page.get(f"/d/{uid}")
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert "unsafe" not in found.headers["content-security-policy"]
        assert not re.search(
            r"\bon\w+=|style=|<style|javascript:|https?://(?!127)", found.text.partition('id="data"')[0]
        )
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/d/hotline-nothing", 404, "there is nothing at /d/hotline-nothing"),
        ("/nothing", 404, "there is nothing"),
        ("/d/hotline-calls?var-window=9d", 400, "choose one of 5min, 30min"),
        ("/d/hotline-calls?from=yesterday", 400, "write now-6h"),
        ("/d/hotline-calls?from=now&to=now-1h", 400, "before it begins"),
        ("/d/hotline-calls?var-line=" + "x" * 201, 400, "at most 200 bytes"),
        ("/d/hotline-calls?" + "&".join(f"var-line={n}" for n in range(201)), 400, "at most 200, or all"),
        ("/d/hotline-calls?var-line=a%00b", 400, "cannot be a line"),
        ("/static/../server.py", 404, "nothing"),
        ("/static/%2e%2e/server.py", 404, "nothing"),
        ("/static/..%2fserver.py", 404, "nothing"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_why(path: str, status: int, said: str, page: Site) -> None:
    found = page.get(path)
    assert (found.status, said in html.unescape(found.text)) == (status, True), found.text[-400:]


TOO_MANY = "&".join(f"var-line={n}" for n in range(201))


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/d/nothing", 404, "处没有内容"),
        ("/d/hotline-calls-zh?from=yesterday", 400, "'yesterday'不是时间"),
        ("/d/hotline-calls-zh?from=now%2B9y&to=now%2B200y", 400, "不在1970年至2105年之间"),
        ("/d/hotline-calls-zh?from=now-999999d", 400, "太远"),
        ("/d/hotline-calls-zh?from=now&to=now-1h", 400, "却止于更早的"),
        ("/d/hotline-calls-zh?var-window=2y", 400, "请从"),
        ("/d/hotline-calls-zh?var-line=a%00b", 400, "不能是line的名称"),
        (f"/d/hotline-calls-zh?{TOO_MANY}", 400, "最多选200个"),
        ("/numbers/nonsense", 404, "没有指标'nonsense'"),
        ("/numbers/calls_offered?page=0", 400, "请写从1起的整数"),
        ("/numbers/calls_offered?page=999", 404, "没有第999页"),
        ("/numbers/calls_offered?from=yesterday", 400, "'yesterday'不是时间"),
        ("/numbers/calls_offered?from=now-10s&to=now-5s", 400, "没有calls_offered的整分钟数据"),
        ("/numbers/calls_offered?over=now", 400, "没有当前值"),
        ("/numbers/calls_offered?sort=x", 400, "没有“x”一列"),
        (f"/numbers/calls_offered?kind=line&{TOO_MANY}", 400, "最多选200个"),
        ("/numbers/calls_offered?kind=line&var-line=a%00b", 400, "名称是最多200字节"),
        ("/numbers/calls_offered/row?row=x", 400, "请照明细所示写"),
        ("/numbers/calls_offered/row?row=s%00/x", 400, "不是一行明细"),
        ("/numbers/calls_offered/row?row=s/x@0001-01-01T00:00:00%2B14:00", 400, "开始时间不在"),
        ("/numbers/calls_offered/row?row=s/nobody", 404, "没有存储s/nobody"),
    ],
)
def test_what_is_refused_is_told_in_the_language_of_the_reader(path: str, status: int, said: str, page: Site) -> None:
    """That of the address or of its board, whatever the browser asks for; else that of the browser."""
    found = page.get(path, Accept_Language="zh-CN,zh;q=0.9,en;q=0.8")
    text = html.unescape(found.text)
    assert (found.status, said in text, 'lang="zh-CN"' in text) == (status, True, True), text[-400:]
    if "-zh" in path:
        assert said in html.unescape(page.get(path, Accept_Language="en").text)
    english = path.replace("-zh", "") + ("&" if "?" in path else "?") + "lang=en"
    told = page.get(english, Accept_Language="zh-CN")
    assert (told.status, 'lang="en"' in told.text) == (status, True)
    (sentence,) = re.findall(r'<p(?: class="refused" role="alert")?>([^<]+)</p>', told.text)
    assert not re.search("[\u3000-\u9fff]", sentence)


def test_an_english_board_is_refused_in_english_and_an_outage_is_told_in_the_language_of_its_board(
    city: Stored,
) -> None:
    """What the engine says in words of its own stays as it is, and is introduced."""
    wrong = type(city.settings)(**{**_plain(city.settings), "clickhouse_reader": "nobody"})
    with site(wrong, clock=Clock(AT, speed=0.0)) as running:
        assert "is no time" in running.get("/d/hotline-calls?from=x", Accept_Language="zh-CN").text
        for uid, introduced in (("hotline-wall-zh", "数据库未能应答,原文为:"), ("hotline-wall", "")):
            failed = embedded(running.get(f"/d/{uid}?still").text, "first")["tick"]["failed"]
            (why,) = {one["why"] for one in failed.values()}
            assert re.match(f"{introduced}.*nobody", why), why
        told = running.get("/numbers/calls_offered", Accept_Language="zh-CN")
        assert (told.status, "数据库未能应答,原文为:" in told.text) == (503, True)


def test_an_overdue_ticket_leads_to_what_happened_to_it(page: Site) -> None:
    (panel,) = (one for one in WEB["hotline-overdue"].panels if one["type"] == "table")
    ticket, *_ = page.still("/d/hotline-overdue")[panel["id"]]["rows"][0]
    told = page.get(ticket["href"])
    assert (told.status, ticket["text"] in told.text) == (200, True)


@pytest.mark.parametrize(
    ("title", "kind"), [("Handling in working days, by nature", "nature"), ("Tickets by channel", "channel")]
)
def test_the_year_leads_from_a_nature_and_a_channel_to_the_categories_within_it(
    title: str, kind: str, page: Site, city: Stored
) -> None:
    """Their shares add up to the number that was followed."""
    (panel,) = (one for one in WEB["hotline-annual"].panels if one["title"] == title)
    rows = page.still("/d/hotline-annual?from=now-3d&to=now")[panel["id"]]["rows"]
    assert rows
    for row in rows:
        name, created = row[0], row[1]
        assert f"kind={kind}" in created["href"]
        told = page.get(created["href"].replace(" ", "%20"))
        assert told.status == http.client.OK
        shown = Page()
        shown.feed(told.text)
        head, *lines, total = shown.tables[0]
        assert (head[0], total[1]) == ("Category", created["text"]), name
        assert sum(int(line[1].replace(",", "")) for line in lines) == int(created["text"].replace(",", ""))


@pytest.mark.parametrize(("title", "kind"), [("工作日办理时长", "nature"), ("诉求总量与办理", "audience")])
def test_words_of_closed_vocabularies_are_chinese_on_chinese_pages(title: str, kind: str, page: Site) -> None:
    """On the board, in the link of each value, and on the page that it leads to; the rows are the English ones."""
    (panel,) = (one for one in WEB["hotline-annual-zh"].panels if one["title"] == title)
    rows, english = (
        page.still(f"/d/hotline-annual{suffix}?from=now-3d&to=now")[panel["id"]]["rows"] for suffix in ("-zh", "")
    )
    words = CHINESE[kind]
    assert {row[0] for row in rows} == {words.get(row[0], row[0]) for row in english} >= set(words.values())
    for row in rows:
        told = page.get(row[1]["href"].replace(" ", "%20")).text
        assert row[0] in told
        assert not set(words) & set(re.findall(r">\s*([^<>]+?)\s*<", told))
    assert sorted(row[1]["text"] for row in rows) == sorted(row[1]["text"] for row in english)


def test_a_number_is_as_of_the_same_clock_as_its_board(page: Site) -> None:
    told = page.get("/numbers/calls_offered?over=30min").text
    end = datetime.fromtimestamp(AT + 60 - AT % 60, LOCAL)
    assert f"to {end:%Y-%m-%d %H:%M}:00, {ZONE}" in told


def test_lang_leads_to_the_board_of_that_language(page: Site) -> None:
    assert page.get("/?lang=zh").headers["location"] == "/d/hotline-wall-zh"
    assert page.get("/", Accept_Language="zh-CN,zh;q=0.9").headers["location"] == "/d/hotline-wall-zh"
    assert page.get("/").headers["location"] == "/d/hotline-wall"
    moved = page.get("/d/hotline-calls?lang=zh&var-window=1h")
    assert moved.headers["location"] == "/d/hotline-calls-zh?var-window=1h"
    odd = page.get("/d/hotline-calls?var-line=a%26b%23c%2Blang%3Dzh&lang=zh").headers["location"]
    assert parse_qs(urlsplit(odd).query) == {"var-line": ["a&b#c+lang=zh"]}
    assert 'lang="zh-CN"' in page.get("/d/hotline-calls-zh").text


NASTY = ["o'neil", "投诉", "🚰 \\", "$__toTime", "<script>alert(1)</script>", "') OR 1=1 --", ODD_NAME]


def test_nasty_names_choose_nothing_else_and_stay_text(page: Site) -> None:
    """Of all of them one is the name of a district, so the board is that of the one; that of the others is empty."""
    named = [f"var-district={quote(name)}" for name in NASTY]
    asked = "/d/hotline-district?from=now-3d&to=now&var-window=7d&"
    text = page.get(asked + "&".join(named)).text
    assert "<script>alert" not in text
    assert embedded(text, "first")["tick"]["failed"] == {}
    of_all, of_one, of_none = (page.still(asked + "&".join(chosen)) for chosen in (named, named[-1:], named[:-1]))
    assert of_all == of_one
    stats = [panel for panel in WEB["hotline-district"].panels if panel["type"] == "stat"]
    tiles = [panel for panel in stats if numbers_in(panel.get("links", ()))]
    assert {text for panel in tiles for text in texts(of_none[panel["id"]])} <= {"—", "0"}
    assert {text for panel in tiles for text in texts(of_one[panel["id"]])} - {"—", "0"}


@given(asked=st.dictionaries(st.sampled_from(["from", "to", "var-line", "var-window", "lang"]), st.text(max_size=40)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_breaks_the_server(asked: dict[str, str], page: Site) -> None:
    query = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in asked.items())
    assert page.get(f"/d/hotline-overdue?{query}").status in {200, 302, 400, 503}


def test_a_stream_begins_with_everything_and_then_says_what_changed(city: Stored) -> None:
    """The clock runs: the range ends later, so what depends on it changes, and nothing else is said again."""
    with site(city.settings, clock=Clock(AT, speed=30.0)) as running, running.events("/d/hotline-wall/events") as said:
        first: dict[int, Any] = {}
        ticks = 0
        again: list[int] = []
        for name, what in said:
            if name == "tick":
                ticks += 1
                if ticks == 8:
                    break
            elif what["id"] in first:
                assert what["content"] != first[what["id"]]
                again.append(what["id"])
                first[what["id"]] = what["content"]
            else:
                first[what["id"]] = what["content"]
        asked = {panel["id"] for panel in WEB["hotline-wall"].panels}
        assert asked <= set(first)
        (wait,) = (panel["id"] for panel in WEB["hotline-wall"].panels if panel["title"].startswith("Longest wait"))
        assert wait in again
        assert len(again) < ticks * len(asked) / 2


def test_an_instant_is_told_after_all_that_is_of_it(page: Site) -> None:
    """A page whose clock says when shows the numbers of then."""
    panels = page.still("/d/hotline-wall")
    with page.events("/d/hotline-wall/events") as said:
        told = [next(said) for _ in range(len(panels) + 1)]
    assert [name for name, _ in told] == ["panel"] * len(panels) + ["tick"]


@pytest.mark.parametrize("uid", ["hotline-calls", "hotline-annual-zh"])
def test_a_page_is_told_the_marks_of_every_kind(uid: str, page: Site, asking: Asking) -> None:
    """Those that the statements of the board's annotations find, under the names that Grafana gives them."""
    chosen = f"from={int(AT - 2 * 86_400) * 1000}&to=now"
    board = WEB[uid]
    at = choice.read(board, MultiDict(parse_qsl(chosen))).at(datetime.fromtimestamp(AT, LOCAL), LOCAL)
    wanted = []
    for annotation in board.json["annotations"]["list"]:
        if "rawSql" in annotation["target"]:
            found = asking.ask(expand(annotation["target"]["rawSql"], at))
            assert found.rows, annotation["name"]
            tone = tone_of(annotation["iconColor"])
            wanted += [(row[0], annotation["name"], tone, row[1]) for row in found.rows]
    with page.events(f"/d/{uid}/events?{chosen}") as said:
        shown = next(what["content"]["marks"] for _, what in said if what.get("id") == feeds.MARKS)
    told = [(mark["at"], mark["kind"], mark["tone"], mark["text"]) for mark in shown]
    written = Writer(board.lang, LOCAL)
    assert told == sorted(((written.time(at, ""), *rest) for at, *rest in wanted), key=lambda mark: mark[0])


def test_viewers_share_each_question(city: Stored) -> None:
    """Forty pages in two languages ask what one asks."""
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        alone = running.app[STORE].asked
        lines = [opened(running, f"/d/hotline-wall{'-zh' if n % 2 else ''}/events") for n in range(40)]
        wait(lambda: json.loads(running.get("/health").body)["viewers"] == 40)
        running.still("/d/hotline-wall-zh")
        assert running.app[STORE].asked <= 2 * alone
        for line in lines:
            line.close()
        wait(lambda: json.loads(running.get("/health").body)["viewers"] == 0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the store is asked, in its order."""
    found: list[str] = []
    run = store.Store.run

    async def noted(self: store.Store, statement: Statement, *turn: Any) -> store.Answer:
        found.append(statement.sql)
        return await run(self, statement, *turn)

    monkeypatch.setattr(store.Store, "run", noted)
    return found


def choosable(text: str) -> dict[str, set[str]]:
    """The names that a page offers, by variable."""
    found: dict[str, set[str]] = {}
    for name, value in re.findall(r'<input type="checkbox" name="var-(\w+)" value="([^"]*)"', text):
        found.setdefault(name, set()).add(html.unescape(value))
    return {name: values - {ALL_VALUE} for name, values in found.items()}


def test_a_page_waits_for_the_names_that_can_be_chosen_behind_no_panel(
    city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All turns of panels are taken: the page has all its names, which are asked for first, and no panel."""
    monkeypatch.setattr(offers, "WAIT_S", PATIENCE_S)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        whole = choosable(running.get("/d/hotline-tickets?still").text)
        assert {name for name, values in whole.items() if values} == {"line", "department", "district"}
        wait(lambda: not running.app[STORE]._kept)
        for _ in range(store.AT_ONCE_MAX):
            taken = running.app[STORE]._turn.acquire()
            asyncio.run_coroutine_threadsafe(taken, running.loop).result(PATIENCE_S)
        text = running.get("/d/hotline-tickets?var-window=1h").text
        assert choosable(text) == whole
        assert embedded(text, "first")["panels"] == []
        assert "unnamed" not in embedded(text, "data")["stream"]


def test_a_page_that_was_opened_in_an_outage_is_told_its_names_when_that_is_over(
    city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, by its own stream; the stream of a page that has them says none."""
    monkeypatch.setattr(offers, "AGAIN_S", 0.2)
    with site(city.settings, clock=Clock(AT, speed=30.0)) as running:
        asked, path = running.app[STORE], "/d/hotline-tickets?var-line=nobody"
        there = asked.settings
        asked.settings = type(there)(**{**_plain(there), "clickhouse_url": "http://127.0.0.1:9"})
        text = running.get(path).text
        assert choosable(text) == {"line": {"nobody"}, "department": set(), "district": set()}
        with running.events(embedded(text, "data")["stream"]) as said:
            assert next(what for name, what in said if name == "tick")["failed"]
            asked.settings = there
            told = next(what for name, what in said if name == "names")
            well = next(what for name, what in said if name in {"tick", "names"} and not what.get("failed"))
            assert "at" in well, "names are told once"
        of_page = choosable(running.get(path).text)
        assert {name: {*values} for name, values in told.items()} == of_page | {"line": of_page["line"] - {"nobody"}}


def test_a_page_that_is_refused_leaves_no_fault_of_its_names_behind(
    city: Stored, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def faulty(*_: Any) -> Any:
        await asyncio.sleep(0.05)
        tried.append(True)
        raise KeyError("a fault")

    tried: list[bool] = []
    monkeypatch.setattr(feeds, "VIEWERS_MAX", 0)
    monkeypatch.setattr(store.Store, "names", faulty)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        assert running.get("/d/hotline-tickets").status == 503
        wait(lambda: tried)
        assert running.get("/health").status == http.client.OK
    gc.collect()
    assert [record.getMessage() for record in caplog.records if "retrieved" in record.getMessage()] == []


def test_each_question_is_asked_once_a_tick_however_many_look(
    city: Stored, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock passes on; at each tick thirty pages ask what one asks, each text once, and the next tick asks anew."""
    monkeypatch.setattr(store, "KEPT_S", 60.0)  # so slow a machine may be between two feeds of one tick
    clock, per_tick = Clock(AT, speed=0.0), []
    with site(city.settings, clock=clock) as running, running.events("/d/hotline-wall/events") as said:
        lines: list[socket.socket] = []
        for viewers in (1, 1, 30, 30):
            while len(lines) + 1 < viewers:
                lines.append(opened(running, "/d/hotline-wall/events"))
            wait(lambda viewers=viewers: json.loads(running.get("/health").body)["viewers"] == viewers)
            clock.start += 60
            before = len(asked)
            assert next(what for name, what in said if name == "tick" and what["at"] == clock())["failed"] == {}
            per_tick.append(len(asked) - before)
        for line in lines:
            line.close()
    assert len(set(per_tick)) == 1
    assert per_tick[0] >= len(WEB["hotline-wall"].panels) - 1
    assert len(asked) == len(set(asked))


def opened(running: Site, path: str, takes_bytes: int = 0) -> socket.socket:
    """A connection that asks and never reads; `takes_bytes` is what the system takes for it meanwhile."""
    line = socket.socket()
    if takes_bytes:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
    line.connect(("127.0.0.1", running.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return line


def wait(until: Any, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not until():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_viewers_that_never_read_cost_little_and_are_let_go(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is told again and again each keeps less than 256 KiB here; once it takes nothing its line is cut."""
    monkeypatch.setattr(server, "SLOW_S", 0.5)
    panel = WEB["hotline-wall"].panels[0]["id"]
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        before = resident_kib()
        lines = [opened(running, "/d/hotline-wall/events", takes_bytes=4096) for _ in range(300)]
        wait(lambda: viewers(running) == len(lines))
        assert running.get("/d/hotline-wall").status == http.client.OK
        largest, told = resident_kib(), 0
        while viewers(running):
            told += 1
            assert told < 200, f"{viewers(running)} that take nothing are still told"
            running.put("hotline-wall", panel, {"tiles": [], "solid": False, "told": f"{told:100000}"})
            time.sleep(0.05)
            largest = max(largest, resident_kib())
        assert largest - before < len(lines) * 256
        assert running.get("/d/hotline-wall").status == http.client.OK
        for line in lines:
            line.close()


def viewers(running: Site) -> int:
    found: int = json.loads(running.get("/health").body)["viewers"]
    return found


def resident_kib() -> int:
    """What this process has in memory at this instant."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


def test_more_than_can_be_served_is_refused_and_says_so(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "FEEDS_MAX", 2)
    monkeypatch.setattr(feeds, "VIEWERS_MAX", 1)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running, running.events("/d/hotline-wall/events"):
        wait(lambda: json.loads(running.get("/health").body)["viewers"] == 1)
        assert running.get("/d/hotline-wall/events").status == 503
        monkeypatch.setattr(feeds, "VIEWERS_MAX", 2)
        assert running.get("/d/hotline-calls").status == http.client.OK
        with running.events("/d/hotline-calls/events"):
            wait(lambda: json.loads(running.get("/health").body)["viewers"] == 2)
            monkeypatch.setattr(feeds, "VIEWERS_MAX", 3)
            refused = running.get("/d/hotline-tickets")
            assert (refused.status, "close some, or ask later" in refused.text) == (503, True)


def test_boards_that_nobody_looks_at_make_room_for_others(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "FEEDS_MAX", 2)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running, running.events("/d/hotline-wall/events") as said:
        for line in range(6):
            assert running.get(f"/d/hotline-overdue?var-line={line}").status == http.client.OK
        assert {uid for uid, _ in running.app[server.FEEDS].running} == {"hotline-wall", "hotline-overdue"}
        running.put("hotline-wall", 1, {"still": "told"})
        assert next(what for _, what in said if what.get("content") == {"still": "told"})


def test_a_panel_that_cannot_be_drawn_says_so_and_the_others_go_on(
    city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in one panel, and a range that begins to end before it begins."""
    board = WEB["hotline-wall"]
    broken = board.panels[0]["id"]

    def drawn(panel: Any, *given: Any) -> Any:
        if panel["id"] == broken:
            raise KeyError("a fault")
        return faultless(panel, *given)

    faultless = feeds.drawn
    monkeypatch.setattr(feeds, "drawn", drawn)
    with site(city.settings, clock=Clock(AT, speed=60.0)) as running:
        with running.events("/d/hotline-wall/events") as said:
            ticks = (what for name, what in said if name == "tick")
            seen = [next(what for what in ticks if what["failed"]) for _ in range(2)]
            assert [set(what["failed"]) for what in seen] == [{str(broken)}] * 2
            assert "log/web.log" in seen[0]["failed"][str(broken)]["why"]
        with running.events(f"/d/hotline-wall/events?from=now&to={int(AT + 240) * 1000}") as said:
            every = {str(panel["id"]) for panel in board.panels}
            over = next(what for name, what in said if name == "tick" and set(what["failed"]) >= every)
            assert "before it begins" in over["failed"][str(broken)]["why"]


def test_another_sites_name_is_not_served(page: Site) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "[::2]", "[::1", "127.0.0.1@evil.example", "0.0.0.0", ""):  # noqa: S104  a name that is asked for
        assert page.get("/d/hotline-wall", Host=host).status == 421
    for host in ("127.0.0.1:1", "localhost", "[::1]:8312", "LOCALHOST."):
        assert page.get("/d/hotline-wall", Host=host).status == 200


def test_what_is_no_http_fills_no_log(page: Site, caplog: pytest.LogCaptureFixture) -> None:
    for said in (b"\x16\x03\x01 what\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", page.port)) as line:
            line.sendall(said)
            assert b" 400 " in line.recv(100)
    assert caplog.records == []


def test_after_an_update_nobody_has_an_old_program(page: Site) -> None:
    for path in ("/static/board.js", "/static/board.css", "/numbers/static/numbers.css", "/static/charts.js"):
        found = page.get(path)
        assert (found.status, found.headers["cache-control"]) == (200, "no-cache")
        assert page.get(path, If_None_Match=found.headers["etag"]).status == http.client.NOT_MODIFIED


def test_other_sites_may_lead_here_and_make_a_browser_ask_nothing(page: Site) -> None:
    """An image, a frame or a stream on another site costs no question; a link to a board is one."""

    def asked(site_of: str, dest: str, method: str = "GET") -> int:
        path = "/login" if method == "POST" else "/d/hotline-wall"
        return page.get(path, method, Sec_Fetch_Site=site_of, Sec_Fetch_Dest=dest).status

    assert {asked("cross-site", dest) for dest in ("image", "iframe", "empty", "script")} == {403}
    assert asked("cross-site", "document", "POST") == 403
    assert asked("cross-site", "document") == asked("same-origin", "empty") == asked("none", "document") == 200


def test_as_many_names_can_be_chosen_as_is_said(page: Site) -> None:
    names = [f"{'投诉' * 32}{place:03}" for place in range(choice.VALUES_MAX)]
    query = urlencode([("var-department", name) for name in names])
    text = page.get(f"/d/hotline-department?{query}").text
    assert names[-1] in text
    with page.events(embedded(text, "data")["stream"]) as said:
        assert next(said)


@pytest.mark.parametrize(
    ("status", "asked", "chinese", "english"),
    [
        (405, {"method": "POST"}, "看板只读", "boards are read only"),
        (403, {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "empty"}, "其他网站的页面", "pages of other sites"),
        (421, {"Host": "boards.example"}, "访问\n", "ask for 127.0.0.1"),
        (401, {}, "请在 /login 登录", "log in at /login"),
    ],
)
def test_who_may_not_ask_is_refused_in_the_language_of_the_board_else_of_the_browser(
    status: int, asked: dict[str, Any], chinese: str, english: str, page: Site, city: Stored
) -> None:
    told = {"/d/hotline-wall-zh": chinese, "/d/hotline-wall-zh/events": chinese, "/d/hotline-wall": english}
    browsers = {"zh-CN": chinese, "en": english}
    with site(city.settings, token="t0ken-" + "x" * 40) if status == 401 else nullcontext(page) as running:
        for browser, by_browser in browsers.items():
            for path, said in (told | {"/health": by_browser, "/d/hotline-wall-zh?lang=en": english}).items():
                found = running.get(path, Accept_Language=browser, **asked)
                assert (found.status, said in found.text) == (status, True), (path, browser, found.text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_boards_are_read_only(method: str, page: Site) -> None:
    assert page.get("/d/hotline-wall", method=method).status == 405


def test_a_stream_is_no_answer_to_a_question_for_its_head(page: Site) -> None:
    assert page.get("/d/hotline-wall/events", method="HEAD").status == 405


def test_from_elsewhere_nobody_looks_without_the_token(city: Stored) -> None:
    token = "t0ken-" + "x" * 40
    with site(city.settings, token=token, clock=Clock(AT, speed=0.0)) as running:
        for path in ("/d/hotline-wall", "/d/hotline-wall/events", "/", "/health", "/static/board.js", "/nothing"):
            assert running.get(path).status == 401
            assert running.get(path, Authorization="Bearer wrong").status == 401
            assert running.get(path, Cookie=f"{access.COOKIE}={token}x").status == 401
        sent = running.get("/d/hotline-wall", Accept="text/html")
        assert (sent.status, sent.headers["location"]) == (303, "/login")
        assert running.get("/d/hotline-wall", Authorization=f"Bearer {token}").status == 200
        assert running.get("/d/hotline-wall", Host="boards.example", Cookie=f"{access.COOKIE}={token}").status == 200
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        wrong = running.get("/login", "POST", b"token=guess", **form)
        assert (wrong.status, "set-cookie" in wrong.headers) == (403, False)
        right = running.get("/login", "POST", f"token={token}".encode(), **form)
        assert right.status == 303
        assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in right.headers["set-cookie"].split(";")}
        assert running.get("/login", "POST", b"token=" + b"x" * 10_000, **form).status == 413
        for odd in ("multipart/form-data", "application/x-www-form-urlencoded; charset=nothing"):
            assert running.get("/login", "POST", b"token=a", Content_Type=odd).status == 403
        assert running.get("/static/icon.svg").status == 200


def test_without_a_token_the_login_lets_nobody_in(page: Site) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert page.get("/login", "POST", b"token=", **form).status == 403


def test_the_token_is_made_once_and_belongs_to_its_owner(tmp_path: Any) -> None:
    file = tmp_path / "secrets" / "web.token"
    token = access.token_in(file)
    assert (len(token) >= 43, access.token_in(file), file.stat().st_mode & 0o777) == (True, token, 0o600)
    file.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        access.token_in(file)


@pytest.mark.parametrize("damaged", ["", "\n", "short\n"])
def test_a_token_file_that_was_emptied_lets_nobody_in(damaged: str, city: Stored, tmp_path: Path) -> None:
    file = tmp_path / "web.password"
    file.write_text(damaged)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="delete it"):
        access.token_in(file)
    with site(city.settings, token="", clock=Clock(AT, speed=0.0)) as running:
        assert running.get("/d/hotline-wall").status == 401
        assert running.get("/d/hotline-wall", Authorization="Bearer ").status == 401


def test_what_was_shown_stays_through_an_outage_and_says_since_when(city: Stored) -> None:
    """The address of the engine leads nowhere for a while."""
    clock = Clock(AT, speed=30.0)
    with site(city.settings, clock=clock) as running:
        before = running.still("/d/hotline-wall")
        asked = running.app[STORE]
        away = type(asked.settings)(**{**_plain(asked.settings), "clickhouse_url": "http://127.0.0.1:9"})
        asked.settings, there = away, asked.settings
        with running.events("/d/hotline-wall/events") as said:
            every = {str(panel["id"]) for panel in WEB["hotline-wall"].panels}
            failed = next(what for name, what in said if name == "tick" and set(what["failed"]) >= every)
            later = next(what for name, what in said if name == "tick" and what["at"] > failed["at"])
            (panel, first), *_ = failed["failed"].items()
            assert later["failed"][panel]["since"] == first["since"]
            assert "cannot be reached" in first["why"]
            assert embedded(running.get("/d/hotline-wall").text, "first")["panels"] != []
            asked.settings = there
            well = next(what for name, what in said if name == "tick" and not what["failed"])
            assert well["at"] > later["at"]
        assert set(running.still("/d/hotline-wall")) == set(before)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of a server that answers that, whatever it is asked; nothing is no answer."""
    opened = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = opened.accept()
                held.append(line)
                if answer:
                    line.recv(1 << 16)
                    line.sendall(answer)
                    line.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
    finally:
        opened.shutdown(socket.SHUT_RDWR)
        opened.close()
        thread.join(5)
        for line in held:
            line.close()


def test_without_an_engine_no_board_shows_a_number_and_pages_of_numbers_say_why(city: Stored) -> None:
    """Every panel of every board says it, and its marks do; a number, its rows and their files are refused with 503."""
    away = type(city.settings)(**{**_plain(city.settings), "clickhouse_url": "http://127.0.0.1:9"})
    with site(away, clock=Clock(AT, speed=0.0)) as running:
        for uid, board in WEB.items():
            first = embedded(running.get(f"/d/{uid}?still").text, "first")
            asking = {str(panel["id"]) for panel in board.panels if panel["type"] != "text"}
            marked = {str(feeds.MARKS)} if board.marks else set()
            assert (first["panels"], set(first["tick"]["failed"])) == ([], asking | marked), uid
        for part in ("", "/row", "/rows.csv", "/rows.xlsx"):
            told = running.get(f"/numbers/calls_offered{part}?row=a%2Fb")
            assert (told.status, "cannot be reached" in told.text) == (503, True), part


def test_links_between_boards_keep_the_range_and_what_is_chosen(page: Site) -> None:
    text = html.unescape(page.get("/d/hotline-calls?from=now-24h&to=now&var-line=a").text)
    links = dict(re.findall(r'<a href="/d/([\w-]+)\?([^"]*)"', text))
    assert {uid for uid in WEB if not uid.endswith("-zh")} < set(links)
    for uid, query in links.items():
        kept = parse_qs(query)
        assert (kept["from"], kept["to"]) == (["now-24h"], ["now"]), uid
        assert kept.get("var-line") == (["a"] if WEB[uid].variables else None), uid


def test_an_engine_that_hangs_is_told_of_at_once_and_pages_come(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """No question waits longer for its turn than one may take; a page does not wait for names that do not come."""
    monkeypatch.setattr(store, "ANSWER_S_MAX", 3.0)
    monkeypatch.setattr(offers, "WAIT_S", 0.1)
    with answering(b"") as url:
        hanging = type(city.settings)(**{**_plain(city.settings), "clickhouse_url": url})
        with site(hanging, clock=Clock(AT, speed=0.0)) as running:
            opened_early = embedded(running.get("/d/hotline-department").text, "first")
            assert opened_early == {"panels": [], "tick": {"at": AT, "failed": {}}}
            with running.events("/d/hotline-department/events") as said:
                failed = next(what for name, what in said if name == "tick" and what["failed"])
            assert "did not answer within 3 s" in next(iter(failed["failed"].values()))["why"]
            assert running.app[STORE].asked < len(WEB["hotline-department"].panels)


def test_what_is_no_engine_is_an_outage_too(city: Stored) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello") as url:
        other = type(city.settings)(**{**_plain(city.settings), "clickhouse_url": url})
        with site(other, clock=Clock(AT, speed=0.0)) as running:
            page = running.get("/d/hotline-wall?still")
    failed = embedded(page.text, "first")["tick"]["failed"]
    assert {one["why"] for one in failed.values()} == {f"what answers at {url} is no ClickHouse: b'hello'"}


def test_answers_are_not_kept_for_nobody(city: Stored) -> None:
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        wait(lambda: not running.app[STORE]._kept)


def _plain(given: Any) -> dict[str, Any]:
    return {name: getattr(given, name) for name in given.__struct_fields__}


def test_a_feed_that_nobody_looks_at_ends(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(city.settings, clock=Clock(AT, speed=300.0)) as running:
        running.get("/d/hotline-wall")
        wait(lambda: json.loads(running.get("/health").body)["feeds"] == 0)


def test_the_chart_library_is_bundled_once_and_kept(page: Site) -> None:
    found = page.get("/static/charts.js")
    assert found.status == http.client.OK
    assert b"vegaEmbed" in found.body
    assert found.headers["content-type"].startswith("text/javascript")
    assert page.app[server.BUNDLE].file.read_bytes() == found.body


def test_number_pages_that_nobody_waits_for_are_no_more_than_those_that_take_turns(
    city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each asks in a thread, which does not end because its reader is gone."""
    asking, asked = threading.Semaphore(PAGES_AT_ONCE_MAX), []

    def slow(*given: Any) -> Any:
        asked.append(asking.acquire(blocking=False))
        time.sleep(0.2)
        try:
            return answer_from_rows(*given)
        finally:
            asking.release()

    monkeypatch.setattr(figure, "answer_from_rows", slow)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        for _ in range(4):
            asked_before = len(asked)
            line = opened(running, "/numbers/calls_offered")
            wait(lambda before=asked_before: len(asked) > before)
            line.close()
        assert running.get("/numbers/calls_offered").status == http.client.OK
        assert len(asked) > PAGES_AT_ONCE_MAX
        assert all(asked)


SLOW_BUNDLE = "import pathlib, sys, time; pathlib.Path({0!r}, str(time.time_ns())).touch(); time.sleep(1); print(7)"


def test_whoever_does_not_wait_for_the_chart_library_starts_no_second_process(
    city: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_PROGRAM", SLOW_BUNDLE.format(str(tmp_path)))
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.app[server.BUNDLE].file = tmp_path / "charts.js"
        for _ in range(4):
            line = opened(running, "/static/charts.js")
            time.sleep(0.1)
            line.close()
        assert running.get("/static/charts.js").body == b"7\n"
        assert len(list(tmp_path.glob("[0-9]*"))) == 1


def test_a_chart_library_that_was_not_made_is_told_and_made_again(
    city: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The process is killed half-way; the log says so, and the next page has it made."""
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.app[server.BUNDLE].file = tmp_path / "charts.js"
        monkeypatch.setattr(bundle, "_PROGRAM", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        assert running.get("/static/charts.js").status == 500
        assert "ended with -9" in caplog.text
        monkeypatch.setattr(bundle, "_PROGRAM", "print(7)")
        assert running.get("/static/charts.js").status == 200
