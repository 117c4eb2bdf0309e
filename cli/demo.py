"""The command that shows everything at once: a city that lives, its board, and the proof of its figures."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from cli.asking import Lang, Language
from cli.failures import CANNOT
from cli.opening import may_open, open_in_browser
from cli.options import examples
from cli.output import say
from cli.stopping import ending

if TYPE_CHECKING:
    from deploy.stack.state import StackState
    from hotline.settings import Settings

FOLDER = Path(".hotline-demo")
KPIS = (
    "calls_offered",
    "calls_answered",
    "answered_30s_share",
    "average_wait_s",
    "average_talk_s",
    "tickets_created",
    "tickets_answered_online",
    "tickets_dispatched",
    "timely_handling_rate",
    "satisfaction_rate",
    "reopened_rate",
)
SEED, SCALE = 1, 0.2
DAYS = 14
"""The city has lived so long before: deadlines of its first days have passed, and the longest window is full."""
AGAIN_S = 3600
"""What of the city's life is sent once more when it goes on: what is known is seen, and nothing is missed."""
STOP_WITHIN_S = 60.0
BOARDS_WITHIN_S = 30.0


class City(msgspec.Struct, frozen=True):
    """The one city of a folder."""

    seed: int
    scale: float
    first: date
    """Its first day."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples("hotline demo", "hotline demo --lang zh", "hotline demo --data .big --scale 1 --seconds 60")
    )(demo)


def demo(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder of the demo; kept, and gone on with next time.")
    ] = FOLDER,
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, envvar="DEMO_SECONDS", help="End after so long; without it: q or Ctrl-C.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another city's life.")] = SEED,
    scale: Annotated[float, typer.Option(min=0, help="Size; 1 is Suzhou's, 6 events a second at a peak.")] = SCALE,
    lang: Language = Lang.EN,
) -> int:
    """Let a city live and watch it.

    Starts a stack, simulates the last two weeks of a city and goes on with the clock, and opens the live board; without
    a terminal the board is printed every few seconds. The address of the wall in a browser is told, and opened where
    there is a terminal and a screen, unless --seconds ends the demo by itself. When the board is left, it prints
    yesterday's KPIs and compares sums, rows and events of yesterday. Exit code 1 when anything differs, 2 when the
    folder has another city.
    """
    from deploy.stack.joining import join_or_start
    from hotline.settings import load

    settings, _ = load(data)
    city = _city(settings, City(seed, scale, _today(settings) - timedelta(days=DAYS)))
    if (city.seed, city.scale) != (seed, scale):
        say(f"{data} has a city of seed {city.seed} and scale {city.scale:g}: ask for these, or name another --data")
        return CANNOT
    with ending(), join_or_start(settings, say=say, until=("engine",), boards=True) as stack:
        with _traffic(stack.settings, city):
            _show_wall(stack.settings, lang, opened=seconds is None)
            _run(["watch", "--lang", lang, *(["--seconds", str(seconds)] if seconds else [])], data)
        yesterday = str(_today(settings) - timedelta(days=1))
        return max(
            _run(["kpi", *KPIS, "--period", yesterday, "--lang", lang], data),
            _run(["reconcile", "--period", yesterday], data),
        )


def _city(settings: "Settings", asked: City) -> City:
    """Give the city of the folder, which is what was asked for when there is none."""
    from hotline.data_folder import make_once

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return msgspec.json.decode(make_once(settings.data / "city.json", msgspec.json.encode(asked)), type=City)


@contextmanager
def _traffic(settings: "Settings", city: City) -> Iterator[None]:
    """Let the city live in a process of its own; at the end wait until what it sent is stored."""
    from deploy.stack.children import child_environment, module

    asked = _simulation(settings, city)
    log = settings.folder.log / "simulate.log"
    say(f"the city lives by hotline {' '.join(asked)}; how, it says in {log}")
    with log.open("wb") as told:
        lives = subprocess.Popen(
            [*module("cli"), *asked, "--data", str(settings.data)],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            env={**os.environ, "PYTHONPATH": child_environment(settings).get("PYTHONPATH", "")},
            start_new_session=True,  # Ctrl-C on the board is not for the city, which is ended afterwards
        )
    try:
        yield
    finally:
        say("the city stops: waiting until what it sent is stored")
        lives.send_signal(signal.SIGINT)
        try:
            lives.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            lives.kill()


def _show_wall(settings: "Settings", lang: Lang, *, opened: bool) -> None:
    """Tell where the wall is, and open it if that is asked for and somebody is there to see it."""
    from deploy.stack.boards import boards_for_people

    state = _serving_boards(settings)
    if state is None:
        return
    wall = f"{boards_for_people(state)}/d/hotline-wall{'' if lang is Lang.EN else f'-{lang}'}"
    say(f"the wall is at {wall}")
    if opened and may_open():
        open_in_browser(wall)


def _serving_boards(settings: "Settings") -> "StackState | None":
    """Wait until the boards are served; None where they are not to be, or not in time."""
    from deploy.stack.state import read_state

    deadline = time.monotonic() + BOARDS_WITHIN_S
    while (state := read_state(settings.folder)) and any(part.name == "web" for part in state.parts):
        if state.ready(frozenset({"web"})):
            return state
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return None


def _simulation(settings: "Settings", city: City) -> list[str]:
    """Write the command: from the city's first day, or from a little before where its life is stored."""
    from producers.simulator.day import LIFE_DAYS_MAX

    zone = ZoneInfo(settings.zone)
    begin = datetime.combine(city.first, datetime.min.time(), zone)
    begin = max(begin, datetime.fromtimestamp(_newest_s(settings) - AGAIN_S, zone))
    lived = (begin.date() - city.first).days
    when = begin.replace(tzinfo=None).isoformat(timespec="minutes")
    what = ["--seed", str(city.seed), "--scale", f"{city.scale:g}", "--days-before", str(min(lived, LIFE_DAYS_MAX))]
    return ["simulate", "--from", when, "--speed", "max", *what]


def _newest_s(settings: "Settings") -> int:
    """Epoch seconds of the newest stored event; 0 when there is none."""
    from cli.reader import Reader
    from hotline.names import ACCOUNTS_TABLE, DATABASE
    from hotline.queries import Statement

    with Reader(settings) as reader:
        rows = reader.ask(Statement(f"SELECT toInt64(max(newest_at)) FROM {DATABASE}.{ACCOUNTS_TABLE}"))  # noqa: S608
    return int(rows[0][0] or 0)


def _today(settings: "Settings") -> date:
    return datetime.now(ZoneInfo(settings.zone)).date()


def _run(command: list[str], folder: Path) -> int:
    """Run another command of ours as if it had been typed."""
    from cli.main import run

    say(f"now hotline {' '.join(command)}")
    return run([*command, "--data", str(folder)])
