"""What live values must be, read from rows one at a time: the second reading of all that roll does."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from hotline import ipc
from hotline.accept import Accepted
from hotline.catalogue import ALL, KPIS, Kpi, Quantile, Stock, measures
from hotline.contributions import Changes, contributions
from hotline.live import Live
from hotline.measured import UNKNOWN, Measured, Source, Verdicts, Versions
from hotline.names import EVENTS_TOPICS, MEASURED_TOPICS
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import ALL_MINUTES, DAY_S, NOW, WINDOWS, span
from streams.roll.scopes import Scopes
from streams.roll.state import Read, State
from tests.hotline.random_events import BIRTHS
from tests.hotline.random_rows import rows, structs

if TYPE_CHECKING:
    from datetime import datetime

Value = tuple[int, int | None, float | int | None]
"""Numerator, denominator, value."""
Sums = Counter[tuple[str, str, str]]
"""By column, scope kind and scope."""
Key = tuple[str, str, str, str]
"""KPI, window, scope kind, scope."""
ENTITIES, SEED, PIECES = 250, 5, 5


class Added(NamedTuple):
    """What one row adds to one sum."""

    column: str
    kind: str
    scope: str
    at_s: int
    value: int


@functools.cache
def added(subject: Subject) -> list[Added]:
    """Everything that random rows add."""
    return list(_added(subject))


def _added(subject: Subject) -> Iterator[Added]:
    for row in structs(subject, rows(subject, SEED, ENTITIES)):
        for measure in measures(subject):
            at: datetime | None = getattr(row, measure.at.name)
            if at is None or not (value := measure.of(row)):
                continue
            for kind in measure.grains:
                scope = "" if kind == ALL else getattr(row, kind)
                yield Added(measure.column, kind, scope, int(at.timestamp()), value)


def values(zone: str, at_s: int) -> dict[Key, Value]:
    """Every value that is of something at an instant."""
    subjects = SUBJECTS.values()
    return {key: value for subject in subjects for key, value in values_of(subject, _sums(subject, zone, at_s)).items()}


def values_of(subject: Subject, sums: Mapping[str, Sums]) -> dict[Key, Value]:
    """Every value of something, of one subject, by its sums over each window."""
    found: dict[Key, Value] = {}
    for window, over in sums.items():
        for kpi in KPIS.values():
            if kpi.subject is subject and _is_over(kpi, window):
                found |= {(kpi.name, window, *scope): of for scope, of in _of_kpi(kpi, over).items()}
    return found


def _sums(subject: Subject, zone: str, at_s: int) -> dict[str, Sums]:
    spans = {window.name: span(window, at_s, ZoneInfo(zone)) for window in WINDOWS}
    spans[NOW] = (-(10**12), spans["5min"][1])
    found: dict[str, Sums] = {window: Counter() for window in spans}
    for one in added(subject):
        for window, (start, end) in spans.items():
            if start <= one.at_s < end:
                found[window][one.column, one.kind, one.scope] += one.value
    return found


def _is_over(kpi: Kpi, window: str) -> bool:
    return not isinstance(kpi.numerator, Quantile) and isinstance(kpi.numerator, Stock) == (window == NOW)


def _of_kpi(kpi: Kpi, sums: Sums) -> dict[tuple[str, str], Value]:
    scopes = {(kind, scope) for column, kind, scope in sums if column in {m.column for m in kpi.measures}}
    found: dict[tuple[str, str], Value] = {}
    for kind, scope in scopes:
        numbers = [sums[measure.column, kind, scope] for measure in kpi.measures]
        if isinstance(kpi.numerator, Stock):
            numbers = [numbers[0] - numbers[1]]
        above, below = numbers[0], numbers[1] if kpi.denominator else None
        if above or below:
            found[kind, scope] = (above, below, kpi.value(above, below))
    return found


def of_record(record: Live) -> dict[Key, Value]:
    """The values of a record, the empty ones too."""
    return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6]) for row in record.frame().iter_rows()}


def of_something(found: dict[Key, Value]) -> dict[Key, Value]:
    """Values without those of nothing."""
    return {key: value for key, value in found.items() if value[0] or value[1]}


def merged(records: Iterable[Live]) -> dict[Key, Value]:
    """What a reader knows after some records."""
    known: dict[Key, Value] = {}
    for record in records:
        if record.full and record.values:
            known = {}
        known |= of_record(record)
    return of_something(known)


@functools.cache
def changes(subject: Subject, zone: str, minutes_from: int) -> list[Changes]:
    """Changes of the sums by random rows, in pieces: the second half of them in place of rows that were others."""
    new, other = rows(subject, SEED, ENTITIES), rows(subject, SEED + 1, ENTITIES)
    parts = [new[place::PIECES] for place in range(PIECES)]
    found = [contributions(subject, part, part.clear(), zone, minutes_from=minutes_from) for part in parts]
    same = other.join(parts[0].select("born_at", "entity_key"), on=["born_at", "entity_key"], how="semi")
    before = contributions(subject, same, same.clear(), zone, minutes_from=minutes_from)
    found[0] = contributions(subject, parts[0], same, zone, minutes_from=minutes_from)
    return [before, *found]


def empty_state(zone: str, at_s: int) -> State:
    read = {(topic, 0): Read(log=1, offset=0, accepted=Accepted()) for topic in MEASURED_TOPICS.values()}
    return State(ZoneInfo(zone), at_s, Scopes([(ALL, "")]), read)


def take(state: State, subject: Subject, piece: Changes, minutes_from: int, *, newest_at: int | None = None) -> None:
    """Have a state take in the output of measure that comes next."""
    at = MEASURED_TOPICS[subject.name], 0
    source = state.read[at].accepted.next_offset
    state.take(
        at, state.read[at].offset, output(subject, piece, minutes_from, source=source, newest_at=newest_at).encode()
    )


def output(
    subject: Subject,
    piece: Changes,
    minutes_from: int,
    *,
    source: int,
    deployment: int = 1,
    output_id: int = UNKNOWN,
    upon: int = UNKNOWN,
    newest_at: int | None = None,
) -> Measured:
    """What measure would have written of the record at the offset `source`, had it changed the sums so."""
    found = {subject.sums_table: piece.sums, subject.recent_table: piece.recent}
    return Measured(
        source=Source(
            log=1,
            topic=EVENTS_TOPICS[subject.name],
            partition=0,
            offset=source,
            first=0,
            last=1,
            final=True,
            block_id=f"block {source}",
            output_id=output_id,
            upon=upon,
        ),
        verdicts=Verdicts(counted=1),
        versions=Versions(deployment=deployment, fold=1),
        newest_at=source if newest_at is None else newest_at,
        minutes_from=minutes_from,
        tables={table: ipc.encode(frame) for table, frame in found.items() if len(frame)},
    )


def random_state() -> State:
    """The state after all random rows, in the middle of them."""
    at_s = int(BIRTHS[0].timestamp()) + DAY_S
    state = empty_state("Asia/Shanghai", at_s)
    for subject in SUBJECTS.values():
        for piece in changes(subject, "Asia/Shanghai", ALL_MINUTES):
            take(state, subject, piece, ALL_MINUTES)
    return state
