"""The command that adds what sums lack."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.failures import CANNOT, DIFFERS
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say
from cli.progress import progress
from cli.reconcile import localised

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotline.periods import Period
    from hotline.settings import Settings
    from sinks.repair import Line, RepairReport


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline repair --period 2023-05 --dry-run",
            "hotline repair --period 2023-05",
            "hotline repair --period 2023-05-01..2023-05-08 --json",
        )
    )(repair)


def repair(
    period: Annotated[str, typer.Option(metavar="PERIOD", help="What to repair: 2023, 2023-05, 2023-05-01, today …")],
    data: Data = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be added.")] = False,
    json: Json = False,
) -> int:
    """Add to the sums what their rows give and they do not hold.

    Every sum of the period at its stored grain, recent minutes included, while the sink stands still; the period is
    rounded outward to local hours. Rows and events are compared and never changed, and nothing is deleted. May be
    repeated, also after it was interrupted: what is there is not added again. Needs a running stack. Exit code 0 when
    nothing differs any more, 1 when something does (in a dry run: when something would be added), 3 when none runs.
    """
    from hotline.holding import HoldError
    from hotline.periods import parse
    from hotline.settings import load
    from hotline.zone_names import zone
    from sinks.repair import RepairError

    settings = load(data)[0]
    place = zone(settings.zone)
    try:
        asked = parse(period, zone=place, now=datetime.now(UTC))
        report = _report(settings, asked, dry_run=dry_run)
    except (ValueError, HoldError, RepairError) as error:
        say(str(error))
        return CANNOT
    if json:
        print_json(as_json(report, place))
    else:
        _print(report, place)
    return 0 if report.clean else DIFFERS


def _report(settings: "Settings", asked: "Period", *, dry_run: bool) -> "RepairReport":
    from deploy.stack.stopping import found
    from hotline.holding import Hold
    from hotline.working_time import load_working_time
    from sinks.connecting import connect
    from sinks.repair import repair as repair_all

    there = found(settings)
    hold = Hold.to_read(there) if dry_run else Hold(there)
    with connect(there, "writer") as client, progress("comparing" if dry_run else "repairing") as advance:
        report = repair_all(
            client,
            asked.start,
            asked.end,
            there.zone,
            hold=hold,
            working=load_working_time(there),
            dry_run=dry_run,
            progress=advance,
        )
    report.notes += hold.notes
    return report


def as_json(report: "RepairReport", zone: "ZoneInfo") -> dict[str, Any]:
    """Shape the report as data, its times in the hotline's zone."""
    import msgspec

    found: dict[str, Any] = localised(msgspec.to_builtins(report, builtin_types=[datetime]), zone)
    rows = found.pop("rows")
    compared = {name: rows[name] for name in ("rows", "events", "rows_differ", "fields")}
    return {"clean": report.clean, **found, **compared}


def _print(report: "RepairReport", zone: "ZoneInfo") -> None:
    for note in report.notes:
        say(note)
    local = as_json(report, zone)
    print_data(f"{_headline(report)}: {local['from']} to {local['to']}")
    if report.lines:
        head = ("sum", "scope", "grain", "sums", "before", "difference", "after", "kpis")
        print_table([head, *map(_line, report.lines)])
    if report.remaining and not report.dry_run:
        say(f"{report.remaining:,} sums differ still: repair again; if they stay, keep the data folder as it is")
    if report.rows.rows_differ:
        say(
            f"{report.rows.rows_differ:,} rows are not what their events give. Repair does not touch rows: hotline "
            "reconcile names them, and the runbook says how to build the database anew"
        )
    if report.sums and not report.dry_run:
        say("live figures follow: roll starts again from the tables by itself, within half a minute")


def _headline(report: "RepairReport") -> str:
    if not report.sums:
        return "nothing to add"
    return f"{report.sums:,} sums differ; nothing was changed" if report.dry_run else f"repaired {report.sums:,} sums"


def _line(line: "Line") -> tuple[str, ...]:
    figures = (f"{line.sums:,}", f"{line.before:,}", f"{line.difference:+,}", f"{line.after:,}")
    return f"{line.subject} {line.measure}", line.scope_kind, line.grain, *figures, ", ".join(line.kpis)
