"""The command that lets a city live."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import send
from cli.failures import CANNOT, DIFFERS
from cli.load import as_json, connection_of, print_verdicts, quiet_clients
from cli.options import Data, Json, examples
from cli.output import flush_data, print_json, print_lines, print_table, say
from cli.progress import progress
from cli.simulation import Plan, require_possible, span_s, speed_of
from cli.stopping import stopping

if TYPE_CHECKING:
    from producers.json_sending import Sending
    from producers.loading import Load
    from producers.simulator import Pacer


class Through(StrEnum):
    """By which door events come in."""

    BLOCKS = "blocks"
    INTAKE = "intake"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline simulate",
            "hotline simulate --from yesterday --speed max",
            "hotline simulate --from 2023-03-01T08:00 --until 2023-03-01T12:00 --speed 600 --json",
            "hotline simulate --from 2023-03-01 --days 1 --speed max --late 0.05 --duplicates 0.01 --disorder 0.1",
            "hotline simulate --through intake --scale 0.5",
            "hotline simulate --from 2023-03-01 --days 1 --speed max --scale 0.01 --dry-run | hotline send - --wait",
        )
    )(simulate)


def simulate(
    data: Data = None,
    *,
    start: Annotated[
        str, typer.Option("--from", metavar="WHEN", help="When it begins: now, yesterday, a day, or a day with a time.")
    ] = "now",
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="When it ends; without an end: Ctrl-C.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Or how many days it lasts.")] = None,
    speed: Annotated[str, typer.Option(metavar="X", help="Times as fast as real time; 0 or max: no pace.")] = "1",
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another city's life.")] = 1,
    scale: Annotated[float, typer.Option(min=0, help="Size; 1 is Suzhou's, about 6 events a second at a peak.")] = 1.0,
    days_before: Annotated[
        int, typer.Option(min=0, help="Days before the start whose tickets live on into it; none lives longer than 42.")
    ] = 7,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share of events that come twice.")] = 0.0,
    late: Annotated[float, typer.Option(min=0, max=1, help="Share of events that come late.")] = 0.0,
    late_by: Annotated[int, typer.Option(min=1, metavar="S", help="Longest lateness, in simulated seconds.")] = 600,
    disorder: Annotated[float, typer.Option(min=0, max=1, help="Share of events that later ones overtake.")] = 0.0,
    through: Annotated[
        Through, typer.Option(help="As blocks, or as single JSON events like an outside system's.")
    ] = Through.BLOCKS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print events as JSON lines; send nothing.")] = False,
    json: Json = False,
) -> int:
    """Simulate a city's calls and tickets as they happen.

    From one seed comes one city, whatever the pace. Without an end simulated time stops where the real one is and goes
    on with it; with --until or --days it may pass it, but not through intake, which refuses events of the future.
    Ctrl-C ends it when what was sent is stored. Joins the running stack, or starts one for as long as it takes. What
    is sent cannot be taken back: give it a data folder of its own. Exit code 0 when the account adds up, 1 when not, 2
    when it could not begin.
    """
    from hotline.settings import load
    from producers.sending import StackAwayError
    from producers.simulator import Mishaps

    quiet_clients()
    now = datetime.now(UTC)
    try:
        zone_name, pace = load(data)[0].zone, speed_of(speed)
        start_s, end_s = span_s(start, until, days, zone_name=zone_name, now=now)
        mishaps = Mishaps(duplicates=duplicates, late=late, disorder=disorder, late_s_max=late_by)
        clock_s = now.timestamp() if start_s == int(now.timestamp()) else None
        ahead = end_s is not None and (dry_run or through is Through.BLOCKS)
        plan = Plan(zone_name, start_s, end_s, pace, clock_s, ahead, seed, scale, days_before, mishaps)
        require_possible(plan, now)
        pacer = plan.pacer()
        with stopping(pacer):
            if dry_run:
                return _print_events(pacer, plan)
            return (_through_intake if through is Through.INTAKE else _as_blocks)(data, pacer, plan, json=json)
    except (ValueError, StackAwayError) as error:
        say(str(error))
        return CANNOT


def _print_events(pacer: "Pacer", plan: Plan) -> int:
    from producers.simulator.json_lines import json_lines

    pacer.idle = flush_data
    print_lines(line.decode() for line in json_lines(pacer, plan.zone))
    return 0


def _as_blocks(data: Path | None, pacer: "Pacer", plan: Plan, *, json: bool) -> int:
    from deploy.stack.joining import join_or_start
    from hotline.settings import load as settings_of
    from producers.loading import load
    from producers.simulator import batches

    with _progress(pacer, plan) as tell, join_or_start(settings_of(data)[0], say=say) as use:
        result = load(
            batches(pacer),
            partitions=use.settings.partitions,
            connect=connection_of(use),
            progress=lambda load: tell(load.read, load.counted + load.seen + load.revised + load.dead, load.seconds),
            follower=pacer,
        )
    if json:
        print_json({**_span(pacer, plan), **{name: of for name, of in as_json(result).items() if name != "lines"}})
    else:
        print_verdicts(result)
        _print_end(pacer, plan, result)
    if not result.complete:
        say(result.problem or "the account does not add up: see hotline status")
    return 0 if result.complete else DIFFERS


def _through_intake(data: Path | None, pacer: "Pacer", plan: Plan, *, json: bool) -> int:
    from producers.simulator.json_lines import json_lines

    with _progress(pacer, plan) as tell:
        result = send.send_lines(
            data,
            json_lines(pacer, plan.zone),
            wait=True,
            telling=lambda sending: tell(sending.read, sending.stored + sending.dead, sending.seconds),
            pseudonymised=True,  # as in blocks: the same city is the same events through either door
            source=pacer,
        )
    if json:
        print_json({**_span(pacer, plan), **send.as_json(result)})
        return 0 if result.complete else DIFFERS
    code = send.tell(result, json=False)
    _print_end(pacer, plan, result)
    return code


@contextmanager
def _progress(pacer: "Pacer", plan: Plan) -> "Iterator[Callable[[int, int, float], None]]":
    """Show simulated time, pace and lag; told of events read, events stored, and seconds."""
    with progress("simulating") as advance:

        def tell(read: int, stored: int, seconds: float) -> None:
            words = f"{plan.local(pacer.simulated_s)}, {read:,} events, {read / max(seconds, 0.001):,.0f}/s"
            lag = f", {pacer.behind_s:.1f} s behind" if plan.speed else ""
            total = None if plan.end_s is None else plan.end_s - plan.start_s
            advance(pacer.simulated_s - plan.start_s, total, f"{words}, {stored:,} stored{lag}")

        yield tell


def _span(pacer: "Pacer", plan: Plan) -> dict[str, Any]:
    return {"from": plan.local(plan.start_s), "until": plan.local(pacer.simulated_s), "seed": plan.seed}


def _print_end(pacer: "Pacer", plan: Plan, result: "Load | Sending") -> None:
    how = "complete" if result.complete else "incomplete"
    span = f"simulated {plan.local(plan.start_s)} until {plan.local(pacer.simulated_s)}"
    print_table([(f"{span}, {how}, {result.seconds:.1f} s",)])
