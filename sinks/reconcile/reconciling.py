"""All comparisons of a period, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from hotline.holding import Holding, no_hold
from hotline.subjects import SUBJECTS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime
from hotline.zones import zone as zone_of
from sinks.reconcile.births import two_births
from sinks.reconcile.report import DIFFERENCES_MAX, Report
from sinks.reconcile.rows import compare_rows
from sinks.reconcile.spans import Piece, Span, birth_pieces, instant, outward, sum_pieces
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
) -> Report:
    """Recompute the sums and rows of a period and compare them with what is stored, to the last unit.

    The period is rounded outward to local hours of `zone`. Sums are those of its minutes and hours; rows are those of
    every birth day on which anything was born that happens or counts in it, folded with the rule and calendar of
    `working`. Each piece is compared under one hold.
    Raises ValueError for an unknown zone or an empty period, and the client's errors.
    """
    name = zone_of(zone).key
    span = outward(from_, to, name)
    report = Report(from_=instant(span[0]), to=instant(span[1]), notes=[], sums=[], fields=[], two_births=[])
    work = [piece for subject in SUBJECTS.values() for piece in _work(client, subject, span, name, working)]
    for done, (what, compare) in enumerate(work):
        progress(done, len(work), what)
        with hold():
            compare(report)
    progress(len(work), len(work), "done")
    report.equal = not report.sums_differ and not report.rows_differ
    return report


def _work(client: Client, subject: Subject, span: Span, zone: str, working: WorkingTime) -> Iterator[_Work]:
    for part in sum_pieces(client, subject, span, zone):
        yield f"sums of {subject.name}", partial(_sums, client, subject, part)
    for piece in birth_pieces(client, subject, span):
        yield f"rows of {subject.name}", partial(_rows, client, subject, piece, working)
    yield f"births of {subject.name}", partial(_births, client, subject, span)


def _sums(client: Client, subject: Subject, span: Span, report: Report) -> None:
    found = compare_sums(client, subject, span)
    report.cells += found.cells
    report.sums_differ += found.differ
    report.sums = (report.sums + found.first)[:DIFFERENCES_MAX]


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
