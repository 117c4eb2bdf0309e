"""The report of a soak: one page that needs nothing else, with its pictures in it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import altair as alt
import msgspec
import polars as pl
import vl_convert

from tests.faults.faults import HOURS
from tests.faults.recovery import spread
from tests.soak.day import Day
from tests.soak.kills import Run
from tests.soak.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.soak.recording import Sample

WIDTH, HEIGHT = 760, 220
MIB = 2**20
DRAWN_MAX = 600
"""Samples in a picture, which has hardly more dots across."""
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; color: #1b1b1b }
table { border-collapse: collapse; width: 100% } td, th { padding: .25rem .6rem; text-align: left; vertical-align: top }
tr:nth-child(odd) td { background: #f4f4f4 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
svg { max-width: 100%; height: auto } .failed { color: #a40000; font-weight: 600 }
"""


class Soak(msgspec.Struct, frozen=True):
    """All that was done and how it ended; `failures` are those of the days and outages."""

    seed: int
    began_at: str
    runs: list[Run] = []
    days: list[Day] = []
    outages: list[Outage] = []
    failures: list[str] = []

    @property
    def failed(self) -> list[str]:
        """Everything that was not right."""
        return [
            *self.failures,
            *(f"{run.environment} {run.again}: {run.failure}" for run in self.runs if run.failure),
        ]


def page(soak: Soak) -> str:
    """Write the report."""
    body = [*_verdict(soak), *_kills(soak.runs), *_days(soak.days), *_outages(soak.outages)]
    title = f"Soak of {soak.began_at}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{''.join(body)}</body></html>\n"
    )


def _verdict(soak: Soak) -> Iterable[str]:
    killed, faults = sum(run.kills for run in soak.runs), sum(len(run.faults) for run in soak.runs)
    yield f"<p>Seed {soak.seed}. {killed} processes killed in {faults} faults, {len(soak.runs)} runs; "
    yield f"{len(soak.days)} compressed days, {len(soak.outages)} outages.</p>"
    if not soak.failed:
        yield "<p>Nothing lost, nothing doubled: every database held exactly what was told.</p>"
    for failure in soak.failed:
        yield f'<p class="failed">{html.escape(failure)}</p>'


def _kills(runs: Sequence[Run]) -> Iterable[str]:
    recoveries = [(fault, seconds) for run in runs for fault, seconds in run.recoveries]
    if not runs:
        return
    yield "<h2>Faults and recovery</h2>"
    if recoveries:
        yield "<p>Seconds from a kill, or from the end of another fault, until what was sent then was stored.</p>"
        yield _svg(_histogram(recoveries))
        yield _table(("fault", "times", "p50 s", "p95 s", "max s"), _by_fault(recoveries))
    rows = [
        (run.environment, str(run.seed), str(len(run.faults)), str(run.kills), run.failure or "right") for run in runs
    ]
    if any(run.killed for run in runs):
        yield "<h2>Processes killed</h2>" + _table(*_killed(runs))
    yield "<h2>What faults met</h2><p>Processes, connections, pieces and inserts that a fault broke.</p>"
    yield _table(("fault", "times", "met"), _met(runs))
    yield from (f"<p>Never on {name}: {', '.join(faults)}.</p>" for name, faults in undrawn(runs).items())
    yield "<h2>Runs</h2>" + _table(("environment", "seed", "faults", "kills", "database"), rows)


def _days(days: Sequence[Day]) -> Iterable[str]:
    for day in days:
        yield f"<h2>A day at {day.speed} times its pace, {day.broker} broker</h2>"
        account = day.account
        yield f"<p>{account['read']:,} events read, {account['counted']:,} counted, {account['seen']:,} seen again; "
        yield f"{day.instants} instants of live values equal to SQL. {day.simulated_s:,.0f} s passed, and "
        yield f"all of it was stored, in {day.passed_s:,.0f} s.</p>"
        yield from _memory(day.samples)
        yield from _recorded(day.samples)


def _outages(outages: Sequence[Outage]) -> Iterable[str]:
    for one in outages:
        yield f"<h2>The engine stood still for {one.ended_s - one.began_s:.0f} s, {one.broker} broker</h2>"
        yield f"<p>From second {one.began_s:.0f}, under full load; {one.account['read']:,} events, all stored. Memory "
        yield f"grew by {one.growth_bytes / MIB:.0f} MiB after its first minute.</p>"
        yield from _memory(one.samples, one.began_s)
        yield from _recorded(one.samples)


def _killed(runs: Sequence[Run]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Parts killed, by environment."""
    environments = list(dict.fromkeys(run.environment for run in runs))
    parts = dict.fromkeys(part for run in runs for part in sorted(run.killed))
    counts = {part: [_sum(runs, part, name) for name in environments] for part in parts}
    lines = [(part, *map(str, found), str(sum(found))) for part, found in counts.items()]
    together = [sum(column) for column in zip(*counts.values(), strict=True)]
    return ("process", *environments, "all"), [*lines, ("all processes", *map(str, together), str(sum(together)))]


def _sum(runs: Sequence[Run], part: str, environment: str) -> int:
    return sum(run.killed.get(part, 0) for run in runs if run.environment == environment)


def _met(runs: Sequence[Run]) -> list[Sequence[str]]:
    names = sorted({fault for run in runs for fault in run.faults})
    return [
        (name, str(sum(run.faults.count(name) for run in runs)), str(sum(run.bites.get(name, 0) for run in runs)))
        for name in names
    ]


def undrawn(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Environment → its faults that no run had; a few runs have them all."""
    drawn = {name: {fault for run in runs if run.environment == name for fault in run.faults} for name in HOURS}
    return {name: missing for name, of in HOURS.items() if (missing := sorted(of.keys() - drawn[name]))}


def _memory(samples: Sequence[Sample], began_s: float = 0.0) -> Iterable[str]:
    """What each process has at the beginning, at most, and in the end; and all together."""
    if not samples:
        return
    before = next((one for one in reversed(samples) if one.at_s < began_s), samples[0]).resident
    after = samples[-1].resident
    parts = dict.fromkeys(part for sample in samples for part in sample.resident)
    rows = [
        (part, _mib(before.get(part)), _mib(max(one.resident.get(part, 0) for one in samples)), _mib(after.get(part)))
        for part in parts
    ]
    peak = max(sum(one.resident.values()) for one in samples)
    together = ("all processes", _mib(sum(before.values())), _mib(peak), _mib(sum(after.values())))
    yield _table(("MiB of memory", "before", "peak", "after"), [*rows, together])


def _mib(size: int | None) -> str:
    """MiB; 0 of a process that does not run."""
    return f"{(size or 0) / MIB:.0f}"


def _recorded(samples: Sequence[Sample]) -> Iterable[str]:
    peak = max((sum(sample.resident.values()) for sample in samples), default=0)
    samples = samples[:: -(-len(samples) // DRAWN_MAX) or 1]
    memory = [
        {"second": sample.at_s, "MiB": size / MIB, "part": part}
        for sample in samples
        for part, size in sample.resident.items()
    ]
    yield f"<p>Memory of all parts together at most {peak / MIB:,.0f} MiB.</p>"
    yield _svg(_lines(memory, "MiB", "Memory by part"))
    disk = [{"second": sample.at_s, "MiB": sample.disk_bytes / MIB, "part": "data folder"} for sample in samples]
    yield _svg(_lines(disk, "MiB", "Disk"))
    lag = [{"second": one.at_s, "records": one.lag_records, "part": "sink"} for one in samples]
    yield _svg(_lines(lag, "records", "Records written and not stored"))


def _histogram(recoveries: Sequence[tuple[str, float]]) -> alt.Chart:
    frame = pl.DataFrame(recoveries, schema=["fault", "seconds"], orient="row")
    bars = alt.Chart(frame, title="Recovery").mark_bar()
    drawn: alt.Chart = bars.encode(
        alt.X("seconds:Q").bin(maxbins=40).title("seconds until caught up"), alt.Y("count()").title("faults")
    )
    return drawn


def _lines(rows: Sequence[Mapping[str, object]], value: str, title: str) -> alt.Chart:
    lines = alt.Chart(pl.DataFrame(rows, infer_schema_length=None), title=title).mark_line(interpolate="step-after")
    drawn: alt.Chart = lines.encode(
        alt.X("second:Q"), alt.Y(f"{value}:Q"), alt.Color("part:N").title(None), alt.StrokeDash("part:N").title(None)
    )
    return drawn


def _svg(chart: alt.Chart) -> str:
    drawn: str = vl_convert.vegalite_to_svg(chart.properties(width=WIDTH, height=HEIGHT).to_json())
    return drawn


def _by_fault(recoveries: Sequence[tuple[str, float]]) -> list[tuple[str, ...]]:
    by_fault: dict[str, list[float]] = {}
    for fault, seconds in recoveries:
        by_fault.setdefault(fault, []).append(seconds)
    by_fault = {"all": [seconds for _, seconds in recoveries], **dict(sorted(by_fault.items()))}
    return [(fault, str(len(took)), *(f"{one:.2f}" for one in spread(took))) for fault, took in by_fault.items()]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A column of numbers is set to the right, its head too."""
    kinds = [" class=n" if text.replace(".", "").isdigit() else "" for text in rows[0]]
    lines = [_line("th", head, kinds), *(_line("td", row, kinds) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _line(tag: str, texts: Sequence[str], kinds: Sequence[str]) -> str:
    cells = (f"<{tag}{kind}>{html.escape(text)}</{tag}>" for text, kind in zip(texts, kinds, strict=True))
    return f"<tr>{''.join(cells)}</tr>"
