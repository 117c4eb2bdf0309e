"""How much the web server does at a time, and what it refuses beyond that."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.numbers import figure
from dashboards.numbers.routes import PAGES_AT_ONCE_MAX
from dashboards.web import feeds, server
from hotline.queries import answer_from_rows
from tests.dashboards.web.sites import AT, WEB, Clock, resident_kib, site, unread, viewers, wait

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored


def test_viewers_that_never_read_cost_little_and_are_let_go(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is told again and again each keeps less than 256 KiB here; once it takes nothing its line is cut."""
    monkeypatch.setattr(server, "SLOW_S", 0.5)
    panel = WEB["hotline-wall"].panels[0]["id"]
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running:
        running.still("/d/hotline-wall")
        before = resident_kib()
        lines = [unread(running, "/d/hotline-wall/events", takes_bytes=4096) for _ in range(300)]
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


def test_more_than_can_be_served_is_refused_and_says_so(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "FEEDS_MAX", 2)
    monkeypatch.setattr(feeds, "VIEWERS_MAX", 1)
    with site(city.settings, clock=Clock(AT, speed=0.0)) as running, running.events("/d/hotline-wall/events"):
        wait(lambda: viewers(running) == 1)
        assert running.get("/d/hotline-wall/events").status == 503
        monkeypatch.setattr(feeds, "VIEWERS_MAX", 2)
        assert running.get("/d/hotline-calls").status == http.client.OK
        with running.events("/d/hotline-calls/events"):
            wait(lambda: viewers(running) == 2)
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
            line = unread(running, "/numbers/calls_offered")
            wait(lambda before=asked_before: len(asked) > before)
            line.close()
        assert running.get("/numbers/calls_offered").status == http.client.OK
        assert len(asked) > PAGES_AT_ONCE_MAX
        assert all(asked)
