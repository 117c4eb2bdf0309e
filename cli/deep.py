"""What can be wrong with what a running stack has stored, each with its remedy."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.doctor import Finding
from cli.progress import progress

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.holding import Hold
    from hotline.settings import Settings
    from sinks.difference import Span
    from sinks.reconcile import Report

_REBUILD = 'keep the data folder as it is, and build the database anew: see the runbook, "Rebuild"'


def examine_stored(settings: "Settings") -> list[Finding]:
    """Check everything stored, piece by piece while the sink stands still for a moment. Changes nothing.

    Raises HoldError when the sink refuses to be held, and the client's errors.
    """
    from hotline.holding import Hold
    from sinks.connecting import connect

    hold = Hold.to_read(settings)
    # Not the reader, whose limits of time and memory are made for boards.
    with connect(settings, "writer") as client:
        with hold():
            findings = [*_sources(client), *_stocks(client)]
        findings += [*_filled(client), *_everything(client, settings, hold), *_lives(client)]
    if hold.notes:
        remedy = "compare again when the sink runs: see hotline status"
        return [Finding("sink", ok=False, found="; ".join(hold.notes), remedy=remedy), *findings]
    return findings


def _sources(client: "Client") -> Iterator[Finding]:
    from sinks.acceptances import given_up
    from sinks.checkup import chains, events_lost, marks_off

    found = chains(client)
    for chain in found:
        if not chain.sound:
            where = f"{chain.topic}[{chain.partition}] log {chain.log}"
            what = f"{chain.gaps:,} gaps, {chain.doubles:,} doubles, {chain.uneven:,} with another number of verdicts"
            yield Finding(
                "accepted sources", ok=False, found=f"{where}: {what}", remedy=f"figures lack data: {_REBUILD}"
            )
    if all(chain.sound for chain in found):
        outputs = sum(chain.outputs for chain in found)
        yield Finding("accepted sources", ok=True, found=f"{outputs:,} in {len(found)} logs, each once")
    if gaps := given_up(client):
        what = f"{sum(gap.records for gap in gaps):,} records in {len(gaps)} gaps"
        yield Finding("given up", ok=True, found=f"{what}: hotline gaps list names them")
    for off in marks_off(client):
        what = f"{off.topic}[{off.partition}]: the mark says {off.mark}, the last account {off.account}"
        yield Finding("marks", ok=False, found=what, remedy=_REBUILD)
    for lost in events_lost(client):
        what = f"{lost.table}: accounts speak of {lost.accounted:,} new events, {lost.stored:,} are there"
        yield Finding("accounts against events", ok=False, found=what, remedy=_REBUILD)


def _stocks(client: "Client") -> Iterator[Finding]:
    from sinks.checkup import stocks

    for stock in stocks(client):
        ok = stock.by_sums == stock.by_rows
        what = f"{stock.by_rows:,} by rows" + ("" if ok else f", {stock.by_sums:,} by sums")
        remedy = "" if ok else "the sums of some time are wrong: see the finding on sums, and repair those"
        yield Finding(f"stock {stock.kpi}", ok=ok, found=what, remedy=remedy)


def _filled(client: "Client") -> Iterator[Finding]:
    from sinks.repair import unfilled

    names = [f"{kept.table}.{measure.column}" for kept, missing in unfilled(client).items() for measure in missing]
    if names:
        what = f"{', '.join(names)} are not: their KPIs have no value, and they differ below"
        yield Finding("filled columns", ok=False, found=what, remedy="hotline migrate fills them, in place of a repair")


def _everything(client: "Client", settings: "Settings", hold: "Hold") -> Iterator[Finding]:
    from hotline.working_time import load_working_time
    from sinks.checkup import stored_span
    from sinks.difference import instant
    from sinks.reconcile import reconcile

    span = stored_span(client)
    if span is None:
        yield Finding("sums against rows", ok=True, found="nothing is stored")
        return
    working = load_working_time(settings)
    with progress("comparing") as advance:
        first, end = instant(span[0]), instant(span[1])
        report = reconcile(client, first, end, settings.zone, working=working, hold=hold, progress=advance)
    yield from _compared(report, span, ZoneInfo(settings.zone))


def _compared(report: "Report", span: "Span", zone: ZoneInfo) -> Iterator[Finding]:
    from sinks.difference import instant

    all_ = _period(instant(span[0]), instant(span[1] - 1), zone)
    sums = f"{report.sums_differ:,} differ of {report.cells:,} cells from {all_.replace('..', ' to ')}"
    wrong = _period(report.sums_differ_first_at, report.sums_differ_last_at, zone)
    remedy = f"hotline repair --period {wrong} --dry-run shows them, without --dry-run it adds what is missing"
    yield Finding("sums against rows", ok=not report.sums_differ, found=sums, remedy=remedy if wrong else "")
    rows = f"{report.rows_differ:,} differ of {report.rows:,} rows of {report.events:,} events"
    born = [one.born_at for one in report.fields]
    first = _period(min(born), max(born), zone) if born else ""
    remedy = f"hotline reconcile --period {first} names the first; {_REBUILD}"
    yield Finding("rows against events", ok=not report.rows_differ, found=rows, remedy=remedy if first else "")
    if report.ids_born_twice:
        what = f"{report.ids_born_twice:,}, each birth a call or ticket of its own"
        yield Finding("ids born twice", ok=True, found=f"{what}; hotline reconcile names them")
    for note in report.notes:
        yield Finding("comparison", ok=True, found=note)


def _period(first: datetime | None, last: datetime | None, zone: ZoneInfo) -> str:
    """Write whole local days as a period; empty when there are none."""
    if first is None or last is None:
        return ""
    after = last.astimezone(zone).date() + timedelta(days=1)
    return f"{first.astimezone(zone).date()}..{after}"


def _lives(client: "Client") -> Iterator[Finding]:
    from sinks.checkup import odd_lives

    for odd in odd_lives(client):
        what = f"{odd.count:,} {odd.subject}, such as {odd.example}"
        if odd.impossible:
            yield Finding(
                f"impossible: {odd.name}", ok=False, found=what, remedy=f"no events give such a row: {_REBUILD}"
            )
        else:
            yield Finding(odd.name, ok=True, found=f"{what}: its source did not send every step")
