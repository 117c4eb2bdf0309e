"""Commands about the processes of the embedded stack: up, down, status, doctor."""

import time
from typing import Annotated

import typer

from cli.failures import CANNOT, DIFFERS
from cli.options import Data, Json, examples
from cli.output import print_json, print_table, say

_POLL_S = 0.2


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(epilog=examples("hotline up", "hotline up --data /srv/hotline"))(up)
    app.command(epilog=examples("hotline down", "hotline down --data /srv/hotline"))(down)
    app.command(epilog=examples("hotline status", "hotline status --wait 60", "hotline status --json"))(status)
    app.command(epilog=examples("hotline doctor", "hotline doctor --deep", "hotline doctor --deep --json"))(doctor)


def up(
    data: Data = None,
    *,
    while_used: Annotated[bool, typer.Option("--while-used", hidden=True, help="End with the last user.")] = False,
) -> None:
    """Run the stack in the foreground.

    Starts engine, broker, sink and workers, and restarts what dies. Ctrl-C or SIGTERM stops it. When a stack runs
    already on the data folder, this says so and ends; a starting one is waited for.
    """
    from deploy.stack.running import run_stack
    from hotline.settings import load

    run_stack(load(data)[0], say=say, temporary=while_used)


def down(data: Data = None) -> None:
    """Stop the stack.

    Waits until it is gone. Exit code 3 when none runs.
    """
    from deploy.stack.stopping import stop_stack
    from hotline.settings import load

    pid = stop_stack(load(data)[0])
    say(f"stopped the stack (process {pid})")


def status(
    data: Data = None,
    *,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Wait so long for every part to answer.")] = 0,
    json: Json = False,
) -> int:
    """Tell how the stack does.

    Exit code 0 when every part answers and no line stands still, 1 when not, 3 when none runs. Starts nothing.
    """
    from deploy.stack.status import look, with_given_up
    from hotline.settings import load

    settings, _ = load(data)
    deadline = time.monotonic() + wait
    while (found := look(settings)).exit_code and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    found = with_given_up(found, settings)
    if json:
        print_json(found)
    elif found.state == "stopped":
        say(f"no stack runs on {settings.data}: start one with hotline up")
    else:
        print_table(
            [
                (
                    p.name,
                    "answers" if p.answers else p.state,
                    f"process {p.pid or '-'}",
                    p.address or ", ".join(p.agents),
                )
                for p in found.parts
            ]
            or [("stack", found.state, f"process {found.pid}", "")]
        )
        for why in (why for part in found.parts for why in part.stopped):
            say(why)
        if found.given_up:
            say(f"{found.given_up:,} records were given up: see hotline gaps list")
    return found.exit_code


def doctor(
    data: Data = None,
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Check everything that a running stack has stored, too.")
    ] = False,
    json: Json = False,
) -> int:
    """Check this machine, and with --deep what is stored.

    Looks at versions, ports, disk, memory, clock, calendar and permissions, and whether tickets of what runs lack their
    deadline; names the remedy for what is not well. --deep looks for gaps and doubles in what was accepted, compares
    sums with rows, rows with events and stocks with what is open, over everything stored, and counts calls and tickets
    whose steps do not fit together; it needs a running stack (exit code 3 without one) and takes about as long as
    loading did. Starts nothing and changes nothing.
    Exit code 1 when something is not well.
    """
    from cli.doctor import examine
    from hotline.settings import load

    settings = load(data)[0]
    findings = examine(settings)
    if deep:
        from cli.deep import examine_stored
        from deploy.stack.stopping import found
        from hotline.holding import HoldError

        try:
            findings += examine_stored(found(settings))
        except HoldError as error:
            say(str(error))
            return CANNOT
    if json:
        print_json(findings)
    else:
        print_table(
            [("ok" if f.ok else "warn", f.check, f.found + (f": {f.remedy}" if f.remedy else "")) for f in findings]
        )
    return 0 if all(finding.ok for finding in findings) else DIFFERS
