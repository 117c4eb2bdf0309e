"""Streams of the web server on the real engine: what pages are told, and what they share."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import socket
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from multidict import MultiDict

from dashboards.macros import expand
from dashboards.web import choice, feeds, offers, store
from dashboards.web.keys import STORE
from dashboards.web.shown import Writer, tone_of
from hotline.queries import Statement
from tests.dashboards.web.sites import (
    AT,
    LOCAL,
    PATIENCE_S,
    WEB,
    Clock,
    Site,
    choosable,
    embedded,
    site,
    unread,
    viewers,
    wait,
)

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking
    from tests.hotline.stored_rows import Stored


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


def test_an_instant_is_told_after_all_that_is_of_it(standing: Site) -> None:
    """A page whose clock says when shows the numbers of then."""
    panels = standing.still("/d/hotline-wall")
    with standing.events("/d/hotline-wall/events") as said:
        told = [next(said) for _ in range(len(panels) + 1)]
    assert [name for name, _ in told] == ["panel"] * len(panels) + ["tick"]


@pytest.mark.parametrize("uid", ["hotline-calls", "hotline-annual-zh"])
def test_a_page_is_told_the_marks_of_every_kind(uid: str, standing: Site, asking: Asking) -> None:
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
    with standing.events(f"/d/{uid}/events?{chosen}") as said:
        shown = next(what["content"]["marks"] for _, what in said if what.get("id") == feeds.MARKS)
    told = [(mark["at"], mark["kind"], mark["tone"], mark["text"]) for mark in shown]
    written = Writer(board.lang, LOCAL)
    assert told == sorted(((written.time(at, ""), *rest) for at, *rest in wanted), key=lambda mark: mark[0])


def test_viewers_share_each_question(city: Stored) -> None:
    """Forty pages in two languages ask what one asks."""
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        alone = running.app[STORE].asked
        lines = [unread(running, f"/d/hotline-wall{'-zh' if n % 2 else ''}/events") for n in range(40)]
        wait(lambda: viewers(running) == 40)
        running.still("/d/hotline-wall-zh")
        assert running.app[STORE].asked <= 2 * alone
        for line in lines:
            line.close()
        wait(lambda: viewers(running) == 0)


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
        for looking in (1, 1, 30, 30):
            while len(lines) + 1 < looking:
                lines.append(unread(running, "/d/hotline-wall/events"))
            wait(lambda looking=looking: viewers(running) == looking)
            clock.start += 60
            before = len(asked)
            assert next(what for name, what in said if name == "tick" and what["at"] == clock())["failed"] == {}
            per_tick.append(len(asked) - before)
        for line in lines:
            line.close()
    assert len(set(per_tick)) == 1
    assert per_tick[0] >= len(WEB["hotline-wall"].panels) - 1
    assert len(asked) == len(set(asked))


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
            assert not seen[0]["failed"][str(broken)]["of_store"]
        with running.events(f"/d/hotline-wall/events?from=now&to={int(AT + 240) * 1000}") as said:
            every = {str(panel["id"]) for panel in board.panels}
            over = next(what for name, what in said if name == "tick" and set(what["failed"]) >= every)
            assert "before it begins" in over["failed"][str(broken)]["why"]


def test_answers_are_not_kept_for_nobody(city: Stored) -> None:
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        wait(lambda: not running.app[STORE]._kept)


def test_a_feed_that_nobody_looks_at_ends(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(city.settings, clock=Clock(AT, speed=300.0)) as running:
        running.get("/d/hotline-wall")
        wait(lambda: json.loads(running.get("/health").body)["feeds"] == 0)
