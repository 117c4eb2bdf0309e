"""The first command of a newcomer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chinese_calendar import is_workday

from cli.demo import KPIS
from deploy.stack.state import read_state
from hotline.data_folder import DataFolder
from sinks.connecting import connect
from tests.cli.terminals import Terminal, terminal
from tests.deploy.stacks import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WITHIN_S = 240
SECONDS = 30
COMMAND = (sys.executable, "-P", "-m", "cli", "demo", "--scale", "0.1")


class Demo:
    """`hotline demo` in a folder of its own."""

    def __init__(self, where: Path) -> None:
        self._where = where
        given = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
        self._environ = {**given, "PYTHONPATH": str(ROOT), "DEMO_SECONDS": str(SECONDS)}
        self.walls: list[str] = []
        """The page at each address of a wall that was told, as it was then."""

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal until it ends by itself."""
        command = [*COMMAND, *more]
        out = self._where / "out"
        with (
            out.open("w") as told,
            subprocess.Popen(
                command, cwd=self._where, env=self._environ, stdout=told, stderr=subprocess.PIPE, text=True
            ) as process,
        ):
            too_late = threading.Timer(WITHIN_S, process.kill)
            too_late.start()
            said = "".join(self._heard(line) for line in process.stderr or ())
            too_late.cancel()
        return subprocess.CompletedProcess(command, process.returncode, out.read_text(), said)

    def ended_on(self, word: str) -> str:
        """Run it, end it by SIGTERM once it says a word, and give what it says from then on."""
        environ = {**self._environ, "DEMO_SECONDS": str(WITHIN_S)}
        with subprocess.Popen(
            COMMAND, cwd=self._where, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr
            assert any(word in line for line in process.stderr)
            process.terminate()
            return process.communicate(timeout=WITHIN_S)[1]

    @contextlib.contextmanager
    def on_terminal(self) -> Iterator[Terminal]:
        """Run it on a terminal, from which somebody ends it long before it would end by itself."""
        environ = {**self._environ, "DEMO_SECONDS": str(WITHIN_S)}
        with terminal(COMMAND, env=environ, cwd=self._where, size=(100, 40), patience_s=WITHIN_S) as shown:
            yield shown

    def _heard(self, line: str) -> str:
        """Look at a wall as soon as its address is told."""
        if found := re.search("the wall is at (http\\S+)", line):
            with urllib.request.urlopen(found[1], timeout=60) as page:  # noqa: S310  http, as matched
                self.walls.append(page.read().decode())
        return line

    @property
    def folder(self) -> Path:
        return self._where / ".hotline-demo"

    def seen(self) -> int:
        """Ask the running stack how many events have come again."""
        state = read_state(DataFolder(self.folder))
        assert state is not None
        with connect(state.settings, "reader") as client:
            return int(client.query("SELECT sum(seen) FROM hotline.accounts").result_rows[0][0])

    def account(self) -> list[int]:
        """What the city's account says of all its events: read, counted, seen, revised, dead."""
        lines = (self.folder / "log" / "simulate.log").read_text().splitlines()
        (found,) = [line.split()[1:] for line in lines if line.startswith("all ")]
        return [int(number.replace(",", "")) for number in found]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def first(demo: Demo) -> subprocess.CompletedProcess[str]:
    return demo.run()


def test_the_demo_shows_boards_then_figures_and_reconciles(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("Calls waiting") > 1
    assert "equal:" in first.stdout
    lines = {line.split()[0]: line.split() for line in first.stdout.splitlines() if line.strip()}
    for name in KPIS:
        nothing_due = name == "timely_handling_rate" and not is_workday(date.fromisoformat(lines[name][1]))
        assert nothing_due or any(character.isdigit() for character in lines[name][3]), lines[name]


def test_while_the_demo_runs_the_wall_is_served_where_it_says(
    demo: Demo, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0, first.stderr
    assert "Calls waiting" in demo.walls[0]
    assert "web: ready, boards at http://127.0.0.1:" in (demo.folder / "log" / "stack.log").read_text()


def test_every_event_of_the_city_is_counted_and_the_next_demo_goes_on_with_it(
    demo: Demo, first: subprocess.CompletedProcess[str]
) -> None:
    """The next one on a terminal: its board opens, and `q` ends all of it in order."""
    assert first.returncode == 0
    read, counted, *others = demo.account()
    assert counted == read > 100_000
    assert others == [0, 0, 0]
    with demo.on_terminal() as shown:
        shown.wait("Calls waiting", "Calls offered")
        wait_until(demo.seen, "the city has sent what it is to send once more")
        shown.press("q")
        assert shown.end() == 0, shown.written
        assert shown.restored
        assert "equal:" in shown.written
    read, counted, seen, *others = demo.account()
    assert read == counted + seen < 10_000
    assert seen > 0
    assert others == [0, 0]


def test_a_demo_that_is_ended_from_outside_leaves_nothing_running(
    demo: Demo, first: subprocess.CompletedProcess[str]
) -> None:
    """As `timeout` does it, or a terminal that is closed: the city stops, what it sent is stored, the stack ends."""
    assert first.returncode == 0
    said = demo.ended_on("the wall is at ")
    assert "waiting until what it sent is stored" in said
    assert read_state(DataFolder(demo.folder)) is None


def test_a_folder_has_one_city(demo: Demo, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0
    refused = demo.run("--seed", "7")
    assert refused.returncode == 2
    assert "seed 1 and scale 0.1" in refused.stderr
    assert json.loads((demo.folder / "city.json").read_text())["seed"] == 1
