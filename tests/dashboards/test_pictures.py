"""Pictures of boards: the README's shows what the same city shows today; the command takes them, or says why not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import struct
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web

from cli.doctor import examine
from cli.main import run
from dashboards.pictures.asking import page
from dashboards.pictures.browser import find
from dashboards.pictures.errors import PictureError
from dashboards.pictures.taking import Size, Wanted, take
from dashboards.web import access, server
from dashboards.web.bundle import Bundle
from deploy.stack.boards import boards_for_people
from deploy.stack.locks import lock
from deploy.stack.state import PartState, StackState, plain_settings, publish
from hotline.settings import Settings
from tests.cli.terminals import Terminal
from tests.dashboards import wall_picture
from tests.sinks.certificates import self_signed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

GONE = "http://127.0.0.1:9"
"""Where no ClickHouse is: what an outage looks like."""
PNG = b"\x89PNG\r\n\x1a\n"
BYTES_MAX = 300_000
WEB = "http://127.0.0.1:8312"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with wall_picture.seeded(tmp_path_factory.mktemp("city")) as settings:
        settings.folder.make()
        yield settings


@pytest.fixture
def away(tmp_path: Path) -> Settings:
    """Settings of a stack whose engine is away."""
    settings = Settings(data=tmp_path / "d", clickhouse_url=GONE)
    settings.folder.make()
    password = settings.folder.password_file("reader")
    password.touch(mode=0o600)
    password.write_text("secret")
    return settings


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file into which the user's browser writes what it was asked to open."""
    program, opened = tmp_path / "browser", tmp_path / "opened"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >"{opened}"\n')
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return opened


@contextmanager
def serving(settings: Settings, tls: ssl.SSLContext | None = None, **more: Any) -> Iterator[str]:
    """Serve boards in a thread of their own, as the part of a stack does; gives the address."""
    loop = asyncio.new_event_loop()
    told: dict[str, int] = {}
    up = threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(server.make(settings, **more), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        told["port"] = runner.addresses[0][1]
        ended = asyncio.Event()
        end.append(lambda: loop.call_soon_threadsafe(ended.set))
        up.set()
        await ended.wait()
        await runner.cleanup()

    end: list[Any] = []
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert up.wait(60)
        yield f"{'https' if tls else 'http'}://127.0.0.1:{told['port']}"
    finally:
        end[0]()
        thread.join()
        loop.close()


@contextmanager
def stack_of(settings: Settings, address: str | None, *, temporary: bool = False) -> Iterator[StackState]:
    """What a supervisor tells of a stack that serves boards there, or none."""
    state = StackState(
        pid=os.getpid(),
        state="running",
        started_at="2026-03-11T00:00:00+00:00",
        temporary=temporary,
        parts=[PartState("web", "ready", os.getpid(), address)] if address else [],
        raw_settings=plain_settings(settings),
    )
    with lock(settings.folder.stack_lock) as mine:
        assert mine
        publish(settings.folder, state)
        yield state


def shot(settings: Settings, *arguments: str) -> int:
    return run(["boards", "shot", *arguments, "--data", str(settings.data)])


def size_of(file: Path) -> tuple[int, int]:
    content = file.read_bytes()
    assert content.startswith(PNG)
    width, height = struct.unpack(">II", content[16:24])
    return width, height


class TestTheReadmesPicture:
    def test_the_same_city_shows_the_same_today(self, city: Settings) -> None:
        async def asked() -> dict[str, Any]:
            async with wall_picture.served(city) as base:
                return await wall_picture.shown(base)

        told = json.loads(wall_picture.SHOWN.read_text(encoding="utf-8"))
        del told["picture"]
        assert told == asyncio.run(asked()), "the wall shows something else than its picture: run make picture"
        assert all(text != ["—"] for text in told["panels"].values())

    def test_it_is_the_one_that_was_taken_of_it(self) -> None:
        told = json.loads(wall_picture.SHOWN.read_text(encoding="utf-8"))
        assert told["picture"] == wall_picture.digest(wall_picture.PICTURE.read_bytes())
        assert size_of(wall_picture.PICTURE) == (wall_picture.SIZE.width, wall_picture.SIZE.height)
        assert wall_picture.PICTURE.stat().st_size < BYTES_MAX


class TestTaking:
    def test_a_board_with_charts_is_taken_whole(
        self, city: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "calls.png"
        with serving(city, clock=wall_picture.AT.timestamp) as address, stack_of(city, address):
            code = shot(city, "calls", "--lang", "zh", "--full", "--size", "1000x400", "--out", str(out), "--json")
        found = json.loads(capsys.readouterr().out)
        assert (code, found["warnings"], found["bytes"]) == (0, [], out.stat().st_size)
        assert found["address"] == f"{address}/d/hotline-calls-zh?still=&theme=light"
        assert size_of(out) == (found["width"], found["height"])
        assert (found["width"], found["height"] > 1000) == (1000, True)

    def test_a_chart_that_stays_empty_is_waited_for_and_one_that_cannot_be_drawn_is_told(self, city: Settings) -> None:
        settings = msgspec.structs.replace(city, data=city.data / "odd")
        settings.folder.make()
        charts = Bundle(settings.folder.run).file
        shutil.copy2(city.folder.password_file("reader"), settings.folder.secrets)
        with serving(settings, clock=wall_picture.AT.timestamp) as address:
            wanted = Wanted(page(address, "hotline-wall", [], theme="dark", kiosk=True), Size(800, 600), find())
            charts.write_text("nonsense(")
            with pytest.raises(PictureError, match=r"has no charts, for want of /static/charts.js"):
                take(wanted)
            charts.write_text("window.vegaEmbed = async (node) => node.append(document.createElement('canvas'));")
            with pytest.raises(PictureError, match=r"was not drawn within 5 s: see hotline status"):
                take(wanted, 5)

    def test_in_an_outage_the_picture_says_so_and_the_code_is_1(
        self, away: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        png, pdf = tmp_path / "wall.png", tmp_path / "wall.pdf"
        with serving(away) as address, stack_of(away, address):
            codes = [shot(away, "wall", "--size", "800x600", "--out", str(out)) for out in (png, pdf)]
        told = capsys.readouterr()
        assert (codes, told.out, size_of(png)) == ([1, 1], f"{png}\n{pdf}\n", (800, 600))
        assert pdf.read_bytes().startswith(b"%PDF-")
        assert "hotline: Calls waiting had no answer (ClickHouse cannot be reached" in told.err

    def test_boards_that_are_open_to_the_network_let_it_in_by_token_and_only_with_their_certificate(
        self, away: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import ssl

        certificate, key = self_signed(tmp_path)
        (tmp_path / "other").mkdir()
        other, _ = self_signed(tmp_path / "other")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        token = access.token_in(away.folder.password_file("web"))
        out = ["--size", "800x600", "--out", str(tmp_path / "wall.png")]
        with serving(away, tls, token=token) as address:
            for file, code in ((other, 2), (certificate, 1)):
                opened = msgspec.structs.replace(away, web="0.0.0.0:8443", web_certificate_file=str(file))
                with stack_of(opened, address.replace("127.0.0.1", "0.0.0.0")) as state:  # noqa: S104
                    assert shot(away, "wall", *out) == code
        assert "shows another certificate than" in capsys.readouterr().err
        assert "0.0.0.0" not in boards_for_people(state)  # noqa: S104
        assert size_of(tmp_path / "wall.png") == (800, 600)


class TestWhatCannotBeTaken:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["wal", "--out", "a.png"], "there is no board 'wal': use wall"),
            (["hotline-wall-zh", "--lang", "en", "--out", "a.png"], "is not in the language en"),
            (["wall", "--out", "a.gif"], "--out is a.gif: pictures are .png or .pdf"),
            (["wall", "--out", "absent/a.png"], "there is no folder absent: make it"),
            (["wall", "--out", "a.png", "--size", "big"], "the size is 'big': write WIDTHxHEIGHT"),
            (["wall", "--out", "a.png", "--size", "1x99999"], "each from 200 to 16384"),
            (["calls", "--out", "a.png", "--var", "line"], "--var line: write NAME=VALUE"),
            (["wall", "--out", "a.png", "--browser", "no-such-browser"], "no-such-browser is no program"),
            (["wall", "--out", "a.png", "--browser", "true"], "ended before the picture was taken"),
            (["wall", "--out", "a.png", "--from", "noon"], "answers 400: 'noon' is no time: write now-6h"),
            (["calls", "--out", "a.png", "--var", "window=9"], "answers 400: window is '9': choose one of"),
        ],
    )
    def test_it_is_2_with_one_sentence_and_leaves_no_file(
        self,
        away: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        said: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with serving(away) as address, stack_of(away, address):
            assert shot(away, *arguments) == 2
        told = capsys.readouterr()
        assert (told.out, len(told.err.splitlines())) == ("", 1)
        assert said in told.err
        assert [file.name for file in tmp_path.iterdir()] == ["d"]

    def test_without_a_chromium_it_says_what_to_install(
        self, away: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PATH", str(away.data))
        with stack_of(away, GONE):
            assert shot(away, "wall", "--out", str(away.data / "a.png")) == 2
        assert "pictures need Chromium, which is not installed: on Debian apt-get" in capsys.readouterr().err

    def test_without_a_stack_it_is_3_and_without_boards_it_says_how_to_have_them(
        self, away: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = ["wall", "--out", str(away.data / "a.png")]
        assert shot(away, *out) == 3
        for temporary, why in ((True, "a command started it for itself"), (False, "its setting boards is false")):
            with stack_of(away, None, temporary=temporary):
                assert shot(away, *out) == 2
            assert f"serves no boards, because {why}: start one that does" in capsys.readouterr().err


class TestTheAddress:
    def test_open_and_url_print_it_and_without_a_terminal_nothing_is_opened(
        self, away: Settings, browser: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DISPLAY", ":7")
        data = ["--data", str(away.data)]
        with stack_of(away, WEB):
            assert run(["boards", "open", "calls", "--lang", "zh", *data]) == 0
            assert run(["boards", "open", "--json", *data]) == 0
            assert run(["url", "boards", *data]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"{WEB}/d/hotline-calls-zh\n")
        assert f'"address": "{WEB}/d/hotline-wall",\n  "opened": false' in told
        assert told.endswith(f"{WEB}\n")
        assert not browser.exists()

    def test_at_a_terminal_with_a_screen_it_is_opened(self, away: Settings, browser: Path, tmp_path: Path) -> None:
        environ = {**os.environ, "DISPLAY": ":7", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-P", "-m", "cli", "boards", "open", "--data", str(away.data)]
        with stack_of(away, WEB):
            terminal = Terminal(command, env=environ, cwd=tmp_path, size=(120, 24))
            assert terminal.end() == 0
        assert browser.read_text() == f"{WEB}/d/hotline-wall"

    def test_doctor_names_the_browser_of_pictures_and_to_have_none_is_well(
        self, away: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path, said in ((os.environ["PATH"], find()), (str(away.data), "apt-get install chromium")):
            monkeypatch.setenv("PATH", path)
            (finding,) = [finding for finding in examine(away) if finding.check == "pictures"]
            assert finding.ok
            assert said in finding.found
