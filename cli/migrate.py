"""The command that brings what is stored to what this program asks for."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.failures import CANNOT, DIFFERS
from cli.load import connection_of, quiet_clients
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say
from cli.progress import progress
from cli.reconcile import localised
from cli.refold import Refolded, print_refolded, refold_all

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from clickhouse_connect.driver.client import Client

    from deploy.stack.joining import StackUse
    from hotline.subjects import Subject
    from sinks.due import Due, Fill, Plan
    from sinks.repair import Line


class Migrated(msgspec.Struct, kw_only=True):
    """What was done."""

    migrations: list[str] = []
    filled: list[str] = []
    """Columns, with their tables."""
    sums: int = 0
    """Sums that were added to fill them."""
    refolds: list[Refolded] = []
    problems: list[str] = []

    @property
    def complete(self) -> bool:
        """Nothing is left to do."""
        return not self.problems


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(epilog=examples("hotline migrate --plan", "hotline migrate", "hotline migrate --plan --json"))(migrate)


def migrate(
    data: Data = None,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what is to be done and how long it takes.")] = False,
    json: Json = False,
) -> int:
    """Bring what is stored to what this version, rule and calendar ask for.

    Applies migrations, fills columns of sums that are new or lack something, and folds again what older versions
    folded, in this order, while traffic goes on. May be interrupted and repeated. Joins the running stack, or starts
    one for as long as it takes, whose start applies the migrations. Exit code 0 when nothing is left to do, 1 when
    something is (with --plan: when something is to be done).
    """
    from deploy.stack.joining import join_or_start
    from hotline.holding import HoldError
    from hotline.settings import load
    from hotline.zone_names import zone
    from producers.sending import StackAwayError
    from sinks.connecting import connect
    from sinks.repair import RepairError

    quiet_clients()
    settings = load(data)[0]
    place = zone(settings.zone)
    try:
        with join_or_start(settings, say=say) as use, connect(use.settings, "writer") as client:
            found = _plan(client, use)
            if plan:
                _print_plan(found, place, json=json)
                return DIFFERS if not found.nothing else 0
            done = _carry_out(client, use, found)
    except (HoldError, RepairError, StackAwayError) as error:
        say(f"{error}. What is done stays done: see hotline migrate --plan")
        return CANNOT
    _print_done(done, json=json)
    return 0 if done.complete else DIFFERS


def _plan(client: "Client", use: "StackUse") -> "Plan":
    from hotline.working_time import load_working_time
    from sinks.due import plan

    return plan(client, use.settings.zone, load_working_time(use.settings))


def _carry_out(client: "Client", use: "StackUse", found: "Plan") -> Migrated:
    from sinks.migrations import apply

    done = Migrated(migrations=apply(client, use.settings.zone))
    _fill(client, use, done)
    for due in found.refolds:
        done.refolds += _refold(use, due)
    done.problems += [
        f"{one.left:,} rows of {one.subject} are of older versions still: see hotline migrate --plan"
        for one in done.refolds
        if one.left or one.unable
    ]
    return done


def _fill(client: "Client", use: "StackUse", done: Migrated) -> None:
    """Fill what is not filled and whose workers write it already."""
    from hotline.holding import Hold
    from sinks.repair import fill, unfilled

    missing = unfilled(client)
    able = {subject for subject in {kept.subject for kept in missing} if _written(use, subject, done)}
    wanted = {kept: measures for kept, measures in missing.items() if kept.subject in able}
    if not wanted:
        return
    with progress("filling columns") as advance:
        lines: list[Line] = fill(client, wanted, use.settings.zone, hold=Hold(use.settings), progress=advance)
    done.sums = sum(line.sums for line in lines)
    done.filled = [f"{kept.table}.{measure.column}" for kept, measures in wanted.items() for measure in measures]


def _written(use: "StackUse", subject: "Subject", done: Migrated) -> bool:
    """Tell whether every partition's last stored output has the columns of this catalogue: each is asked for one."""
    from hotline.catalogue import catalogue_name
    from hotline.refold import Refold
    from producers.bounds import bounds
    from producers.refolding import ask

    answer = ask(
        connection_of(use), subject, [Refold(first_day=0, days=0)], use.settings.partitions, bounds=bounds(use.settings)
    )
    if answer.catalogues == {catalogue_name(subject)}:
        return True
    done.problems.append(
        f"the workers of {subject.name} do not write the columns of this version yet, so these cannot be filled: "
        "restart them (hotline down, hotline up), then run hotline migrate again"
    )
    return False


def _refold(use: "StackUse", due: "Due") -> list[Refolded]:
    from datetime import date

    from hotline.subjects import SUBJECTS

    epoch = date(1970, 1, 1)
    days = (due.first_birth - epoch).days, (due.last_birth - epoch).days + 1
    return refold_all(use, days, [SUBJECTS[due.subject]])


def _print_plan(found: "Plan", zone: "ZoneInfo", *, json: bool) -> None:
    plain: dict[str, Any] = localised(msgspec.to_builtins(found, builtin_types=[datetime]), zone)
    if json:
        print_json(plain)
        return
    if found.nothing:
        print_data("nothing is to be done")
    for name in found.migrations:
        print_data(f"apply {name}")
    if found.columns:
        print_table([("new column", f"{one.table}.{one.column}") for one in found.columns])
    if found.fills:
        head = ("fill", "columns", "from", "to", "entries", "seconds", "no value until then")
        print_table([head, *(_filling(one, zone) for one in found.fills)])
    if found.refolds:
        head = ("fold again", "births from", "to", "rows", "of older versions", "events", "seconds")
        print_table([head, *map(_folding, found.refolds)])
    if found.seconds:
        print_data(f"about {found.seconds:,.0f} s ({found.how})")
    for subject, rows in found.newer.items():
        say(f"{rows:,} rows of {subject} were folded by newer versions than these, and stay as they are")


def _filling(one: "Fill", zone: "ZoneInfo") -> tuple[str, ...]:
    edges = (edge.astimezone(zone).isoformat() if edge else "nothing is stored" for edge in (one.from_, one.to))
    return one.table, ", ".join(one.columns), *edges, f"{one.entries:,}", f"{one.seconds:,.1f}", ", ".join(one.kpis)


def _folding(one: "Due") -> tuple[str, ...]:
    days = one.first_birth.isoformat(), one.last_birth.isoformat()
    return one.subject, *days, f"{one.rows:,}", f"{one.older:,}", f"{one.events:,}", f"{one.seconds:,.1f}"


def _print_done(done: Migrated, *, json: bool) -> None:
    if json:
        print_json({"complete": done.complete, **msgspec.to_builtins(done)})
    else:
        for name in done.migrations:
            print_data(f"applied {name}")
        if done.filled:
            print_data(f"filled {', '.join(done.filled)}: {done.sums:,} sums")
            say("live figures follow: roll starts again from the tables by itself, within half a minute")
        if done.refolds:
            print_refolded(done.refolds, dry_run=False)
        if not (done.migrations or done.filled or done.refolds or done.problems):
            print_data("nothing was to be done")
    for problem in done.problems:
        say(problem)
