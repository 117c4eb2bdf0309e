"""Boards and notes into a Grafana that answers as 12.4 does, and what stands before one."""

from __future__ import annotations

import copy
import logging
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.choosing import Chosen, choose
from dashboards.grafana.address import read_address
from dashboards.grafana.answers import Folder, Stored
from dashboards.grafana.connection import Connection, Patience
from dashboards.grafana.errors import AwayError, DeclinedError, GrafanaError
from dashboards.grafana.folders import PLACES, push_folder
from dashboards.grafana.notes import DAY_MS, Wanted, annotate
from dashboards.grafana.outcome import Did, Outcome
from dashboards.grafana.pushing import push
from dashboards.grafana.source import check_source
from dashboards.grafana.waiting import wait
from dashboards.words import Lang
from tests.dashboards.fake_grafana import TOKEN, Answer, FakeGrafana, fake_grafana, html, no

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = choose((), None, "Asia/Shanghai")
WALL = next(board for board in BOARDS if board.uid == "hotline-wall")
QUICK = Patience(timeout_s=5, again_max=2, pause_s=0.01)
SAVE = ("POST", "/api/dashboards/db")
NOON_MS = 1_790_000_000_000


@pytest.fixture(autouse=True)
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is not reached by a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with fake_grafana() as found:
        yield found


@pytest.fixture
def connection(grafana: FakeGrafana) -> Iterator[Connection]:
    with connected(grafana) as found:
        yield found


def connected(grafana: FakeGrafana, token: str = TOKEN) -> Connection:
    return Connection(read_address(grafana.url), token, QUICK)


def pushed(connection: Connection, *boards: Chosen, dry_run: bool = False) -> list[Outcome]:
    return list(push(connection, boards or BOARDS, message="of a test", dry_run=dry_run))


def did(outcomes: list[Outcome]) -> set[Did]:
    return {outcome.did for outcome in outcomes}


def retitled(board: Chosen, title: str = "Another title") -> Chosen:
    return board._replace(board={**board.board, "title": title})


class TestPush:
    def test_the_second_push_of_all_boards_changes_nothing_and_sends_no_write(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        first = pushed(connection)
        assert (len(first), did(first)) == (2 + len(BOARDS), {Did.CREATED})
        assert len(grafana.writes) == 2 + len(BOARDS)
        kept = copy.deepcopy(grafana.boards)
        grafana.asked.clear()
        assert did(pushed(connection)) == {Did.UNCHANGED}
        assert (grafana.writes, len(grafana.asked)) == ([], 2 + len(BOARDS))
        assert grafana.boards == kept

    def test_a_board_stands_in_the_folder_of_its_language_as_it_is_here(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        pushed(connection)
        assert {uid: folder["title"] for uid, folder in grafana.folders.items()} == {
            "hotline": "Hotline",
            "hotline-zh": "热线",
        }
        for board in BOARDS:
            kept = grafana.boards[board.uid]
            assert kept["folderUid"] == ("hotline-zh" if board.lang is Lang.ZH else "hotline")
            assert {
                key: value for key, value in kept["dashboard"].items() if key not in {"id", "version"}
            } == board.board
            assert kept["message"] == "of a test"

    def test_only_a_changed_board_is_saved_and_its_version_grows_by_one(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        pushed(connection)
        grafana.asked.clear()
        outcomes = {outcome.uid: outcome for outcome in pushed(connection, retitled(WALL), BOARDS[1])}
        assert outcomes["hotline-wall"].did is Did.CHANGED
        (difference,) = outcomes["hotline-wall"].differences
        assert (difference.place, difference.there, difference.ours) == ("title", "Hotline wall", "Another title")
        assert grafana.writes == [SAVE]
        assert grafana.boards["hotline-wall"]["dashboard"]["version"] == 2

    def test_a_dry_run_tells_the_same_and_sends_no_write(self, grafana: FakeGrafana, connection: Connection) -> None:
        assert pushed(connection, dry_run=True) == pushed(connection)
        grafana.asked.clear()
        changed = retitled(WALL)
        dry = pushed(connection, changed, dry_run=True)
        assert grafana.writes == []
        assert dry == pushed(connection, changed)

    def test_a_board_in_another_folder_is_brought_back(self, grafana: FakeGrafana, connection: Connection) -> None:
        pushed(connection, WALL)
        grafana.boards["hotline-wall"]["folderUid"] = ""
        (_, outcome) = pushed(connection, WALL)
        assert (outcome.did, outcome.differences[0].place) == (Did.CHANGED, "(folder)")
        assert grafana.boards["hotline-wall"]["folderUid"] == "hotline"

    def test_what_somebody_saves_while_a_board_is_pushed_is_looked_at_before_it_is_overwritten(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        """The save names a version that is no more: 412, another look, another save."""
        pushed(connection, WALL)

        def meddle() -> None:
            grafana.boards["hotline-wall"]["dashboard"] |= {"refresh": "1h", "version": 2}

        grafana.before_save.append(meddle)
        (_, outcome) = pushed(connection, retitled(WALL))
        assert [difference.place for difference in outcome.differences] == ["title", "refresh"]
        assert grafana.boards["hotline-wall"]["dashboard"]["version"] == 3
        assert grafana.boards["hotline-wall"]["dashboard"]["refresh"] == "5s"

    def test_two_pushes_at_the_same_time_save_a_board_once(self, grafana: FakeGrafana, connection: Connection) -> None:
        with connected(grafana) as other:
            grafana.before_save.append(lambda: pushed(other, WALL).clear())
            (_, outcome) = pushed(connection, WALL)
        assert outcome.did is Did.CREATED
        assert grafana.boards["hotline-wall"]["dashboard"]["version"] == 1

    def test_a_412_that_is_none_of_versions_is_overruled(self, grafana: FakeGrafana, connection: Connection) -> None:
        pushed(connection, WALL)
        grafana.boards["hotline-wall"]["plugin"] = True
        assert pushed(connection, retitled(WALL))[1].did is Did.CHANGED
        assert grafana.boards["hotline-wall"]["dashboard"]["title"] == "Another title"

    def test_a_board_that_somebody_keeps_changing_is_given_up_after_five_looks(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        pushed(connection, WALL)

        def meddle() -> None:
            kept = grafana.boards["hotline-wall"]["dashboard"]
            kept |= {"refresh": f"{kept['version']}h", "version": kept["version"] + 1}

        grafana.before_save += [meddle] * 9
        with pytest.raises(GrafanaError, match=r"changed in .* 5 times"):
            pushed(connection, retitled(WALL))

    def test_a_board_by_file_is_refused_with_the_remedy_only_when_it_differs(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        grafana.provision(WALL.board)
        assert pushed(connection, WALL)[1].did is Did.UNCHANGED
        outcomes = {outcome.uid: outcome for outcome in pushed(connection, retitled(WALL), BOARDS[1])}
        assert outcomes["hotline-wall"].did is Did.REFUSED
        assert "hotline boards export" in outcomes["hotline-wall"].why
        assert outcomes[BOARDS[1].uid].did is Did.CREATED, "the others are pushed"
        assert grafana.writes.count(SAVE) == 1

    def test_what_grafana_refuses_to_save_is_told_in_its_words(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        """As when a board came by file between the look and the save."""
        grafana.before_save.append(lambda: grafana.provision(retitled(WALL).board))
        (_, outcome) = pushed(connection, WALL)
        assert (outcome.did, outcome.why) == (Did.REFUSED, "Grafana says: Cannot save provisioned dashboard")


class TestFolders:
    def test_a_folder_gets_its_title_back(self, grafana: FakeGrafana, connection: Connection) -> None:
        push_folder(connection, PLACES[Lang.EN], dry_run=False)
        grafana.folders["hotline"]["title"] = "Somebody's"
        assert push_folder(connection, PLACES[Lang.EN], dry_run=True).did is Did.CHANGED
        assert grafana.folders["hotline"]["title"] == "Somebody's"
        assert push_folder(connection, PLACES[Lang.EN], dry_run=False).did is Did.CHANGED
        assert grafana.folders["hotline"]["title"] == "Hotline"

    def test_a_folder_that_somebody_makes_at_the_same_time_is_there(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        grafana.say_instead(no(404, "folder not found"), path="/api/folders/hotline")
        grafana.folders["hotline"] = {"id": 1, "uid": "hotline", "title": "Hotline", "version": 1}
        assert push_folder(connection, PLACES[Lang.EN], dry_run=False).did is Did.CREATED
        assert grafana.writes == [("POST", "/api/folders")]


class TestToken:
    def test_a_wrong_token_is_found_though_anonymous_reads_answer(self, grafana: FakeGrafana) -> None:
        grafana.anonymous = True
        with connected(grafana, "glsa_wrong") as connection:
            assert connection.find(lambda g: g.folder.get_folder("x"), Folder) is None, "a read says nothing"
            with pytest.raises(DeclinedError, match="does not know the token") as found:
                connection.login()
        assert found.value.status == 401
        assert "glsa_wrong" not in str(found.value)

    def test_a_token_that_may_only_read_is_told_which_role_it_needs(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        grafana.role = "Viewer"
        assert connection.login() == "sa-1-hotline"
        with pytest.raises(DeclinedError, match=r"dashboards:create.*give its service account the role Editor"):
            pushed(connection, WALL)

    def test_the_token_is_in_no_message_and_no_log(
        self, grafana: FakeGrafana, connection: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not even when the other side says it."""
        caplog.set_level(logging.DEBUG, "urllib3")
        grafana.say_instead(no(400, f"bad {TOKEN}"), path="/api/user")
        grafana.say_instead(Answer(200, {"login": [TOKEN]}), path="/api/user")
        grafana.say_instead(html(502, TOKEN), times=3, path="/api/user")
        grafana.say_instead(Answer(302, b"", headers={"location": f"http://127.0.0.1/{TOKEN}"}), path="/api/user")
        for _ in range(4):
            with pytest.raises(GrafanaError) as found:
                connection.login()
            assert TOKEN not in str(found.value)
        assert grafana.instead == []
        assert caplog.text
        assert TOKEN not in caplog.text


class TestSource:
    def test_one_that_works_is_nothing_to_speak_of(self, connection: Connection) -> None:
        assert check_source(connection) == ""

    def test_one_that_is_missing_stops_with_the_file_that_makes_it(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        grafana.sources.clear()
        with pytest.raises(GrafanaError, match="hotline-clickhouse: provision it with deploy/grafana/"):
            check_source(connection)

    def test_one_of_another_kind_stops(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.sources["hotline-clickhouse"]["type"] = "prometheus"
        with pytest.raises(GrafanaError, match="'prometheus', not grafana-clickhouse-datasource"):
            check_source(connection)

    @pytest.mark.parametrize(
        "says",
        [
            no(400, "dial tcp: connection refused", status="ERROR"),
            Answer(200, {"status": "ERROR", "message": "dial tcp: connection refused"}),
            no(500, "dial tcp: connection refused"),
        ],
    )
    def test_one_that_does_not_reach_clickhouse_is_told(
        self, grafana: FakeGrafana, connection: Connection, says: Answer
    ) -> None:
        grafana.source_says = says
        assert "does not reach ClickHouse" in check_source(connection)
        assert "dial tcp: connection refused" in check_source(connection)

    def test_one_that_the_token_may_not_see_is_told_as_not_checked(
        self, grafana: FakeGrafana, connection: Connection
    ) -> None:
        grafana.say_instead(no(403, "Access denied"), path="/api/datasources")
        assert "was not checked" in check_source(connection)


class TestOddCases:
    def test_a_success_without_a_body_is_a_success(self, grafana: FakeGrafana, connection: Connection) -> None:
        connection.ask(lambda g: g.api.DELETE("/v1/provisioning/mute-timings/none"), type(None))
        assert grafana.writes == [("DELETE", "/api/v1/provisioning/mute-timings/none")]

    def test_an_empty_answer_where_one_is_needed_is_told(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.say_instead(Answer(200), path="/api/user")
        with pytest.raises(GrafanaError, match="what no Grafana answers"):
            connection.login()

    @pytest.mark.parametrize("status", [200, 403, 404])
    def test_html_is_not_a_grafana(self, grafana: FakeGrafana, connection: Connection, status: int) -> None:
        grafana.say_instead(html(status))
        with pytest.raises(GrafanaError, match=rf"not a Grafana: {grafana.url} answered HTML \({status}\)"):
            connection.find(lambda g: g.folder.get_folder("hotline"), Folder)

    @pytest.mark.parametrize(("piece", "bytes_max", "s_max"), [(b"[" * 5000, 50_000, 60.0), (b" ", 50_000, 0.2)])
    def test_an_answer_without_an_end_is_ended(
        self, piece: bytes, bytes_max: int, s_max: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is too large, or too slow while no piece of it is."""
        monkeypatch.setattr("dashboards.grafana.connection.ANSWER_BYTES_MAX", bytes_max)
        monkeypatch.setattr("dashboards.grafana.connection.ANSWER_S_MAX", s_max)

        class Endless(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    for _ in range(100):
                        self.wfile.write(piece)
                        time.sleep(0.02)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as found:
            threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True).start()
            address = read_address(f"http://127.0.0.1:{found.server_port}")
            with Connection(address, "token") as asked, pytest.raises(GrafanaError, match="without an end"):
                asked.login()
            found.shutdown()

    def test_html_of_a_proxy_is_tried_again_and_then_told(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.say_instead(html(502), times=3)
        with pytest.raises(AwayError, match=r"answered HTML \(502\), as a proxy does whose Grafana is away"):
            connection.login()
        assert len(grafana.asked) == 3

    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_a_server_that_is_busy_is_tried_again_and_nothing_is_doubled(
        self, grafana: FakeGrafana, connection: Connection, status: int
    ) -> None:
        for method, path in (("GET", "/api/folders"), ("POST", "/api/folders"), ("POST", "/api/dashboards")):
            grafana.say_instead(html(status), times=2, method=method, path=path)
        assert did(pushed(connection, WALL)) == {Did.CREATED}
        assert grafana.instead == []
        assert grafana.boards["hotline-wall"]["dashboard"]["version"] == 1

    def test_a_save_whose_answer_was_lost_is_found_to_be_there(
        self, grafana: FakeGrafana, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The board is stored, a proxy says 502, the second attempt hears 412, the next look finds it."""
        save = grafana._save

        def save_and_lose(body: dict[str, Any]) -> Answer:
            monkeypatch.setattr(grafana, "_save", save)
            assert save(body).status == 200
            return html(502)

        monkeypatch.setattr(grafana, "_save", save_and_lose)
        assert did(pushed(connection, WALL)) == {Did.CREATED}
        assert grafana.boards["hotline-wall"]["dashboard"]["version"] == 1

    def test_a_slow_start_is_waited_for(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.say_instead(html(503), times=4, path="/api/health")
        wait(connection, 30)
        assert grafana.asked == [("GET", "/api/health")] * 5

    def test_waiting_ends_with_what_was_answered_last(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            with (
                Connection(read_address(url), TOKEN, QUICK) as connection,
                pytest.raises(AwayError, match=f"no answer from {url}: Connection refused"),
            ):
                wait(connection, 0.1)

    def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with (
                Connection(read_address(url), TOKEN, Patience(timeout_s=0.1, again_max=1, pause_s=0.01)) as connection,
                pytest.raises(AwayError, match="it took too long"),
            ):
                connection.login()

    def test_an_address_that_sends_on_is_not_followed(self, grafana: FakeGrafana, connection: Connection) -> None:
        """A POST that follows becomes a GET, and a token would go to where the answer says."""
        grafana.say_instead(Answer(302, b"", headers={"location": "https://login.example/"}))
        with pytest.raises(GrafanaError, match=r"sends on to https://login\.example/: give Grafana's own address"):
            connection.login()
        assert len(grafana.asked) == 1

    def test_a_grafana_below_a_path_is_reached(self) -> None:
        with fake_grafana(prefix="/city/grafana") as grafana, connected(grafana) as connection:
            assert connection.login() == "sa-1-hotline"
            assert did(pushed(connection, WALL)) == {Did.CREATED}

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, b"[" * 100_000),
            Answer(200, b'{"dashboard": '),
            Answer(200, 7),
            Answer(200, {"dashboard": [], "meta": None}),
            Answer(200, {"dashboard": {}}),
            Answer(200, []),
            Answer(400, ["message"]),
            Answer(500, "message"),
            Answer(404, b"\xff\xfe"),
        ],
    )
    def test_answers_of_any_shape_are_told_in_one_sentence(
        self, grafana: FakeGrafana, connection: Connection, answer: Answer
    ) -> None:
        grafana.say_instead(answer, path="/api/dashboards")
        with pytest.raises(GrafanaError, match=r"^[^\n]{20,400}$"):
            connection.find(lambda g: g.dashboard.get_dashboard("hotline-wall"), Stored)

    def test_words_of_others_cannot_steer_a_terminal(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.say_instead(no(409, "\x1b]0;owned\x07\u202eword" + "!" * 9999))
        with pytest.raises(DeclinedError) as found:
            connection.login()
        assert str(found.value).isprintable()
        assert len(str(found.value)) < 400

    def test_a_board_there_may_hold_anything(self, grafana: FakeGrafana, connection: Connection) -> None:
        odd = {"panels": {"a": [[1]]}, "templating": [], "links": [7, {"title": []}], "version": "x", "tags": None}
        grafana.boards["hotline-wall"] = {"dashboard": odd, "folderUid": "hotline", "provisioned": False}
        (_, outcome) = pushed(connection, WALL, dry_run=True)
        assert outcome.did is Did.CHANGED
        assert {"panels", "templating", "links[1].title"} <= {difference.place for difference in outcome.differences}


class TestNotes:
    def test_a_note_is_written_once(self, grafana: FakeGrafana, connection: Connection) -> None:
        wanted = Wanted("release 1.2", "release", NOON_MS)
        assert annotate(connection, wanted, dry_run=True).did is Did.CREATED
        assert grafana.notes == []
        assert [annotate(connection, wanted).did for _ in range(2)] == [Did.CREATED, Did.UNCHANGED]
        (note,) = grafana.notes
        assert (note["text"], note["tags"], note["time"]) == ("release 1.2", ["release"], NOON_MS)

    def test_another_text_tag_time_or_end_is_another_note(self, grafana: FakeGrafana, connection: Connection) -> None:
        wanted = Wanted("closed", "holiday", NOON_MS, NOON_MS + DAY_MS)
        others = [
            wanted._replace(text="open"),
            wanted._replace(tag="incident"),
            wanted._replace(start_ms=NOON_MS + 1),
            wanted._replace(end_ms=None),
        ]
        for _ in range(2):
            for each in (wanted, *others):
                annotate(connection, each)
        assert len(grafana.notes) == 5

    def test_a_note_of_now_is_not_written_twice_a_day(self, grafana: FakeGrafana, connection: Connection) -> None:
        now = Wanted("release 1.2", "release", NOON_MS, of_today=True)
        for later_ms in (0, 60_000, DAY_MS - 1, DAY_MS + 1):
            annotate(connection, now._replace(start_ms=NOON_MS + later_ms))
        assert [note["time"] for note in grafana.notes] == [NOON_MS, NOON_MS + DAY_MS + 1]

    def test_a_note_whose_answer_was_lost_is_not_sent_again(self, grafana: FakeGrafana, connection: Connection) -> None:
        grafana.say_instead(html(502), times=1, method="POST", path="/api/annotations")
        with pytest.raises(AwayError):
            annotate(connection, Wanted("release 1.2", "release", NOON_MS))
        assert grafana.writes == [("POST", "/api/annotations")]
