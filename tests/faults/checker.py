"""The last word on a story: what the database must hold, folded and summed in plain Python from the events themselves.

Shares no code with the pipeline but what is data in itself: the names of columns, and the hashes by which equal
statements are known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from hotline.catalogue import KPIS, Grain, Quantile
from hotline.events import keys
from hotline.fold import FOLD_VERSION
from hotline.names import EVENTS_TOPICS
from hotline.subjects import SUBJECTS, TICKETS, Subject
from tests.faults import figures
from tests.faults.letters import Letter, canonical, dead_of, letter, wrong, wrong_numbers
from tests.hotline import naive_fold
from tests.hotline.oracle import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Kpi, Measure
    from tests.faults.story import Story
    from tests.hotline.naive_fold import Working
    from tests.hotline.oracle import Part

Cell = tuple[str, str, datetime]
RECENT = timedelta(days=6)
"""Recent minutes are complete for longer than this."""


class Checker:
    """Compares one database with one story; every method raises AssertionError with the first differences."""

    def __init__(
        self,
        client: Client,
        story: Story,
        zone: str,
        partitions: int,
        *,
        working: Working | None = None,
        dead_besides: Iterable[bytes] = (),
    ) -> None:
        """`working`: rule and calendar; `dead_besides`: what was told besides the story, all of it no events."""
        self._client = client
        self._working = working
        self._dead_besides = set(map(canonical, dead_besides))
        self._story = story
        self._zone = ZoneInfo(zone)
        self._partitions = partitions
        self._members = {name: members_of(story, SUBJECTS[name]) for name in story.lives}
        self._rows = {name: naive_fold.fold(name, members, working) for name, members in self._members.items()}

    def check(self) -> None:
        """Check all there is."""
        for subject in SUBJECTS.values():
            self.events(subject)
            self.rows(subject)
            for kpi in _summed(subject):
                self.sums(kpi)
        self.account()
        self.letters()
        self.sources()

    def events(self, subject: Subject) -> None:
        """Every event is stored once, with all that it states. When intake received it depends on what broke."""
        columns = [*(name for name in subject.columns if name != "received_at"), "digest"]
        stored = Counter(self._read(subject.events_table, columns))
        told = Counter(tuple(event[name] for name in columns) for event in self._members[subject.name])
        _same(stored, told, subject.events_table)

    def rows(self, subject: Subject) -> None:
        """Every row is what its events say."""
        columns = self._columns(subject.rows_table)
        stored = Counter(self._read(f"{subject.rows_table} FINAL", columns))
        versions = self._versions(subject)
        folded = [{**row, "version": row["size"] << 24 | versions} for row in self._rows[subject.name].values()]
        _same(stored, Counter(tuple(row[name] for name in columns) for row in folded), subject.rows_table)

    def _versions(self, subject: Subject) -> int:
        """By which fold, rule and calendar rows of a subject were folded, as one number."""
        if subject is not TICKETS or self._working is None:
            return FOLD_VERSION << 16
        calendar: int = self._working.calendar.content["version"]
        return FOLD_VERSION << 16 | self._working.version << 8 | calendar

    def sums(self, kpi: Kpi) -> None:
        """Every cell of the sums behind a KPI is what its rows say, at the grain that is kept for ever and lately."""
        rows = [SimpleNamespace(**row) for row in self._rows[kpi.subject.name].values()]
        for measure, part in zip(kpi.measures, filter(None, PARTS[kpi.name]), strict=True):
            _same(
                self._stored_sums(kpi.subject.sums_table, measure),
                self._cells(rows, part, measure.grains),
                measure.name,
            )
            minutes = {kind: Grain.MINUTE for kind, grain in measure.grains.items() if grain is Grain.HOUR}
            since = datetime.now(UTC) - RECENT
            lately = {cell: units for cell, units in self._cells(rows, part, minutes).items() if cell[2] >= since}
            recent = self._stored_sums(kpi.subject.recent_table, measure)
            _same({cell: n for cell, n in recent.items() if cell[2] >= since}, lately, f"recent {measure.name}")

    def account(self) -> None:
        """Verdicts of each partition: each event counted once, each other statement of one revised once, no others.

        Of every output that is not of records that are gone, the verdicts are as many as its events; one that folds
        again what stands has none. Each told event got at least one.
        """
        sql = "SELECT topic, partition, sum(counted), sum(revised) FROM hotline.accounts GROUP BY ALL"
        found = {
            (topic, part): (counted, revised) for topic, part, counted, revised in self._client.query(sql).result_rows
        }
        _same(found, self._verdicts(), "verdicts")
        sql = (
            "SELECT topic, partition, offset, last - first AS events, counted + seen + revised + dead AS verdicts "
            "FROM hotline.accounts WHERE NOT given_up AND verdicts != if(startsWith(block_id, 'refold/'), 0, events) "
            "ORDER BY ALL"
        )
        odd = self._client.query(sql).result_rows
        assert not odd, f"{len(odd)} outputs have other verdicts than events, such as {odd[0]}"
        sql = "SELECT sum(counted + seen + revised + dead) FROM hotline.accounts"
        (verdicts,) = self._client.query(sql).result_rows[0]
        assert verdicts >= self._story.events, f"{verdicts} verdicts, {self._story.events} events were told"

    def letters(self) -> None:
        """Each told event that is none has its letter, as `letters.wrong` says it; each output those of its account."""
        sql = f"SELECT {', '.join(Letter._fields)} FROM hotline.dead_letters"  # noqa: S608
        stored = [letter(*row) for row in self._client.query(sql).result_rows]
        told = dead_of(self._story)
        assert told.total() == self._story.dead > 0
        found = wrong(stored, told, self._dead_besides)
        assert not found, f"{len(found)} dead letters are wrong, such as {found[:2]}"
        sql = "SELECT topic, partition, log, offset, first, last, dead FROM hotline.accounts WHERE NOT given_up"
        odd = wrong_numbers(stored, self._client.query(sql).result_rows)
        assert not odd, f"{len(odd)} outputs have other dead letters than their accounts say, such as {odd[:2]}"

    def _verdicts(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Topic and partition → events, and statements besides the first of each."""
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for name, members in self._members.items():
            frame = self._story.lives[name]
            homes = dict(zip(_entities(frame), keys.partitions(keys.entity_keys(frame), self._partitions), strict=True))
            events: dict[int, Counter[Any]] = defaultdict(Counter)
            for event in members:
                entity = event["source"], event["entity"], event["born_at"]
                events[int(homes[entity])][entity, _named(event)] += 1
            for home, statements in events.items():
                found[EVENTS_TOPICS[name], home] = len(statements), statements.total() - len(statements)
        return found

    def figures(self, answers: Sequence[dict[str, Any]]) -> None:
        """Every KPI is what its rows say; `answers` are those to the question `figures.asked`."""
        rows = {name: [SimpleNamespace(**row) for row in folded.values()] for name, folded in self._rows.items()}
        wrong = figures.differing(answers, rows)
        assert not wrong, f"{len(wrong)} of {len(answers)} figures differ, such as {wrong[:3]}"

    def sources(self) -> None:
        """Accepted outputs follow one another in each partition: no gap, no double."""
        sql = "SELECT topic, partition, log, offset, first, last, final, given_up FROM hotline.accounts ORDER BY ALL"
        due: dict[tuple[str, int], tuple[int, int, int]] = {}
        for topic, partition, log, offset, first, last, final, given_up in self._client.query(sql).result_rows:
            at, place = (topic, partition), (log, offset, first)
            begins = offset == first == 0 and log > due.get(at, (0, 0, 0))[0]
            assert begins or place == due.get(at), f"{at}: {place} was accepted where {due.get(at)} was due"
            due[at] = (log, offset + max(given_up, 1), 0) if final else (log, offset, last)

    def _cells(self, rows: Iterable[Any], part: Part, grains: Any) -> dict[Cell, int]:
        found: dict[Cell, int] = defaultdict(int)
        for row in rows:
            for at, units in _units([row], part):
                for kind, grain in grains.items():
                    found[kind, "" if kind == "all" else getattr(row, kind), self._floor(at, grain)] += units
        return {cell: units for cell, units in found.items() if units}

    def _floor(self, at: datetime, grain: Grain) -> datetime:
        local = at.astimezone(self._zone)
        floor = local.replace(second=0) if grain is Grain.MINUTE else local.replace(minute=0, second=0)
        return floor.astimezone(UTC)

    def _stored_sums(self, table: str, measure: Measure) -> dict[Cell, int]:
        sql = (
            f"SELECT scope_kind, scope, toUnixTimestamp(at), sum({measure.column}) AS units "  # noqa: S608
            f"FROM hotline.{table} GROUP BY ALL HAVING units != 0"
        )
        found = self._client.query(sql).result_rows
        return {(kind, scope, datetime.fromtimestamp(at, UTC)): units for kind, scope, at, units in found}

    def _columns(self, table: str) -> list[str]:
        sql = "SELECT name FROM system.columns WHERE database = 'hotline' AND table = {table:String} ORDER BY position"
        found = [name for (name,) in self._client.query(sql, parameters={"table": table}).result_rows]
        assert found, table
        return [name for name in found if name != "partition"]

    def _read(self, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
        sql = f"SELECT {', '.join(columns)} FROM hotline.{table}"  # noqa: S608  names of ours
        for row in self._client.query(sql).result_rows:
            yield tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)


def members_of(story: Story, subject: Subject) -> list[dict[str, Any]]:
    """The events of a story, each once, with the number by which those of equal time and rank are ordered."""
    frame = story.lives[subject.name]
    keyed = frame.with_columns(pl.Series("key", keys.event_keys(frame)))
    found = {}
    for event in keyed.iter_rows(named=True):
        entity = event["source"], event["entity"], event["born_at"]
        found[entity, _named(event), event["revision"], event["digest"]] = event
    assert len(found) > len(frame) / 2, f"{subject.name}: hardly any event is new"
    return list(found.values())


def _named(event: dict[str, Any]) -> Any:
    """What an event is called within its entity."""
    return event["id"] or (event["type"], event["occurred_at"])


def _entities(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.select("source", "entity", "born_at").rows()


def _summed(subject: Subject) -> list[Kpi]:
    return [kpi for kpi in KPIS.values() if kpi.subject is subject and not isinstance(kpi.numerator, Quantile)]


def _units(rows: Iterable[Any], part: Part) -> Iterator[tuple[datetime, int]]:
    at, units_of = part
    for row in rows:
        units = units_of(row)
        if units:
            yield getattr(row, at), units


def _same(stored: Any, wanted: Any, what: str) -> None:
    """Compare two counts by what they count."""
    differing = [key for key in {**stored, **wanted} if stored.get(key, 0) != wanted.get(key, 0)]
    shown = [(key, f"stored {stored.get(key, 0)}", f"right {wanted.get(key, 0)}") for key in differing[:3]]
    assert not differing, f"{what}: {len(differing)} differ, such as {shown}"
