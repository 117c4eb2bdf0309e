"""The command that folds stored events again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.failures import CANNOT, DIFFERS
from cli.load import connection_of, quiet_clients
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say
from cli.progress import progress

if TYPE_CHECKING:
    from deploy.stack.joining import StackUse
    from hotline.periods import Period
    from hotline.refold import Refold
    from hotline.subjects import Subject
    from hotline.working_time import WorkingTime
    from sinks.outdated import Births

ROWS_A_REQUEST = 200_000
"""Rows of one request: seconds of a partition's time, in which what comes in waits."""


class Which(StrEnum):
    """Subjects."""

    CALLS = "calls"
    TICKETS = "tickets"


class Refolded(msgspec.Struct, kw_only=True):
    """What folding again is for, and what it did, of one subject."""

    subject: str
    rows: int
    """Rows of these births."""
    events: int
    older: int
    """Rows that older versions had folded."""
    newer: int
    """Rows that newer versions have folded than this program's: they stay."""
    changed: int = 0
    """Rows that were folded again and stand now."""
    sums: int = 0
    """Cells of the sums that changed."""
    left: int = 0
    """Rows of older versions that are left."""
    unable: int = 0
    """Requests that a worker of older versions answered, which folds nothing again."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(
        epilog=examples(
            "hotline refold --period 2023 --dry-run",
            "hotline refold --period 2023-05",
            "hotline refold --period 2023-05-01..2023-05-08 --subject tickets --json",
        )
    )(refold)


def refold(
    period: Annotated[str, typer.Option(metavar="PERIOD", help="Births to fold again: 2023, 2023-05, last-7d …")],
    data: Data = None,
    *,
    subject: Annotated[Which | None, typer.Option(help="Only these; default: calls and tickets.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would be folded again.")] = False,
    json: Json = False,
) -> int:
    """Fold the events of what was born in a period again, after a changed rule, calendar or fold.

    Rows that come out under newer versions take the place of those that stand, and the sums follow; traffic goes on.
    The period is rounded outward to days of UTC. May be repeated, also after it was interrupted: what is done is not
    done again. Exit code 0 when no row of older versions is left, 1 when some are (in a dry run: when there are any).
    """
    from deploy.stack.joining import join_or_start
    from hotline.periods import parse
    from hotline.settings import load
    from hotline.zone_names import zone
    from producers.sending import StackAwayError

    quiet_clients()
    settings = load(data)[0]
    try:
        asked = parse(period, zone=zone(settings.zone), now=datetime.now(UTC))
        with join_or_start(settings, say=say) as use:
            done = refold_all(use, _days(asked), _subjects(subject), dry_run=dry_run)
    except (ValueError, StackAwayError) as error:
        say(str(error))
        return CANNOT
    if json:
        print_json({"from": asked.start.isoformat(), "to": asked.end.isoformat(), "dry_run": dry_run, "subjects": done})
    else:
        print_refolded(done, dry_run=dry_run)
    return DIFFERS if any(one.older if dry_run else one.left + one.unable for one in done) else 0


def refold_all(
    use: "StackUse", days: tuple[int, int], subjects: "Sequence[Subject]", *, dry_run: bool = False
) -> list[Refolded]:
    """Fold again what was born on these days of UTC (the second is not among them), or only count it."""
    from hotline.working_time import load_working_time

    working = load_working_time(use.settings)
    return [_of_subject(use, subject, days, working, dry_run=dry_run) for subject in subjects]


def _of_subject(
    use: "StackUse", subject: "Subject", days: tuple[int, int], working: "WorkingTime", *, dry_run: bool
) -> Refolded:
    from hotline.fold import folded_by
    from producers.bounds import bounds
    from producers.refolding import ask

    by = folded_by(subject, working)
    found = _counted(use, subject, by, days)
    result = told(subject, found)
    if dry_run:
        return result
    requests = _requests(found, days, working)
    with progress(f"folding {subject.name} again") as advance:
        answer = ask(
            connection_of(use),
            subject,
            requests,
            use.settings.partitions,
            progress=lambda done: advance(done, len(requests), f"{done} of {len(requests)} spans of births"),
            bounds=bounds(use.settings),
        )
    result.changed, result.sums, result.unable = answer.rows, answer.sums, answer.unable
    result.left = sum(one.older for one in _counted(use, subject, by, days))
    return result


def told(subject: "Subject", found: "Sequence[Births]") -> Refolded:
    """Add up births."""
    rows, older, newer, events = (sum(one[at] for one in found) for at in (1, 2, 3, 4))
    return Refolded(subject=subject.name, rows=rows, events=events, older=older, newer=newer)


def _counted(use: "StackUse", subject: "Subject", by: int, days: tuple[int, int]) -> "list[Births]":
    from sinks.connecting import connect
    from sinks.outdated import births

    with connect(use.settings, "writer") as client:  # not the reader, whose limits are made for boards
        return births(client, subject, by, days)


def _requests(found: "Sequence[Births]", days: tuple[int, int], working: "WorkingTime") -> "list[Refold]":
    """Cut days into spans of not too many rows each; together they are all of the days."""
    from hotline.fold import FOLD_VERSION
    from hotline.refold import DAYS_MAX, Refold

    cuts, rows = [days[0]], 0
    for one in found:
        rows += one.rows
        if rows > ROWS_A_REQUEST or one.day + 1 - cuts[-1] >= DAYS_MAX:
            cuts, rows = [*cuts, one.day], one.rows
    edges = [*dict.fromkeys(cuts), days[1]]
    return [
        Refold(
            first_day=first,
            days=end - first,
            fold=FOLD_VERSION,
            rule=working.rule_version,
            calendar=working.calendar_version,
        )
        for first, end in pairwise(edges)
    ]


def _days(asked: "Period") -> tuple[int, int]:
    from hotline.windows import DAY_S

    return asked.start_s // DAY_S, -(-asked.end_s // DAY_S)


def _subjects(only: Which | None) -> "list[Subject]":
    from hotline.subjects import SUBJECTS

    return [subject for name, subject in SUBJECTS.items() if only in {None, name}]


def print_refolded(done: Sequence[Refolded], *, dry_run: bool) -> None:
    """Print what was folded again, or would be, and what to do about the rest."""
    head = ("subject", "rows", "events", "of older versions")
    more = () if dry_run else ("folded again", "sums changed", "left")
    lines = [(one.subject, f"{one.rows:,}", f"{one.events:,}", f"{one.older:,}", *_after(one, dry_run)) for one in done]
    print_table([(*head, *more), *lines])
    if dry_run:
        print_data("nothing was changed")
    if any(one.unable for one in done):
        say(
            "a worker with an older fold, rule or calendar than this command answered, and folded nothing again: "
            "restart the workers with the settings and the version of this command (hotline down, hotline up)"
        )
    if newer := sum(one.newer for one in done):
        say(
            f"{newer:,} rows were folded by newer versions than these and stay as they are: to go back to an older "
            "rule or calendar, give its file a version above all that were used"
        )


def _after(one: Refolded, dry_run: bool) -> tuple[str, ...]:  # noqa: FBT001
    return () if dry_run else (f"{one.changed:,}", f"{one.sums:,}", f"{one.left:,}")
