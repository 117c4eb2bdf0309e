"""Pages of the web server on the real engine: what stands on them, where they lead, what they refuse."""

from __future__ import annotations

import html
import http.client
import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from dashboards.boards import BOARDS
from dashboards.macros import Chosen, expand
from dashboards.web import boards, bundle, choice, server
from dashboards.web.shown import Writer, fields
from hotline.events import CHINESE
from tests.dashboards.conftest import ZONE
from tests.dashboards.number_pages import Page
from tests.dashboards.web.sites import AT, LOCAL, WEB, Clock, Site, embedded, numbers_in, otherwise, site, texts, unread
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking
    from tests.hotline.stored_rows import Stored


def test_the_boards_of_the_web_are_those_of_grafana_in_their_order() -> None:
    assert tuple(board.name for board in BOARDS) == boards.ORDER
    other = boards.read("Europe/Berlin")
    assert list(other) == list(WEB)
    assert {board.json["timezone"] for board in other.values()} == {"Europe/Berlin"}


@pytest.mark.parametrize("uid", WEB)
def test_a_page_shows_every_panel_and_its_text(uid: str, standing: Site, asking: Asking) -> None:
    """Each content is that of the panel's own statements, asked as Grafana asks them."""
    board = WEB[uid]
    (age,) = (panel for panel in board.panels if panel["title"].startswith(("Data age", "数据时效")))
    younger = expected(board, age, asking)
    text = standing.get(f"/d/{uid}?still").text
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


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing_of_its_own(standing: Site) -> None:
    for uid in WEB:
        found = standing.get(f"/d/{uid}")
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
def test_a_question_that_cannot_be_answered_is_told_why(path: str, status: int, said: str, standing: Site) -> None:
    found = standing.get(path)
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
def test_what_is_refused_is_told_in_the_language_of_the_reader(
    path: str, status: int, said: str, standing: Site
) -> None:
    """That of the address or of its board, whatever the browser asks for; else that of the browser."""
    found = standing.get(path, Accept_Language="zh-CN,zh;q=0.9,en;q=0.8")
    text = html.unescape(found.text)
    assert (found.status, said in text, 'lang="zh-CN"' in text) == (status, True, True), text[-400:]
    if "-zh" in path:
        assert said in html.unescape(standing.get(path, Accept_Language="en").text)
    english = path.replace("-zh", "") + ("&" if "?" in path else "?") + "lang=en"
    told = standing.get(english, Accept_Language="zh-CN")
    assert (told.status, 'lang="en"' in told.text) == (status, True)
    (sentence,) = re.findall(r'<p(?: class="refused" role="alert")?>([^<]+)</p>', told.text)
    assert not re.search("[\u3000-\u9fff]", sentence)


def test_an_english_board_is_refused_in_english_and_an_outage_is_told_in_the_language_of_its_board(
    city: Stored,
) -> None:
    """What the engine says in words of its own stays as it is, and is introduced."""
    wrong = otherwise(city.settings, clickhouse_reader="nobody")
    with site(wrong, clock=Clock(AT, speed=0.0)) as running:
        assert "is no time" in running.get("/d/hotline-calls?from=x", Accept_Language="zh-CN").text
        for uid, introduced in (("hotline-wall-zh", "数据库未能应答,原文为:"), ("hotline-wall", "")):
            failed = embedded(running.get(f"/d/{uid}?still").text, "first")["tick"]["failed"]
            (why,) = {one["why"] for one in failed.values()}
            assert re.match(f"{introduced}.*nobody", why), why
        told = running.get("/numbers/calls_offered", Accept_Language="zh-CN")
        assert (told.status, "数据库未能应答,原文为:" in told.text) == (503, True)


def test_an_overdue_ticket_leads_to_what_happened_to_it(standing: Site) -> None:
    (panel,) = (one for one in WEB["hotline-overdue"].panels if one["type"] == "table")
    ticket, *_ = standing.still("/d/hotline-overdue")[panel["id"]]["rows"][0]
    told = standing.get(ticket["href"])
    assert (told.status, ticket["text"] in told.text) == (200, True)


@pytest.mark.parametrize(
    ("title", "kind"), [("Handling in working days, by nature", "nature"), ("Tickets by channel", "channel")]
)
def test_the_year_leads_from_a_nature_and_a_channel_to_the_categories_within_it(
    title: str, kind: str, standing: Site, city: Stored
) -> None:
    """Their shares add up to the number that was followed."""
    (panel,) = (one for one in WEB["hotline-annual"].panels if one["title"] == title)
    rows = standing.still("/d/hotline-annual?from=now-3d&to=now")[panel["id"]]["rows"]
    assert rows
    for row in rows:
        name, created = row[0], row[1]
        assert f"kind={kind}" in created["href"]
        told = standing.get(created["href"].replace(" ", "%20"))
        assert told.status == http.client.OK
        shown = Page()
        shown.feed(told.text)
        head, *lines, total = shown.tables[0]
        assert (head[0], total[1]) == ("Category", created["text"]), name
        assert sum(int(line[1].replace(",", "")) for line in lines) == int(created["text"].replace(",", ""))


@pytest.mark.parametrize(("title", "kind"), [("工作日办理时长", "nature"), ("诉求总量与办理", "audience")])
def test_words_of_closed_vocabularies_are_chinese_on_chinese_pages(title: str, kind: str, standing: Site) -> None:
    """On the board, in the link of each value, and on the page that it leads to; the rows are the English ones."""
    (panel,) = (one for one in WEB["hotline-annual-zh"].panels if one["title"] == title)
    rows, english = (
        standing.still(f"/d/hotline-annual{suffix}?from=now-3d&to=now")[panel["id"]]["rows"] for suffix in ("-zh", "")
    )
    words = CHINESE[kind]
    assert {row[0] for row in rows} == {words.get(row[0], row[0]) for row in english} >= set(words.values())
    for row in rows:
        told = standing.get(row[1]["href"].replace(" ", "%20")).text
        assert row[0] in told
        assert not set(words) & set(re.findall(r">\s*([^<>]+?)\s*<", told))
    assert sorted(row[1]["text"] for row in rows) == sorted(row[1]["text"] for row in english)


def test_a_number_is_as_of_the_same_clock_as_its_board(standing: Site) -> None:
    told = standing.get("/numbers/calls_offered?over=30min").text
    end = datetime.fromtimestamp(AT + 60 - AT % 60, LOCAL)
    assert f"to {end:%Y-%m-%d %H:%M}:00, {ZONE}" in told


def test_lang_leads_to_the_board_of_that_language(standing: Site) -> None:
    assert standing.get("/?lang=zh").headers["location"] == "/d/hotline-wall-zh"
    assert standing.get("/", Accept_Language="zh-CN,zh;q=0.9").headers["location"] == "/d/hotline-wall-zh"
    assert standing.get("/").headers["location"] == "/d/hotline-wall"
    moved = standing.get("/d/hotline-calls?lang=zh&var-window=1h")
    assert moved.headers["location"] == "/d/hotline-calls-zh?var-window=1h"
    odd = standing.get("/d/hotline-calls?var-line=a%26b%23c%2Blang%3Dzh&lang=zh").headers["location"]
    assert parse_qs(urlsplit(odd).query) == {"var-line": ["a&b#c+lang=zh"]}
    assert 'lang="zh-CN"' in standing.get("/d/hotline-calls-zh").text


NASTY = ["o'neil", "投诉", "🚰 \\", "$__toTime", "<script>alert(1)</script>", "') OR 1=1 --", ODD_NAME]


def test_nasty_names_choose_nothing_else_and_stay_text(standing: Site) -> None:
    """Of all of them one is the name of a district, so the board is that of the one; that of the others is empty."""
    named = [f"var-district={quote(name)}" for name in NASTY]
    asked = "/d/hotline-district?from=now-3d&to=now&var-window=7d&"
    text = standing.get(asked + "&".join(named)).text
    assert "<script>alert" not in text
    assert embedded(text, "first")["tick"]["failed"] == {}
    of_all, of_one, of_none = (standing.still(asked + "&".join(chosen)) for chosen in (named, named[-1:], named[:-1]))
    assert of_all == of_one
    stats = [panel for panel in WEB["hotline-district"].panels if panel["type"] == "stat"]
    tiles = [panel for panel in stats if numbers_in(panel.get("links", ()))]
    assert {text for panel in tiles for text in texts(of_none[panel["id"]])} <= {"—", "0"}
    assert {text for panel in tiles for text in texts(of_one[panel["id"]])} - {"—", "0"}


@given(asked=st.dictionaries(st.sampled_from(["from", "to", "var-line", "var-window", "lang"]), st.text(max_size=40)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_breaks_the_server(asked: dict[str, str], standing: Site) -> None:
    query = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in asked.items())
    assert standing.get(f"/d/hotline-overdue?{query}").status in {200, 302, 400, 503}


def test_after_an_update_nobody_has_an_old_program(standing: Site) -> None:
    for path in ("/static/board.js", "/static/board.css", "/numbers/static/numbers.css", "/static/charts.js"):
        found = standing.get(path)
        assert (found.status, found.headers["cache-control"]) == (200, "no-cache")
        assert standing.get(path, If_None_Match=found.headers["etag"]).status == http.client.NOT_MODIFIED


def test_as_many_names_can_be_chosen_as_is_said(standing: Site) -> None:
    names = [f"{'投诉' * 32}{place:03}" for place in range(choice.VALUES_MAX)]
    query = urlencode([("var-department", name) for name in names])
    text = standing.get(f"/d/hotline-department?{query}").text
    assert names[-1] in text
    with standing.events(embedded(text, "data")["stream"]) as said:
        assert next(said)


def test_links_between_boards_keep_the_range_and_what_is_chosen(standing: Site) -> None:
    text = html.unescape(standing.get("/d/hotline-calls?from=now-24h&to=now&var-line=a").text)
    links = dict(re.findall(r'<a href="/d/([\w-]+)\?([^"]*)"', text))
    assert {uid for uid in WEB if not uid.endswith("-zh")} < set(links)
    for uid, query in links.items():
        kept = parse_qs(query)
        assert (kept["from"], kept["to"]) == (["now-24h"], ["now"]), uid
        assert kept.get("var-line") == (["a"] if WEB[uid].variables else None), uid


def test_the_chart_library_is_bundled_once_and_kept(standing: Site) -> None:
    found = standing.get("/static/charts.js")
    assert found.status == http.client.OK
    assert b"vegaEmbed" in found.body
    assert found.headers["content-type"].startswith("text/javascript")
    assert standing.app[server.BUNDLE].file.read_bytes() == found.body


SLOW_BUNDLE = "import pathlib, sys, time; pathlib.Path({0!r}, str(time.time_ns())).touch(); time.sleep(1); print(7)"


def test_whoever_does_not_wait_for_the_chart_library_starts_no_second_process(
    city: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_PROGRAM", SLOW_BUNDLE.format(str(tmp_path)))
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.app[server.BUNDLE].file = tmp_path / "charts.js"
        for _ in range(4):
            line = unread(running, "/static/charts.js")
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
