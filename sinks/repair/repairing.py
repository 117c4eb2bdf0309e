"""Every piece of a period, each compared and made good under one hold of the sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.working_time import NO_WORKING_TIME, WorkingTime
from hotline.zone_names import zone as zone_of
from sinks.difference import all_pieces, difference, instant, outward, recent_start
from sinks.reconcile import reconcile
from sinks.repair.adding import add, wait_until_idle
from sinks.repair.lines import Lines, totals, with_difference
from sinks.repair.report import RepairReport

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.holding import Holding, Lease
    from sinks.difference import Kept, Span
    from sinks.reconcile import Progress


def repair(
    client: Client,
    from_: datetime,
    to: datetime,
    zone: str,
    *,
    hold: Holding,
    working: WorkingTime = NO_WORKING_TIME,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> RepairReport:
    """Add to the sums of a period what SQL over its rows gives and they do not hold, at every stored grain.

    The period is rounded outward to local hours of `zone`; recent minutes are repaired as far as they are whole. Rows
    are compared with their events as well, with `working`, and left as they are. `dry_run`: only looks.
    Raises ValueError for an unknown zone or an empty period; RepairError; HoldError; the client's errors.
    """
    name = zone_of(zone).key
    span = outward(from_, to, name)
    recent = recent_start(client, name)
    lines = Lines()
    pieces = all_pieces(client, span, name, recent)
    remaining = repair_pieces(client, pieces, lines, hold=hold, dry_run=dry_run, progress=progress)
    rows = reconcile(client, from_, to, name, working=working, hold=hold, progress=progress, sums=False)
    found = lines.lines()
    return RepairReport(
        from_=instant(span[0]),
        to=instant(span[1]),
        dry_run=dry_run,
        sums=sum(line.sums for line in found),
        remaining=remaining,
        lines=found,
        rows=rows,
        notes=recent.notes_of(span),
    )


def repair_pieces(
    client: Client,
    pieces: Sequence[tuple[Kept, Span]],
    lines: Lines,
    *,
    hold: Holding,
    of: Mapping[Kept, Collection[Measure]] | None = None,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> int:
    """Repair piece after piece, each under a hold of its own; how many sums differ then, in a dry run those that do.

    `of`: these measures only. Raises RepairError, HoldError and the client's errors; what is done stays.
    """
    remaining = 0
    for done, (kept, piece) in enumerate(pieces):
        progress(done, len(pieces), f"{kept.table} of {instant(piece[0]):%Y-%m}")
        with hold() as lease:
            mine = None if of is None else of[kept]
            remaining += _piece(client, kept, piece, lines, None if dry_run else lease, mine)
    return remaining


def _piece(
    client: Client, kept: Kept, span: Span, lines: Lines, lease: Lease | None, of: Collection[Measure] | None
) -> int:
    """Repair a piece, or without a lease only look; how many sums differ then."""
    if lease:
        wait_until_idle(client, kept)
        lease.renew()
    found = difference(client, kept, span, of=of, between=lease.renew if lease else _nothing)
    if not found.differ:
        return 0
    before = totals(client, kept, span)
    if not lease:
        lines.add(kept, found, before, with_difference(before, kept, found))
        return found.differ
    add(client, kept, found, lease)
    lines.add(kept, found, before, totals(client, kept, span))
    return difference(client, kept, span, of=of, first=0).differ


def _nothing() -> None:
    """Keep no lease."""
