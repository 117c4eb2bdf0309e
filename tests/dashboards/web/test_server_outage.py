"""The web server without an engine, or with one that hangs."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from dashboards.web import feeds, offers, store
from dashboards.web.keys import STORE
from tests.dashboards.web.sites import AT, WEB, Clock, away, choosable, embedded, otherwise, site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hotline.stored_rows import Stored


def test_a_page_that_was_opened_in_an_outage_is_told_its_names_when_that_is_over(
    city: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, by its own stream; the stream of a page that has them says none."""
    monkeypatch.setattr(offers, "AGAIN_S", 0.2)
    with site(city.settings, clock=Clock(AT, speed=30.0)) as running:
        asked, path = running.app[STORE], "/d/hotline-tickets?var-line=nobody"
        there = asked.settings
        asked.settings = away(there)
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


def test_what_was_shown_stays_through_an_outage_and_says_since_when(city: Stored) -> None:
    """The address of the engine leads nowhere for a while."""
    clock = Clock(AT, speed=30.0)
    with site(city.settings, clock=clock) as running:
        before = running.still("/d/hotline-wall")
        asked = running.app[STORE]
        asked.settings, there = away(asked.settings), asked.settings
        with running.events("/d/hotline-wall/events") as said:
            every = {str(panel["id"]) for panel in WEB["hotline-wall"].panels}
            failed = next(what for name, what in said if name == "tick" and set(what["failed"]) >= every)
            later = next(what for name, what in said if name == "tick" and what["at"] > failed["at"])
            (panel, first), *_ = failed["failed"].items()
            assert later["failed"][panel]["since"] == first["since"]
            assert ("cannot be reached" in first["why"], first["of_store"]) == (True, True)
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
    with site(away(city.settings), clock=Clock(AT, speed=0.0)) as running:
        for uid, board in WEB.items():
            first = embedded(running.get(f"/d/{uid}?still").text, "first")
            asking = {str(panel["id"]) for panel in board.panels if panel["type"] != "text"}
            marked = {str(feeds.MARKS)} if board.marks else set()
            assert (first["panels"], set(first["tick"]["failed"])) == ([], asking | marked), uid
        for part in ("", "/row", "/rows.csv", "/rows.xlsx"):
            told = running.get(f"/numbers/calls_offered{part}?row=a%2Fb")
            assert (told.status, "cannot be reached" in told.text) == (503, True), part


def test_an_engine_that_hangs_is_told_of_at_once_and_pages_come(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """No question waits longer for its turn than one may take; a page does not wait for names that do not come."""
    monkeypatch.setattr(store, "ANSWER_S_MAX", 3.0)
    monkeypatch.setattr(offers, "WAIT_S", 0.1)
    with answering(b"") as url:
        hanging = otherwise(city.settings, clickhouse_url=url)
        with site(hanging, clock=Clock(AT, speed=0.0)) as running:
            opened_early = embedded(running.get("/d/hotline-department").text, "first")
            assert opened_early == {"panels": [], "tick": {"at": AT, "failed": {}}}
            with running.events("/d/hotline-department/events") as said:
                failed = next(what for name, what in said if name == "tick" and what["failed"])
            assert "did not answer within 3 s" in next(iter(failed["failed"].values()))["why"]
            assert running.app[STORE].asked < len(WEB["hotline-department"].panels)


def test_what_is_no_engine_is_an_outage_too(city: Stored) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello") as url:
        other = otherwise(city.settings, clickhouse_url=url)
        with site(other, clock=Clock(AT, speed=0.0)) as running:
            page = running.get("/d/hotline-wall?still")
    failed = embedded(page.text, "first")["tick"]["failed"]
    assert {one["why"] for one in failed.values()} == {f"what answers at {url} is no ClickHouse: b'hello'"}
