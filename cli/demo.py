"""The command that shows everything at once: a city that lives, its board, and the proof of its figures."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.asking import Lang, Language
from cli.options import examples
from cli.output import say

if TYPE_CHECKING:
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
DAYS = 14
"""The city has lived so long before: deadlines of its first days have passed, and the longest window is full."""
SCALE = 0.2
STOP_WITHIN_S = 60.0


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline demo",
            "hotline demo --lang zh",
            "hotline demo --scale 1 --seconds 60",
        )
    )(demo)


def demo(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder of the demo; kept, and gone on with next time.")
    ] = FOLDER,
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, envvar="DEMO_SECONDS", help="End after so long; without it: q or Ctrl-C.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another city's life.")] = 1,
    scale: Annotated[
        float, typer.Option(min=0, help="Size; 1 is Suzhou's, about 6 events a second at a peak.")
    ] = SCALE,
    lang: Language = Lang.EN,
) -> int:
    """Let a city live and watch it.

    Starts a stack, simulates the last two weeks of a city and goes on with the clock, and opens the live board; without
    a terminal the board is printed every few seconds. When the board is left, it prints yesterday's KPIs and compares
    sums, rows and events of yesterday. Exit code 1 when anything differs.
    """
    from deploy.stack.joining import join_or_start
    from hotline.settings import load

    settings, _ = load(data)
    with join_or_start(settings, say=say):
        with _traffic(settings, seed, scale):
            _run(["watch", "--lang", lang, *(["--seconds", str(seconds)] if seconds else [])], data)
        yesterday = str(_today(settings) - timedelta(days=1))
        return max(
            _run(["kpi", *KPIS, "--period", yesterday, "--lang", lang], data),
            _run(["reconcile", "--period", yesterday], data),
        )


@contextmanager
def _traffic(settings: "Settings", seed: int, scale: float) -> Iterator[None]:
    """Let the city live in a process of its own; at the end wait until what it sent is stored."""
    from deploy.stack.plan import child_environment, module

    first = str(_today(settings) - timedelta(days=DAYS))
    asked = ["simulate", "--from", first, "--speed", "max", "--seed", str(seed), "--scale", str(scale)]
    log = settings.folder.log / "simulate.log"
    say(f"the city lives from {first} up to now, and on; hotline {' '.join(asked)} says how it does in {log}")
    with log.open("wb") as told:
        city = subprocess.Popen(
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
        city.send_signal(signal.SIGINT)
        try:
            city.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            city.kill()


def _today(settings: "Settings") -> date:
    return datetime.now(ZoneInfo(settings.zone)).date()


def _run(command: list[str], folder: Path) -> int:
    """Run another command of ours as if it had been typed."""
    from cli.main import run

    say(f"now hotline {' '.join(command)}")
    return run([*command, "--data", str(folder)])
