"""All comparisons of a period, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from hotline.catalogue import measures
from hotline.filled import FILLED_SQL, columns
from hotline.holding import Holding, no_hold
from hotline.subjects import SUBJECTS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from hotline.zone_names import zone as zone_of
from sinks.difference import Kept, Span, all_pieces, instant, kept_tables, outward, recent_start
from sinks.reconcile.births import two_births
from sinks.reconcile.pieces import Piece, birth_pieces
from sinks.reconcile.report import DIFFERENCES_MAX, Report
from sinks.reconcile.rows import compare_rows
from sinks.reconcile.sums import compare_sums

if TYPE_CHECKING:
    from datetime import datetime

    from clickhouse_connect.driver.client import Client

Progress = Callable[[int, int, str], None]
"""Called before each piece of work: pieces done, pieces in all, what comes."""
_Work = tuple[str, Callable[[Report], None]]


def reconcile(
    client: Client,
    from_: datetime,
    to: datetime,
    zone: str,
    *,
    working: WorkingTime = NO_WORKING_TIME,
    hold: Holding = no_hold,
    progress: Progress = lambda *_: None,
    sums: bool = True,
) -> Report:
    """Recompute the sums and rows of a period and compare them with what is stored, to the last unit.

    The period is rounded outward to local hours of `zone`. Sums are those of its minutes and hours, and of its recent
    minutes as far as they are whole; rows are those of every birth day on which anything was born that happens or
    counts in it, folded with the rule and calendar of `working`. Each piece is compared under one hold. Without `sums`
    only rows are compared.
    Raises ValueError for an unknown zone or an empty period, and the client's errors.
    """
    name = zone_of(zone).key
    span = outward(from_, to, name)
    report = Report(from_=instant(span[0]), to=instant(span[1]), notes=[], sums=[], fields=[], two_births=[])
    work = list(_sums_work(client, span, name, report)) if sums else []
    work += [piece for subject in SUBJECTS.values() for piece in _rows_work(client, subject, span, working)]
    for done, (what, compare) in enumerate(work):
        progress(done, len(work), what)
        with hold():
            compare(report)
    progress(len(work), len(work), "done")
    report.equal = not report.sums_differ and not report.rows_differ
    return report


def _sums_work(client: Client, span: Span, zone: str, report: Report) -> Iterator[_Work]:
    recent = recent_start(client, zone)
    pieces = all_pieces(client, span, zone, recent)
    report.notes += [*recent.notes_of(span), *_not_filled(client)]
    for kept, piece in pieces:
        what = f"{'recent minutes' if kept.recent else 'sums'} of {kept.subject.name} of {instant(piece[0]):%Y-%m}"
        yield what, partial(_sums, client, kept, piece)


def _not_filled(client: Client) -> list[str]:
    """Say which columns lack something that everybody knows of: nobody reads them, and repair is no remedy."""
    known = columns(client.query(FILLED_SQL).result_rows)
    names = [
        f"{kept.table}.{measure.column}"
        for subject in SUBJECTS.values()
        for kept in kept_tables(subject)
        for measure in measures(subject)
        if (kept.table, measure.column) not in known
    ]
    return [f"not filled yet, so they differ: {', '.join(names)}. hotline migrate fills them"] if names else []


def _rows_work(client: Client, subject: Subject, span: Span, working: WorkingTime) -> Iterator[_Work]:
    for piece in birth_pieces(client, subject, span):
        what = f"rows of {subject.name} of {instant(piece.span[0]):%Y-%m}"
        yield what, partial(_rows, client, subject, piece, working)
    yield f"births of {subject.name}", partial(_births, client, subject, span)


def _sums(client: Client, kept: Kept, span: Span, report: Report) -> None:
    found = compare_sums(client, kept, span)
    report.cells += found.cells
    report.sums_differ += found.differ
    edges = sorted([*found.edges, *filter(None, (report.sums_differ_first_at, report.sums_differ_last_at))])
    if edges:
        report.sums_differ_first_at, report.sums_differ_last_at = edges[0], edges[-1]
    report.sums = sorted([*report.sums, *found.first], key=lambda one: one.at)[:DIFFERENCES_MAX]


def _rows(client: Client, subject: Subject, piece: Piece, working: WorkingTime, report: Report) -> None:
    found = compare_rows(client, subject, piece, working)
    report.rows += found.rows
    report.events += found.events
    report.rows_differ += found.differ
    report.fields = (report.fields + found.first)[:DIFFERENCES_MAX]


def _births(client: Client, subject: Subject, span: Span, report: Report) -> None:
    count, first = two_births(client, subject, span)
    report.ids_born_twice += count
    report.two_births = (report.two_births + first)[:DIFFERENCES_MAX]
