"""Repair on the real engine: whatever is wrong in the sums, one repair makes them what the rows give, once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.brokers import EmbeddedBroker
from hotline.catalogue import measures, scope_kinds
from hotline.holding import Hold, HoldError, Lease, no_hold
from hotline.names import ACCOUNTS_TABLE, DATABASE, MIGRATIONS_TABLE, REPAIRS_TABLE
from hotline.settings import Settings
from hotline.subjects import CALLS, SUBJECTS, TICKETS, Subject
from sinks.connecting import connect
from sinks.difference import as_sums, difference, kept_tables, outward, recent_start
from sinks.difference.kept import RECENT_MADE_BY, Kept
from sinks.inserting import Until, columns_of, send
from sinks.migrations import migrations
from sinks.reconcile import reconcile
from sinks.repair import RepairError, RepairReport, adding, repair
from tests.hotline.random_events import BIRTHS
from tests.sinks.cities import City
from tests.sinks.lossy import lossy_wire
from tests.sinks.sinking import START, EngineProcess, stack_on, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

ZONE = "Asia/Shanghai"
ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SHIFT = NOW - timedelta(days=8, hours=12) - BIRTHS[0]
"""Lives begin before and after recent minutes do, and reach into the future."""
FROM, TO = NOW - timedelta(days=10), NOW + timedelta(days=10)
WITHIN_S = 60


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process:
        yield process


@pytest.fixture(scope="module")
def city(engine: EngineProcess) -> Iterator[City]:
    """One city for all tests, which leave it as they found it: that is what they say."""
    with engine.client() as client:
        made = City(client, ZONE, SHIFT)
        assert _equal(made)
        yield made


class Damage(NamedTuple):
    """So many units too much in one sum."""

    kept: Kept
    kind: str
    scope: str
    minute: int
    place: int
    units: int

    def at(self) -> datetime:
        return FROM + timedelta(minutes=self.minute)

    def column(self) -> str:
        return measures(self.kept.subject)[self.place].column


tables = st.sampled_from([kept for subject in SUBJECTS.values() for kept in kept_tables(subject)])


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    kept = draw(tables)
    return Damage(
        kept=kept,
        kind=draw(st.sampled_from([*scope_kinds(kept.subject), "channel"])),
        scope=draw(st.sampled_from(["", "a", "姑苏'区\\"])),
        minute=draw(st.integers(0, 20 * 24 * 60 - 1)),
        place=draw(st.integers(0, len(measures(kept.subject)) - 1)),
        units=draw(st.sampled_from([1, -1, 7, -40_000])),
    )


def _do(city: City, done: Damage) -> None:
    city.add_to_sum(
        done.kept.subject, (done.kind, done.scope), done.at(), done.column(), done.units, recent=done.kept.recent
    )


def _repair(city: City, **more: Any) -> RepairReport:
    return repair(city.client, FROM, TO, ZONE, **{"hold": no_hold, **more})


def _equal(city: City) -> bool:
    found = reconcile(city.client, FROM, TO, ZONE)
    assert found.cells > 1_000
    return found.equal


def _sums(city: City) -> dict[str, Counter[Any]]:
    """Every sum that is not 0, of every table; recent minutes as far as they are whole."""
    start = recent_start(city.client, ZONE).at_s
    found: dict[str, Counter[Any]] = {}
    for subject in SUBJECTS.values():
        for kept in kept_tables(subject):
            columns = [measure.column for measure in measures(subject)]
            since = start if kept.recent else 0
            sql = (
                f"SELECT scope_kind, scope, toUnixTimestamp(at), {', '.join(f'sum({name})' for name in columns)} "  # noqa: S608
                f"FROM {DATABASE}.{kept.table} WHERE at >= toDateTime({since:d}) GROUP BY ALL"
            )
            rows = city.client.query(sql).result_rows
            found[kept.table] = Counter(
                {(*row[:3], name): value for row in rows for name, value in zip(columns, row[3:], strict=True) if value}
            )
    return found


def _is_kept(city: City, done: Damage) -> bool:
    start = recent_start(city.client, ZONE).at_s
    return not done.kept.recent or done.at().timestamp() >= start


@given(st.lists(damages(), min_size=1, max_size=12))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_damage_one_repair_gives_the_sums_back_and_a_second_adds_nothing(
    city: City, wrong: list[Damage]
) -> None:
    good = _sums(city)
    for one in wrong:
        _do(city, one)
    expected: Counter[Any] = Counter()
    for one in filter(lambda one: _is_kept(city, one), wrong):
        expected[one.kept, one.kind, one.scope, one.at(), one.column()] -= one.units
    expected = Counter({cell: units for cell, units in expected.items() if units})
    shown = _repair(city, dry_run=True)
    assert (shown.sums, shown.remaining) == (len(expected), len(expected))
    damaged = _sums(city)
    done = _repair(city)
    assert (done.sums, done.remaining, done.clean) == (len(expected), 0, True)
    assert sum(line.difference for line in done.lines) == sum(expected.values())
    assert [(line.before, line.difference, line.after) for line in done.lines] == [
        (line.before, line.difference, line.before + line.difference) for line in done.lines
    ]
    assert done.lines == shown.lines
    assert (damaged == good) == (not expected)
    assert _sums(city) == good
    again = _repair(city)
    assert (again.sums, again.lines, again.clean) == (0, [], True)


def test_random_damage_is_in_recent_minutes_too_and_they_are_not_empty(city: City) -> None:
    """Or the test above would say little."""
    sums = _sums(city)
    assert all(len(found) > 300 for found in sums.values()), {name: len(found) for name, found in sums.items()}
    draw = random.Random(3)
    wrong = [Damage(Kept(TICKETS, recent=True), "department", "a", draw.randrange(14_400), 0, 1) for _ in range(20)]
    assert 3 < sum(_is_kept(city, one) for one in wrong) < 20


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_sums_that_are_all_gone_come_back(city: City, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "ROWS_MAX", 100)
    good = _sums(city)
    for kept in kept_tables(subject):
        city.client.command(f"TRUNCATE TABLE {DATABASE}.{kept.table}")
    done = _repair(city)
    assert (done.remaining, done.sums) == (0, sum(len(good[kept.table]) for kept in kept_tables(subject)))
    assert {line.grain for line in done.lines} == {"minute", "hour", "recent minute"}
    assert {line.before for line in done.lines} == {0}
    assert _sums(city) == good


def test_a_dry_run_changes_nothing_and_says_that_something_remains(city: City) -> None:
    wrong = Damage(Kept(CALLS), "line", "a", 5_000, 2, 3)
    _do(city, wrong)
    before = _sums(city), _notes(city.client)
    shown = _repair(city, dry_run=True)
    assert (shown.sums, shown.remaining, shown.clean, shown.dry_run) == (1, 1, False, True)
    (line,) = shown.lines
    assert (line.subject, line.scope_kind, line.grain, line.difference) == ("calls", "line", "minute", -3)
    assert line.kpis
    assert (_sums(city), _notes(city.client)) == before
    assert _repair(city).clean


def test_the_same_damage_again_is_repaired_again(city: City) -> None:
    good = _sums(city)
    for _ in range(3):
        _do(city, Damage(Kept(CALLS), "all", "", 14_000, 0, 1))
        assert _repair(city).sums == 1
    assert _sums(city) == good


def test_only_the_period_is_repaired(city: City) -> None:
    early, late = Damage(Kept(CALLS), "all", "", 600, 0, 1), Damage(Kept(CALLS), "all", "", 6_000, 0, 1)
    for one in (early, late):
        _do(city, one)
    hour = timedelta(hours=1)
    assert repair(city.client, early.at(), early.at() + hour, ZONE, hold=no_hold).sums == 1
    assert repair(city.client, late.at(), late.at() + hour, ZONE, hold=no_hold).sums == 1
    assert _repair(city).sums == 0


def test_every_repair_is_noted_before_anything_is_added(city: City) -> None:
    before = _notes(city.client)
    _do(city, Damage(Kept(CALLS), "all", "", 7_000, 0, 1))
    _do(city, Damage(Kept(CALLS), "line", "a", 8_000, 1, 2))
    _repair(city)
    new = _notes(city.client) - before
    ((table, first, last, sums),) = new
    assert (table, sums) == (CALLS.sums_table, 2)
    assert last - first == timedelta(minutes=1_000)
    _repair(city)
    assert _notes(city.client) - before == new


def _notes(client: Client) -> set[tuple[Any, ...]]:
    sql = f"SELECT sums_table, first_at, last_at, sums FROM {DATABASE}.{REPAIRS_TABLE}"  # noqa: S608
    return {tuple(row) for row in client.query(sql).result_rows}


def test_rows_that_their_events_do_not_give_are_said_and_left(engine: EngineProcess) -> None:
    with engine.client() as client:
        city = City(client, ZONE, SHIFT)
        victim = city.rows(TICKETS)[0]
        client.command(
            f"ALTER TABLE {DATABASE}.{TICKETS.events_table} DELETE WHERE entity = '{victim['entity']}'",
            settings={"mutations_sync": 1},
        )
        rows = city.rows(TICKETS)
        _do(city, Damage(Kept(TICKETS), "all", "", 9_000, 0, 1))
        done = _repair(city)
        assert (done.sums, done.remaining, done.rows.rows_differ, done.clean) == (1, 0, 1, False)
        assert city.rows(TICKETS) == rows
        City(client, ZONE, SHIFT)  # the city that the other tests know: lives are always the same


@pytest.mark.parametrize("times", [1, 1_000])
def test_an_insert_whose_answer_was_lost_is_not_added_twice(engine: EngineProcess, city: City, times: int) -> None:
    good = _sums(city)
    _do(city, Damage(Kept(CALLS), "all", "", 3_000, 0, 5))
    with lossy_wire(engine.port, b"INSERT INTO hotline.minute_sums_calls", times=times) as wire:
        told = Settings(data=engine.data, clickhouse_url=wire.url)
        with connect(told) as client:
            if times == 1:
                assert repair(client, FROM, TO, ZONE, hold=no_hold).clean
            else:
                with pytest.raises(RepairError, match="repair again"):
                    repair(client, FROM, TO, ZONE, hold=no_hold)
        assert wire.lost.is_set()
    assert _sums(city) == good
    assert _repair(city).sums == 0


CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from hotline.holding import no_hold
from hotline.settings import Settings
from sinks.connecting import connect
from sinks.repair import repair
data, url, zone, *period = sys.argv[1:]
with connect(Settings(data=Path(data), clickhouse_url=url)) as client:
    repair(client, *map(datetime.fromisoformat, period), zone, hold=no_hold)
"""


@pytest.mark.parametrize("losing", [b"INSERT INTO hotline.repairs", b"INSERT INTO hotline.minute_sums_tickets"])
def test_a_repair_killed_between_an_insert_and_its_answer_can_be_repeated(
    engine: EngineProcess, city: City, losing: bytes
) -> None:
    good = _sums(city)
    _do(city, Damage(Kept(TICKETS), "all", "", 4_000, 0, 5))
    with lossy_wire(engine.port, losing, times=1, stalls=True) as wire:
        told = [str(engine.data), wire.url, ZONE, FROM.isoformat(), TO.isoformat()]
        child = subprocess.Popen([sys.executable, "-c", CHILD, *told], cwd=ROOT)
        try:
            assert wire.lost.wait(WITHIN_S)
        finally:
            child.kill()
            child.wait()
    assert _repair(city).clean
    assert _sums(city) == good


def test_an_insert_that_a_dead_repair_left_running_is_waited_for(engine: EngineProcess, city: City) -> None:
    good = _sums(city)
    at = int(FROM.timestamp())
    column = measures(CALLS)[0].column
    slow = (
        f"INSERT INTO {DATABASE}.{CALLS.sums_table} (scope_kind, scope, at, {column}) "  # noqa: S608
        f"SELECT 'all', '', toDateTime({at}), 1 + sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1"
    )

    def run() -> None:
        with engine.client() as client:
            client.command(slow)

    running = threading.Thread(target=run)
    running.start()
    under_way = "SELECT count() FROM system.processes WHERE query_kind = 'Insert'"
    wait_until(lambda: bool(city.client.query(under_way).result_rows[0][0]))
    with pytest.raises(RepairError, match="still runs"):
        adding.wait_until_idle(city.client, Kept(CALLS), within_s=0)
    adding.wait_until_idle(city.client, Kept(TICKETS), within_s=0)
    done = _repair(city)
    running.join()
    assert (done.sums, [line.difference for line in done.lines]) == (1, [-3])
    assert _sums(city) == good


def test_the_difference_of_one_measure_is_what_its_column_lacks(city: City) -> None:
    """As for a column that is new and to be filled, beside others that are right or wrong."""
    chosen, other = measures(TICKETS)[0], measures(TICKETS)[5]
    good = _sums(city)
    kept = Kept(TICKETS)
    wrong = [Damage(kept, "line", "a", 3_000, measures(TICKETS).index(measure), 2) for measure in (chosen, other)]
    for one in wrong:
        _do(city, one)
    found = difference(city.client, kept, outward(FROM, TO, ZONE), of=[chosen])
    at_s = int(wrong[0].at().timestamp())
    assert found.sums.rows() == [(chosen.column, "line", "a", at_s, *found.sums.row(0)[4:])]
    assert (found.differ, found.edges) == (1, (at_s, at_s))
    rows = as_sums(found.sums)
    assert rows.columns == ["scope_kind", "scope", "at", chosen.column]
    assert rows[chosen.column].to_list() == [-2]
    assert _repair(city).sums == 2
    assert _sums(city) == good


def _leased(lease: Lease) -> Any:
    @contextmanager
    def hold() -> Iterator[Lease]:
        yield lease

    return hold


def test_without_the_sink_or_its_lease_or_under_an_old_epoch_nothing_is_added(city: City) -> None:
    good = _sums(city)
    _do(city, Damage(Kept(CALLS), "all", "", 2_000, 0, 5))
    damaged = _sums(city)
    with pytest.raises(RepairError, match="no sink"):
        _repair(city, hold=_leased(Lease(epoch=None)))
    with pytest.raises(HoldError, match="went on"):
        _repair(city, hold=_leased(Lease(epoch=0, renew=lambda: False)))
    epochs = f"{DATABASE}.sink_epochs"
    city.client.command(f"INSERT INTO {epochs} (epoch, claim) VALUES (8, 'another')")  # noqa: S608
    try:
        with pytest.raises(RepairError, match="started again"):
            _repair(city, hold=_leased(Lease(epoch=7)))
        assert _sums(city) == damaged
        assert _repair(city, hold=_leased(Lease(epoch=8))).clean
    finally:
        city.client.command(f"TRUNCATE TABLE {epochs}")
    assert _sums(city) == good


def test_a_statement_that_begins_too_late_does_nothing(city: City) -> None:
    good = _sums(city)
    _do(city, Damage(Kept(CALLS), "all", "", 2_000, 0, 5))
    damaged = _sums(city)
    kept = Kept(CALLS)
    *_, insert = adding._inserts(kept, difference(city.client, kept, outward(FROM, TO, ZONE)))
    now = int(city.client.query("SELECT toUnixTimestamp(now())").result_rows[0][0])
    send(city.client, insert, columns_of(city.client, insert.table), 0, Until(now - 1, 10))
    assert _sums(city) == damaged
    assert _repair(city).clean
    assert _sums(city) == good


def test_a_database_that_is_older_than_recent_minutes_is_compared_from_its_upgrade_on(engine: EngineProcess) -> None:
    with engine.client() as client:
        city = City(client, ZONE, SHIFT)
        upgraded = NOW - timedelta(days=2)
        upgraded_s = int(upgraded.timestamp())
        client.command(
            f"ALTER TABLE {DATABASE}.{MIGRATIONS_TABLE} UPDATE applied_at = toDateTime({upgraded_s}) "
            f"WHERE name = '{RECENT_MADE_BY}'",
            settings={"mutations_sync": 1},
        )
        for subject in SUBJECTS.values():
            client.command(
                f"ALTER TABLE {DATABASE}.{subject.recent_table} DELETE WHERE at < toDateTime({upgraded_s})",
                settings={"mutations_sync": 1},
            )
        assert not _equal(city), "nothing says that they are not there for a reason"
        client.command(
            f"INSERT INTO {DATABASE}.{ACCOUNTS_TABLE} (topic, stored_at) "  # noqa: S608
            f"VALUES ('hotline.calls', toDateTime({upgraded_s - 1}))"
        )
        found = reconcile(client, FROM, TO, ZONE)
        assert found.equal
        assert "older than its recent minutes" in " ".join(found.notes)
        assert recent_start(client, ZONE).at_s > upgraded_s
        City(client, ZONE, SHIFT, anew=True)


def test_the_migration_that_made_recent_minutes_is_known_by_its_name() -> None:
    made = [one.name for one in migrations() if f"{CALLS.recent_table} (" in one.text]
    assert made == [RECENT_MADE_BY]


def test_repair_under_traffic_with_a_real_sink_adds_once_and_loses_nothing(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker, stack_on(broker, tmp_path) as stack:
        sink = stack.sink()
        sink.start()
        stack.send(stack.outputs.round())
        stack.await_stored(sink)
        column = measures(CALLS)[0].column
        with stack.engine.client() as client:
            for units in (5, -3):
                client.command(
                    f"INSERT INTO {DATABASE}.minute_sums_calls (scope_kind, scope, at, {column}) "  # noqa: S608
                    f"SELECT 'line', '12345', toDateTime({int(START.timestamp())}) + number * 60, {units} "
                    "FROM numbers(40)"
                )
            ended = threading.Event()

            def traffic() -> None:
                while not ended.is_set():
                    stack.send(stack.outputs.round())

            sending = threading.Thread(target=traffic)
            sending.start()
            period = (START - timedelta(hours=1), START + timedelta(days=1))
            hold = Hold(sink.settings)
            try:
                done = repair(client, *period, ZONE, hold=hold)
                again = repair(client, *period, ZONE, hold=hold)
            finally:
                ended.set()
                sending.join()
            assert (done.clean, done.sums, hold.notes) == (True, 40, [])
            assert sum(line.difference for line in done.lines) == -80
            assert (again.clean, again.sums) == (True, 0)
            stack.await_stored(sink)
            assert stack.outputs.made > 8, "there was traffic"
            assert reconcile(client, *period, ZONE, hold=hold).equal
