"""`hotline watch` as a supervisor runs it: on a terminal, into a pipe, and when there is nothing to watch."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from cli.asking import Lang
from cli.main import run
from cli.watch.contents import SCREENS, ScreenName
from cli.watch.freshness import SILENT_LATE_S
from cli.watch.words import word
from deploy.brokers import EmbeddedBroker
from hotline import ipc
from hotline.catalogue import KPIS
from hotline.settings import environment
from tests.cli.board_scenes import SCOPES, values
from tests.cli.live_topics import EverySecond
from tests.cli.terminals import terminal, widest
from tests.deploy.stacks import wait_until
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HOTLINE = (sys.executable, "-m", "cli")
WITHIN_S = 90


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Iterator[dict[str, str]]:
    """Give the environment that leads to an empty engine and a broker, before anybody publishes."""
    with engine(tmp_path_factory.mktemp("watch"), "Asia/Shanghai") as settings, migrated(settings):
        given = {**environment(settings), "HOTLINE_BROKER": "kafka", "HOTLINE_BOOTSTRAP": broker.bootstrap}
        rest = {name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE_", "COLUMNS"))}
        yield {**rest, **{name: value for name, value in given.items() if value}}


@pytest.fixture(scope="module")
def publishing(silent: dict[str, str], broker: EmbeddedBroker) -> Iterator[EverySecond]:
    with EverySecond(broker, ipc.encode(values(random.Random(5)))) as found:
        yield found


@pytest.fixture
def env(silent: dict[str, str], publishing: EverySecond) -> dict[str, str]:
    """Give the environment in which live values are published each second."""
    publishing.pause.clear()
    return silent


def hotline(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HOTLINE, "watch", *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def on_terminal(env: dict[str, str], *arguments: str, size: tuple[int, int] = (80, 24)) -> Any:
    return terminal([*HOTLINE, "watch", *arguments], env=env, cwd=ROOT, size=size)


class TestBeforeAnybodyPublishes:
    """These run first, while the topic is not there."""

    def test_one_board_says_what_is_missing_and_is_1(
        self, silent: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("cli.watch.printing.ONCE_WITHIN_S", 1.0)
        with mock.patch.dict(os.environ, silent, clear=True):
            assert run(["watch", "--once"]) == 1
        out, said = capsys.readouterr()
        assert out == ""
        assert word("no_topic", Lang.EN) in said
        assert "see hotline status" in said

    def test_the_board_waits_and_says_so(self, silent: dict[str, str]) -> None:
        with on_terminal(silent) as shown:
            shown.wait("1 Calls", word("no_topic", Lang.EN))
            shown.press("z")
            shown.wait("1 话务", word("no_topic", Lang.ZH))
            shown.press("q")
            assert shown.end() == 0
            assert shown.restored


class TestOnATerminal:
    def test_keys_change_what_is_shown_and_q_leaves_the_terminal_as_it_was(self, env: dict[str, str]) -> None:
        with on_terminal(env) as shown:
            shown.wait("Calls offered", "Calls waiting")
            shown.press("2")
            shown.wait("Tickets created", "Due within the hour", gone=["Calls offered"])
            shown.press("p")
            shown.wait("by department", "1–7 of 11", "市")
            shown.press("z")
            shown.wait("按承办单位", "诉求量", gone=["Tickets created"])
            shown.press("s")
            shown.wait("按及时处办率最差在前")
            shown.press("\x1b[B")
            shown.wait("第2–")
            shown.press("\x1b[D")
            shown.wait("呼入量")
            shown.press("q")
            assert shown.end() == 0
            assert shown.restored

    def test_a_new_size_is_filled_at_once(self, env: dict[str, str]) -> None:
        with on_terminal(env) as shown:
            small = shown.wait("Calls offered", "quit")
            assert (len(small), widest(small) <= 80) == (24, True)
            shown.resize(200, 50)
            large = shown.wait("Calls offered", "30 min", "7 days", "quit")
            assert (len(large), 80 < widest(large) <= 200) == (50, True)
            shown.resize(60, 15)
            shown.wait("Calls offered", gone=["7 days"])
            assert (len(shown.screen()), widest(shown.screen()) <= 60) == (15, True)
            shown.press("q")
            assert shown.end() == 0

    def test_exported_columns_do_not_hold_it_to_a_size(self, env: dict[str, str]) -> None:
        with on_terminal({**env, "COLUMNS": "40", "LINES": "5"}) as shown:
            shown.wait("Calls offered", "last hour", "quit")

    @pytest.mark.parametrize("end", ["\x03", signal.SIGTERM, signal.SIGHUP])
    def test_ctrl_c_and_signals_leave_the_terminal_as_it_was(self, env: dict[str, str], end: str | int) -> None:
        with on_terminal(env) as shown:
            shown.wait("Calls offered")
            if isinstance(end, str):
                shown.press(end)
            else:
                shown.process.send_signal(end)
            assert shown.end() == 0
            assert shown.restored
            assert "Traceback" not in shown.written

    def test_ctrl_z_does_not_put_it_to_sleep(self, env: dict[str, str]) -> None:
        with on_terminal(env) as shown:
            shown.wait("Calls offered")
            shown.press("\x1a2")
            shown.wait("Tickets created")
            shown.press("q")
            assert shown.end() == 0

    def test_figures_that_stand_still_are_told_and_so_is_that_they_go_on(
        self, env: dict[str, str], publishing: EverySecond
    ) -> None:
        with on_terminal(env) as shown:
            shown.wait("● live")
            publishing.pause.set()
            said = shown.wait("STANDING STILL", "old", gone=["● live"])
            assert any(line.startswith(" ! STANDING STILL") for line in said)
            assert SILENT_LATE_S > 1
            publishing.pause.clear()
            shown.wait("● live", gone=["STANDING STILL"])
            shown.press("q")
            assert shown.end() == 0

    def test_it_redraws_without_clearing(self, env: dict[str, str]) -> None:
        with on_terminal(env) as shown:
            shown.wait("Calls offered")
            pictures = shown.written.count("\x1b[H")

            def redrawn() -> bool:
                shown.read()
                return bool(shown.written.count("\x1b[H") > pictures + 2)

            wait_until(redrawn, "it is redrawn")
            assert "\x1b[2J" not in shown.written.partition("\x1b[?1049h")[2]
            shown.press("q")
            assert shown.end() == 0


class TestIntoAPipe:
    def test_one_board_is_plain_lines(self, env: dict[str, str]) -> None:
        done = hotline(env, "--once", "--by", "district")
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
        lines = done.stdout.splitlines()
        assert lines[0].startswith("Calls  as of ")
        assert all(any(line.startswith(KPIS[name].title) for line in lines) for name in SCREENS[ScreenName.CALLS].kpis)
        assert all(any(line.startswith(scope) for line in lines) for scope in SCOPES["district"])
        assert not any(line != line.rstrip() for line in lines)

    def test_it_is_printed_again_and_again_until_nobody_reads(self, env: dict[str, str]) -> None:
        command = [*HOTLINE, "watch", "--interval", "1", "--screen", "surveys", "--lang", "zh"]
        with subprocess.Popen(
            command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as made:
            try:
                assert made.stdout is not None
                heads = itertools.islice((line for line in made.stdout if line.startswith("评价")), 3)
                instants = [line.split()[3] for line in heads]
                made.stdout.close()
                assert len(set(instants)) > 1  # two within one second are printed, when the first was late
                assert made.wait(WITHIN_S) == 0
            finally:
                made.kill()

    def test_json_is_an_object_a_line_with_the_sums_behind_each_value(self, env: dict[str, str]) -> None:
        done = hotline(env, "--once", "--json", "--screen", "tickets", "--by", "department")
        assert (done.returncode, done.stdout.count("\n")) == (0, 1)
        told = json.loads(done.stdout)
        assert set(told) == {"screen", "as_of", "silent_s", "newest_event_age_s", "figures"}
        assert datetime.fromisoformat(told["as_of"]).utcoffset() is not None
        assert set(told["newest_event_age_s"]) == {"calls", "tickets"}
        published = {tuple(row[:4]): row[4:] for row in values(random.Random(5)).iter_rows()}
        assert {figure["scope"]["value"] for figure in told["figures"] if figure["scope"]} == set(SCOPES["department"])
        for figure in told["figures"]:
            scope = figure["scope"] or {"kind": "all", "value": ""}
            sums = published[figure["kpi"], figure["window"], scope["kind"], scope["value"]]
            assert (figure["numerator"], figure["denominator"], figure["value"]) == sums
            kpi = KPIS[figure["kpi"]]
            judged = None if kpi.target is None or figure["value"] is None else kpi.meets_target(figure["value"])
            assert (figure["target"], figure["meets_target"]) == (kpi.target, judged)

    def test_one_scope_is_asked_for_as_in_other_commands(self, env: dict[str, str]) -> None:
        told = json.loads(hotline(env, "--once", "--json", "--scope", "district=昆山市").stdout)
        assert {json.dumps(figure["scope"]) for figure in told["figures"]} == {
            json.dumps({"kind": "district", "value": "昆山市"})
        }

    def test_on_a_terminal_one_board_has_colours_and_leaves_no_alternate_screen(self, env: dict[str, str]) -> None:
        with on_terminal(env, "--once", size=(100, 30)) as shown:
            assert shown.end() == 0
            assert "\x1b[32m✓" in shown.written
            assert "\x1b[?1049h" not in shown.written


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--by", "department"], "calls are not kept by department: use one of line, district, operator_group"),
            (["--by", "nonsense"], "calls are not kept by nonsense"),
            (["--scope", "nonsense"], "write kind=value"),
            (["--scope", "distrct=x"], "nearest: district"),
            (["--by", "line", "--scope", "line=x"], "exclude each other"),
            (["--screen", "health", "--by", "line"], "is not kept by line"),
            (["--screen", "nonsense"], "nonsense"),
            (["--interval", "0"], "--interval"),
        ],
    )
    def test_a_board_that_cannot_be_is_2_before_anything_is_looked_for(
        self, arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["watch", "--data", str(tmp_path / "d"), *arguments]) == 2
        out, told = capsys.readouterr()
        assert out == ""
        assert said in told
        assert told.count("\n") == 1

    @pytest.mark.parametrize("arguments", [[], ["--once"], ["--json"], ["--screen", "health"]])
    def test_without_a_stack_it_is_3_with_the_remedy(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = tmp_path / "d"
        assert run(["watch", "--data", str(data), *arguments]) == 3
        out, told = capsys.readouterr()
        assert (out, told) == ("", f"hotline: no stack runs on {data}: start one with hotline up\n")
        assert not data.exists()
