"""The command that shows everything at once: a day of a city from nothing to figures."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.failures import DIFFERS
from cli.options import examples
from cli.output import say

if TYPE_CHECKING:
    from deploy.stack.joining import StackUse
    from producers.loading import Load

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
_FIRST_DAY = "2023-03-01"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(epilog=examples("hotline demo", "hotline demo --seed 7", "hotline demo --data .hotline-demo"))(demo)


def demo(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder to keep; without one nothing is kept.")
    ] = None,
    *,
    day: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The local day.")] = _FIRST_DAY,  # type: ignore[assignment]
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another day.")] = 1,
) -> int:
    """Simulate a day of a city and show its figures.

    Starts a stack, makes the calls and tickets of one day with all that happens to them in the weeks after, sends
    them through the pipeline, prints KPIs and reconciles sums, rows and events. Exit code 1 when anything differs.
    """
    from deploy.stack.joining import join_or_start
    from hotline.settings import load

    with _folder(data) as folder:
        settings, _ = load(folder)
        with join_or_start(settings, say=say) as stack:
            account = _load(stack, day.date(), seed)
            say(
                f"{account.read} events in {account.seconds} s: {account.counted} counted, {account.seen} seen before, "
                f"{account.revised} revised, {account.dead} dead"
            )
            codes = [_run(command, folder) for command in _commands(day.date())]
    return max(codes) if account.complete else DIFFERS


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Give the folder that was asked for, or one that is gone afterwards."""
    if data:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="hotline-demo-") as made:
        yield Path(made)


def _load(stack: "StackUse", date: dt.date, seed: int) -> "Load":
    from producers.adapters import Batch
    from producers.loading import load
    from producers.simulator import CITY, day

    def connect() -> tuple[str, Any]:
        from sinks.connecting import connect as connected

        settings = stack.settings if stack.alive() else stack.rejoin()
        return settings.bootstrap, connected(settings, "reader")

    say(f"simulating {date} of a city, with seed {seed}")
    frames = day(CITY, date, seed)
    batches = [
        Batch(frames={name: frame}, lines_read=0, lines_broken=0, bytes_read=0) for name, frame in frames.items()
    ]
    return load(batches, partitions=stack.settings.partitions, connect=connect, progress=lambda _: None)


def _commands(date: dt.date) -> Iterator[list[str]]:
    """Commands that a user would give next; the period holds all that happens to the tickets of the day."""
    from producers.simulator.day import LIFE_DAYS_MAX

    period = f"{date}..{date + dt.timedelta(days=LIFE_DAYS_MAX + 1)}"
    yield ["kpi", *KPIS, "--period", period]
    yield ["reconcile", "--period", period]


def _run(command: list[str], folder: Path) -> int:
    """Run another command of ours as if it had been typed."""
    from cli.main import run

    say(f"now hotline {' '.join(command)}")
    return run([*command, "--data", str(folder)])
