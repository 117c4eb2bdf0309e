"""`hotline boards`: what it prints, sends and returns, against a Grafana that answers as 12.4 does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import run
from dashboards.boards import BOARDS
from dashboards.generated import FOLDER
from dashboards.grafana import connection as connecting
from dashboards.grafana.connection import Patience
from tests.dashboards.fake_grafana import TOKEN, FakeGrafana, fake_grafana, html

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 2 * len(BOARDS)
GONE = "http://127.0.0.1:9"
"""Where nothing listens: the port of a service that is gone everywhere."""


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeGrafana]:
    """Serve one, and let it be the one of the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(connecting, "PATIENCE", Patience(timeout_s=5, again_max=2, pause_s=0.01))
    with fake_grafana() as found:
        for name, value in (
            ("NO_PROXY", "127.0.0.1"),
            ("GRAFANA_URL", found.url),
            ("GRAFANA_TOKEN", TOKEN),
            ("HOTLINE_DATA", str(tmp_path / "d")),
        ):
            monkeypatch.setenv(name, value)
        yield found


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command: its exit code, what it printed, what it said. No token in either."""
    code = run(["boards", *arguments])
    out, err = capsys.readouterr()
    assert TOKEN not in out + err
    return code, out, err


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code, out, _ = told(capsys, *arguments, "--json")
    return code, json.loads(out)


def did(found: dict[str, Any]) -> set[str]:
    return {outcome["did"] for outcome in found["outcomes"]}


def test_a_push_says_what_it_did_and_the_next_one_does_nothing(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(capsys, "push", "--message", "for the test")
    assert (code, len(out.splitlines())) == (0, 2 + COUNT)
    assert out.splitlines()[0].split() == ["created", "folder", "hotline", "Hotline"]
    assert err == f"hotline: {2 + COUNT} created\n"
    assert all(kept["message"].endswith(" · for the test") for kept in grafana.boards.values())
    grafana.asked.clear()
    code, out, err = told(capsys, "push")
    assert (code, err, grafana.writes) == (0, f"hotline: {2 + COUNT} unchanged\n", [])


def test_a_dry_run_shows_the_difference_and_sends_no_write(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "push", "hotline-wall")
    grafana.boards["hotline-wall"]["dashboard"]["refresh"] = "1h\x1b[2J"
    grafana.asked.clear()
    code, out, err = told(capsys, "push", "hotline-wall", "--dry-run")
    assert code == 0
    assert '    refresh: "1h\\u001b[2J" → "5s"\n' in out
    assert err == "hotline: would be: 1 unchanged, 1 changed; nothing was sent\n"
    assert grafana.writes == []


def test_diff_is_1_when_something_differs_and_0_when_nothing_does(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = read(capsys, "diff", "hotline-wall")
    assert (code, did(found)) == (1, {"created"})
    told(capsys, "push", "hotline-wall")
    assert told(capsys, "diff", "hotline-wall")[0] == 0
    grafana.boards["hotline-wall"]["dashboard"]["panels"][0]["title"] = "Somebody's"
    code, found = read(capsys, "diff", "hotline-wall")
    (difference,) = next(each for each in found["outcomes"] if each["uid"] == "hotline-wall")["differences"]
    assert (code, difference["there"]) == (1, "Somebody's")


def test_a_long_statement_is_shown_from_where_it_differs(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "push", "hotline-calls")
    target = grafana.boards["hotline-calls"]["dashboard"]["panels"][0]["targets"][0]
    target["rawSql"] = f"{target['rawSql']} SETTINGS of_somebody = 1"
    _, out, _ = told(capsys, "diff", "hotline-calls")
    (line,) = (line for line in out.splitlines() if ".rawSql: " in line)
    assert "SETTINGS of_somebody = 1" in line
    assert len(line) < 300


def test_only_named_boards_in_one_language_are_pushed(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "push", "wall", "hotline-calls-zh", "--lang", "zh")[0] == 0
    assert (set(grafana.boards), set(grafana.folders)) == ({"hotline-wall-zh", "hotline-calls-zh"}, {"hotline-zh"})


def test_a_refused_board_makes_it_1_and_the_others_are_pushed(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    board = json.loads((FOLDER / "en" / "wall.json").read_text())
    grafana.provision({**board, "title": "By file"})
    code, out, _ = told(capsys, "push", "wall")
    assert code == 1
    assert "refused    board   hotline-wall " in out
    assert "provisioned by a file" in out
    assert "hotline-wall-zh" in grafana.boards


def test_a_push_that_cannot_go_on_tells_what_it_did_before(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    grafana.say_instead(html(502), times=3, path="/api/dashboards/uid/hotline-wall-zh")
    code, out, err = told(capsys, "push", "wall", "--json")
    found = json.loads(out)["outcomes"]
    assert (code, [outcome["uid"] for outcome in found]) == (2, ["hotline", "hotline-zh", "hotline-wall"])
    assert "not a Grafana" in err
    assert list(grafana.boards) == ["hotline-wall"]


def test_a_push_notes_a_release_once(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    for expected in ("created", "unchanged"):
        _, out, _ = told(capsys, "push", "hotline-wall", "--annotate", "release 1.2")
        assert out.splitlines()[-1].split() == [expected, "note", "release", "release", "1.2"]
    (note,) = grafana.notes
    assert (note["text"], note["tags"]) == ("release 1.2", ["release"])


def test_a_holiday_is_noted_for_its_days_in_the_hotlines_zone(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ["annotate", "Spring Festival", "--tag", "holiday", "--period", "2026-02-15..2026-02-24"]
    assert [read(capsys, *span)[1]["outcomes"][0]["did"] for _ in range(2)] == ["created", "unchanged"]
    (note,) = grafana.notes
    assert (note["time"], note["timeEnd"]) == (1_771_084_800_000, 1_771_862_400_000)


def test_an_incident_is_noted_when_it_was(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "annotate", "line 2 down", "--tag", "incident", "--at", "2026-03-02T08:30")[0] == 0
    assert [note["time"] for note in grafana.notes] == [1_772_411_400_000]


def test_a_source_that_is_missing_stops_before_anything_is_written(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    grafana.sources.clear()
    code, out, err = told(capsys, "push")
    assert (code, out, grafana.writes) == (2, "", [])
    assert "no data source with the uid hotline-clickhouse: provision it" in err


def test_a_source_that_does_not_answer_is_a_warning(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    grafana.source_says.body = {"status": "ERROR", "message": "dial tcp"}
    code, found = read(capsys, "push", "hotline-wall")
    assert (code, did(found)) == (0, {"created"})
    assert "does not reach ClickHouse (dial tcp)" in found["warnings"][0]


def test_a_wrong_token_with_anonymous_access_is_2_and_writes_nothing(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    grafana.anonymous = True
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_wrong")
    code, _, err = told(capsys, "push")
    assert (code, grafana.asked) == (2, [("GET", "/api/user")])
    assert "does not know the token" in err
    assert "glsa_wrong" not in err


def test_a_token_file_is_taken_before_the_variable(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_wrong")
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    assert told(capsys, "diff", "hotline-wall", "--token-file", str(file))[0] == 1
    assert grafana.tokens_seen == {TOKEN}


def test_a_grafana_that_starts_is_waited_for(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    grafana.say_instead(html(502), times=3, path="/api/health")
    assert told(capsys, "diff", "hotline-wall", "--wait", "30")[0] == 1
    assert grafana.instead == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["push", "--url", ""], "--url is missing"),
        (["push", "--url", "http://admin:s3cret@localhost"], "holds a user or password"),
        (["push", "--url", GONE], f"no answer from {GONE}: Connection refused"),
        (["push", "wal"], "there is no board 'wal': use wall"),
        (["annotate", "x", "--tag", "relase"], "no board marks notes tagged 'relase': use incident, release, holiday"),
        (["annotate", "x", "--at", "noon"], "'noon' is no"),
        (["annotate", "x", "--at", "now", "--period", "today"], "name one of them"),
        (["annotate", " "], "the note says nothing"),
        (["lint", "absent.json"], "absent.json"),
        (["lint", "."], "no file of a board"),
    ],
)
def test_what_cannot_be_done_is_2_and_one_sentence(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, out, err = told(capsys, *arguments)
    assert (code, out, len(err.splitlines()), grafana.asked) == (2, "", 1, [])
    assert said in err
    assert "s3cret" not in err


class TestWithoutGrafana:
    def test_list_names_every_board_and_its_question(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, found = read(capsys, "list")
        assert (code, len(found), grafana.asked) == (0, COUNT, [])
        wall = next(board for board in found if board["uid"] == "hotline-wall")
        assert (wall["question"], wall["panels"]) == ("How is the hotline doing right now?", 10)
        assert all(board["question"].endswith(("?", "?")) for board in found)

    def test_list_tells_how_boards_stand_in_a_grafana(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told(capsys, "push", "wall", "calls", "--lang", "en")
        grafana.boards["hotline-calls"]["dashboard"]["title"] = "Somebody's"
        _, found = read(capsys, "list", "--lang", "en", "--url", grafana.url)
        there = {board["name"]: board["there"] for board in found}
        assert (there["wall"], there["calls"], there["annual"]) == ("same", "different", "missing")
        assert "different" in told(capsys, "list", "calls", "--url", grafana.url)[1]

    def test_export_writes_what_is_committed_and_only_once(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        code, out, _ = told(capsys, "export", "out")
        assert (code, len(out.splitlines())) == (0, COUNT)
        for file in FOLDER.rglob("*.json"):
            assert (tmp_path / "out" / file.relative_to(FOLDER)).read_text() == file.read_text()
        assert read(capsys, "export", "out")[1] == {"folder": "out", "wrote": [], "unchanged": COUNT}

    def test_export_is_for_the_hotlines_zone(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOTLINE_ZONE", "Europe/Berlin")
        told(capsys, "export", "out", "wall", "--lang", "en")
        assert json.loads(Path("out/en/wall.json").read_text())["timezone"] == "Europe/Berlin"
        assert sorted(file.name for file in Path("out").rglob("*.json")) == ["wall.json"]

    def test_numbers_link_to_the_web_board_that_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def webs(*arguments: str) -> set[str]:
            folder = tmp_path / "-".join(("to", *arguments)).replace("/", "_").replace(":", "_")
            assert told(capsys, "export", str(folder), "wall", *arguments)[0] == 0
            boards = [json.loads(file.read_text()) for file in folder.rglob("*.json")]
            return {one["query"] for board in boards for one in board["templating"]["list"] if one["name"] == "web"}

        assert webs("--web", "https://boards.example/hotline/") == {"https://boards.example/hotline"}
        assert webs() == {"http://127.0.0.1:8312"}
        monkeypatch.setenv("HOTLINE_WEB_PORT", "9000")
        assert webs("--lang", "en") == {"http://127.0.0.1:9000"}
        self.web_at("10.1.2.3:8443", monkeypatch)
        assert webs("--lang", "zh") == {"https://10.1.2.3:8443"}

    @staticmethod
    def web_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in (("", address), ("_CERTIFICATE_FILE", "web.pem"), ("_KEY_FILE", "web.key")):
            monkeypatch.setenv(f"HOTLINE_WEB{name}", value)

    @pytest.mark.parametrize("web", ["0.0.0.0:8443", "[::]:8443", ":::8443"])
    def test_all_addresses_of_a_machine_are_none_that_a_number_could_link_to(
        self, web: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.web_at(web, monkeypatch)
        code, _, said = told(capsys, "export", str(tmp_path / "x"), "wall")
        assert (code, "write --web with the one that readers use" in said) == (2, True)
        assert told(capsys, "export", str(tmp_path / "x"), "wall", "--web", "https://boards.city:8443")[0] == 0

    @pytest.mark.parametrize("url", ["boards.example", "ftp://a", "http://u:p@a", "http://a/?x", "javascript:alert(1)"])
    def test_an_address_that_is_none_is_refused(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, said = told(capsys, "export", "x", "--web", url)
        assert (code, "write http(s)://host:port" in said) == (2, True)

    def test_lint_finds_nothing_in_ours_and_every_breach_in_a_file(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert told(capsys, "lint")[:2] == (0, "")
        told(capsys, "export", "out", "wall", "--lang", "en")
        assert told(capsys, "lint", "out")[:2] == (0, "")
        board = json.loads(Path("out/en/wall.json").read_text())
        Path("out/odd.json").write_text(json.dumps({**board, "uid": "", "editable": True}))
        code, out, err = told(capsys, "lint", "out")
        assert (code, len(out.splitlines())) == (1, 2)
        assert out.startswith("out/odd.json: uid '': give one")
        assert "2 boards, 1 of them" in err

    @pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'"text"', b'{"panels": 7}', b"[" * 99_999])
    def test_lint_tells_of_a_file_that_is_no_board(
        self, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], content: bytes
    ) -> None:
        Path("odd.json").write_bytes(content)
        code, out, _ = told(capsys, "lint", "odd.json")
        assert code == 1
        assert "odd.json: no " in out
