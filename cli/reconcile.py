"""The command that recomputes what is stored."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.failures import CANNOT, DIFFERS
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say
from cli.progress import progress

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotline.periods import Period
    from hotline.settings import Settings
    from sinks.reconcile import Report


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline reconcile --period 1999-01",
            "hotline reconcile --period today",
            "hotline reconcile --period 2023-05-01..2023-05-08 --json",
        )
    )(reconcile)


def reconcile(
    period: Annotated[str, typer.Option(metavar="PERIOD", help="What to compare: 2023, 2023-05, 2023-05-01, today …")],
    data: Data = None,
    *,
    json: Json = False,
) -> int:
    """Recompute everything stored of a period and compare.

    Sums against rows, rows against events, to the last unit, while the sink stands still; the period is rounded
    outward to local hours. Ids with two births are listed, and are no difference. Exit code 1 when anything differs,
    with the first differences by name. The verdict is kept for the board of the pipeline.
    """
    from hotline.periods import parse
    from hotline.settings import load
    from hotline.zone_names import zone
    from sinks.reconcile import HoldError

    settings = load(data)[0]
    place = zone(settings.zone)
    try:
        asked = parse(period, zone=place, now=datetime.now(UTC))
        report = _report(settings, asked)
    except (ValueError, HoldError) as error:
        say(str(error))
        return CANNOT
    if json:
        print_json(as_json(report, place))
    else:
        _print(report, place)
    return 0 if report.equal else DIFFERS


def _report(settings: "Settings", asked: "Period") -> "Report":
    from deploy.stack.joining import join_or_start
    from hotline.working_time import load_working_time
    from sinks.connecting import connect
    from sinks.reconcile import Hold, note
    from sinks.reconcile import reconcile as reconcile_all

    with (
        join_or_start(settings, say=say, until=["engine"]) as use,
        # Not the reader, whose limits of time and memory are made for boards.
        connect(use.settings, "writer") as client,
        progress("comparing") as advance,
    ):
        hold = Hold.to_read(use.settings)
        report = reconcile_all(
            client,
            asked.start,
            asked.end,
            use.settings.zone,
            working=load_working_time(use.settings),
            hold=hold,
            progress=advance,
        )
        report.held, report.notes = not hold.notes, [*report.notes, *hold.notes]
        note(client, report)
    return report


def as_json(report: "Report", zone: "ZoneInfo") -> dict[str, Any]:
    """Shape the report as data, its times in the hotline's zone."""
    import msgspec

    found: dict[str, Any] = localised(msgspec.to_builtins(report, builtin_types=[datetime]), zone)
    return found


def localised(value: Any, zone: "ZoneInfo") -> Any:
    """Write every time in a value in a zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, dict):
        return {name: localised(inner, zone) for name, inner in value.items()}
    return [localised(inner, zone) for inner in value] if isinstance(value, list) else value


def _print(report: "Report", zone: "ZoneInfo") -> None:
    for note in report.notes:
        say(note)
    local = as_json(report, zone)
    print_data(f"{'equal' if report.equal else 'DIFFERENT'}: {local['from']} to {local['to']}")
    print_table(
        [
            ("compared", f"{report.cells:,} cells of sums", f"{report.rows:,} rows", f"{report.events:,} events"),
            ("different", f"{report.sums_differ:,} sums", f"{report.rows_differ:,} rows", ""),
        ]
    )
    _print_list("sums that their rows do not give", report.sums_differ, [_sum(one) for one in local["sums"]])
    _print_list("rows that their events do not give", report.rows_differ, [_field(one) for one in local["fields"]])
    if not report.equal:
        say('what to do: see hotline repair --dry-run, and the runbook under "Figures do not agree"')
    births = [(one["subject"], one["source"], one["entity"], *one["births"]) for one in local["two_births"]]
    _print_list("ids with several births", report.ids_born_twice, births)


def _print_list(title: str, count: int, rows: list[tuple[str, ...]]) -> None:
    if rows:
        width = max(map(len, rows))
        print_data(f"\n{title}: {count:,}, the first of them")
        print_table([(*row, *[""] * (width - len(row))) for row in rows])


def _sum(one: dict[str, Any]) -> tuple[str, ...]:
    scope = f"{one['scope']['kind']}={one['scope']['value']}" if one["scope"] else "all"
    kpis = ", ".join(one["kpis"])
    measure = f"({one['measure']}{', recent minute' * (one['grain'] == 'recent minute')})"
    return one["at"], scope, kpis, measure, f"stored {one['stored']}", f"recomputed {one['recomputed']}"


def _field(one: dict[str, Any]) -> tuple[str, ...]:
    entity = f"{one['subject']} {one['source']}/{one['entity']}"
    return one["born_at"], entity, one["field"], f"stored {one['stored']}", f"recomputed {one['recomputed']}"
