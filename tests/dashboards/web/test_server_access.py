"""Who may look at the boards, from where, and with what."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.web import access
from hotline.settings import SettingsError
from tests.dashboards.web.sites import AT, Clock, Site, site

if TYPE_CHECKING:
    from tests.hotline.stored_rows import Stored


def test_another_sites_name_is_not_served(standing: Site) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "[::2]", "[::1", "127.0.0.1@evil.example", "0.0.0.0", ""):  # noqa: S104  a name that is asked for
        assert standing.get("/d/hotline-wall", Host=host).status == 421
    for host in ("127.0.0.1:1", "localhost", "[::1]:8312", "LOCALHOST."):
        assert standing.get("/d/hotline-wall", Host=host).status == 200


def test_what_is_no_http_fills_no_log(standing: Site, caplog: pytest.LogCaptureFixture) -> None:
    for said in (b"\x16\x03\x01 what\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", standing.port)) as line:
            line.sendall(said)
            assert b" 400 " in line.recv(100)
    assert caplog.records == []


def test_other_sites_may_lead_here_and_make_a_browser_ask_nothing(standing: Site) -> None:
    """An image, a frame or a stream on another site costs no question; a link to a board is one."""

    def asked(site_of: str, dest: str, method: str = "GET") -> int:
        path = "/login" if method == "POST" else "/d/hotline-wall"
        return standing.get(path, method, Sec_Fetch_Site=site_of, Sec_Fetch_Dest=dest).status

    assert {asked("cross-site", dest) for dest in ("image", "iframe", "empty", "script")} == {403}
    assert asked("cross-site", "document", "POST") == 403
    assert asked("cross-site", "document") == asked("same-origin", "empty") == asked("none", "document") == 200


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
    status: int, asked: dict[str, Any], chinese: str, english: str, standing: Site, city: Stored
) -> None:
    told = {"/d/hotline-wall-zh": chinese, "/d/hotline-wall-zh/events": chinese, "/d/hotline-wall": english}
    browsers = {"zh-CN": chinese, "en": english}
    with site(city.settings, token="t0ken-" + "x" * 40) if status == 401 else nullcontext(standing) as running:
        for browser, by_browser in browsers.items():
            for path, said in (told | {"/health": by_browser, "/d/hotline-wall-zh?lang=en": english}).items():
                found = running.get(path, Accept_Language=browser, **asked)
                assert (found.status, said in found.text) == (status, True), (path, browser, found.text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_boards_are_read_only(method: str, standing: Site) -> None:
    assert standing.get("/d/hotline-wall", method=method).status == 405


def test_a_stream_is_no_answer_to_a_question_for_its_head(standing: Site) -> None:
    assert standing.get("/d/hotline-wall/events", method="HEAD").status == 405


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


def test_without_a_token_the_login_lets_nobody_in(standing: Site) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert standing.get("/login", "POST", b"token=", **form).status == 403


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
