"""Reconcile on the real engine: silent on good data, and every single thing that is wrong is named."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from hotline.blocks import REJECT_COLUMNS, complete
from hotline.catalogue import measures
from hotline.fold import fold, with_keys
from hotline.names import DATABASE
from hotline.subjects import CALLS, SUBJECTS, TICKETS, Subject
from hotline.zones import floor_local
from sinks.difference import spans
from sinks.reconcile import pieces, reconcile
from sinks.reconcile.sums import kpis_of
from tests.hotline.random_events import BIRTHS
from tests.sinks.cities import ENTITIES, FROM, TO, City, members_of
from tests.sinks.sinking import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

both = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One engine for all tests of this file."""
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process, process.client() as client:
        yield client


@pytest.fixture
def city(engine: Client) -> City:
    return City(engine, "Asia/Shanghai")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"])
def test_good_data_is_equal_in_any_zone_also_when_its_clocks_move(engine: Client, zone: str) -> None:
    shift = timedelta(days={"Australia/Lord_Howe": 31, "America/New_York": 11}.get(zone, 0))
    city = City(engine, zone, shift)
    found = city.reconcile(FROM + shift, TO + shift)
    assert (found.equal, found.sums, found.fields, found.two_births) == (True, [], [], [])
    assert found.rows == 2 * ENTITIES
    assert found.events == sum(_count(city, subject.events_table) for subject in SUBJECTS.values())
    assert found.cells > 1_000


def _count(city: City, table: str) -> int:
    return int(city.client.query(f"SELECT count() FROM {DATABASE}.{table}").result_rows[0][0])  # noqa: S608


@both
@pytest.mark.parametrize("units", [1, -1])
def test_one_unit_in_one_sum_is_named_with_its_kpis_scope_and_instant(city: City, subject: Subject, units: int) -> None:
    measure = measures(subject)[3]
    at = BIRTHS[0] + timedelta(hours=1)
    city.add_to_sum(subject, ("line", "a"), at, measure.column, units)
    found = city.reconcile()
    assert (found.equal, found.sums_differ, found.rows_differ) == (False, 1, 0)
    (one,) = found.sums
    assert (one.subject, one.measure, one.kpis, one.at) == (subject.name, measure.name, kpis_of(measure), at)
    assert one.scope is not None
    assert (one.scope.kind, one.scope.value, one.stored - one.recomputed) == ("line", "a", units)
    assert one.kpis


def test_a_sum_that_no_row_could_give_is_found(city: City) -> None:
    measure = measures(CALLS)[0]
    city.add_to_sum(CALLS, ("all", ""), FROM, measure.column, 7)
    city.add_to_sum(CALLS, ("department", "x"), FROM, measure.column, 2)  # calls are not kept by department
    found = city.reconcile()
    assert {(one.scope.kind if one.scope else None, one.stored, one.recomputed) for one in found.sums} == {
        (None, 7, 0),
        ("department", 2, 0),
    }


@both
def test_sums_that_are_gone_are_found(city: City, subject: Subject) -> None:
    city.client.command(f"TRUNCATE TABLE {DATABASE}.{subject.sums_table}")
    found = city.reconcile()
    assert found.sums_differ > 1_000
    assert len(found.sums) == 20
    assert {one.stored for one in found.sums} == {0}
    assert found.sums == sorted(found.sums, key=lambda one: one.at)


@both
def test_a_removed_event_is_named_by_its_row(city: City, subject: Subject) -> None:
    victim = city.rows(subject, "version > 50331648")[0]  # of three events and more
    where = f"entity = '{victim['entity']}' AND source = '{victim['source']}'"
    first = f"(SELECT min(digest) FROM {DATABASE}.{subject.events_table} WHERE {where})"  # noqa: S608
    settings = {"mutations_sync": 1, "lightweight_deletes_sync": 1}
    city.client.command(
        f"ALTER TABLE {DATABASE}.{subject.events_table} DELETE WHERE {where} AND digest = {first}", settings=settings
    )
    found = city.reconcile()
    assert (found.equal, found.sums_differ, found.rows_differ) == (False, 0, 1)
    assert {(one.subject, one.source, one.entity) for one in found.fields} == {
        (subject.name, victim["source"], victim["entity"])
    }
    version = next(one for one in found.fields if one.field == "version")
    assert version.stored - version.recomputed == 2**24


@both
def test_an_altered_row_is_named_by_its_fields(city: City, subject: Subject) -> None:
    rows = fold(subject, members_of(subject, list(SUBJECTS).index(subject.name), timedelta()))
    victim = rows.filter(measures(subject)[0].passes)[:1]  # it counts, so it moves sums
    city.add_rows(subject, victim.with_columns(version=victim["version"] + 1, operator_group=pl.lit("another")))
    found = city.reconcile()
    assert (found.rows_differ, found.equal) == (1, False)
    stored = {one.field: one.stored for one in found.fields}
    assert stored == {"version": victim["version"][0] + 1, "operator_group": "another"}
    assert found.sums_differ > 0, "its sums are of another group"


@both
def test_rows_without_events_events_without_rows_and_rows_in_two_partitions_are_named(
    city: City, subject: Subject
) -> None:
    first, second, third = city.rows(subject)[:3]
    names = {"mutations_sync": 1}
    city.client.command(
        f"ALTER TABLE {DATABASE}.{subject.events_table} DELETE WHERE entity = '{first['entity']}'", settings=names
    )
    city.client.command(
        f"ALTER TABLE {DATABASE}.{subject.rows_table} DELETE WHERE entity = '{second['entity']}'", settings=names
    )
    again = fold(subject, members_of(subject, list(SUBJECTS).index(subject.name), timedelta()))
    city.add_rows(subject, again.filter(pl.col("entity") == third["entity"]), partition=1)
    found = city.reconcile()
    assert {(one.entity, one.field, one.stored, one.recomputed) for one in found.fields} == {
        (first["entity"], "row", "stored", "not made by its events"),
        (second["entity"], "row", "not stored", "made by its events"),
        (third["entity"], "row", "stored in two partitions", "one row"),
    }


def test_an_id_with_two_births_is_listed_and_no_difference(city: City) -> None:
    births = [BIRTHS[0], BIRTHS[0] + timedelta(days=3)]
    frame = pl.DataFrame(
        {"type": "ticket.created", "source": "city", "entity": "twice", "born_at": births, "occurred_at": births}
    )
    members = with_keys(TICKETS, complete(TICKETS, frame))
    rows = fold(TICKETS, members)
    city.store(TICKETS.events_table, members.drop("entity_key", "event_key", *REJECT_COLUMNS))
    city.add_rows(TICKETS, rows)
    city.add_contributions(TICKETS, rows, rows.clear())
    found = city.reconcile()
    (one,) = found.two_births
    assert (one.subject, one.source, one.entity, one.births) == ("tickets", "city", "twice", births)
    assert (found.equal, found.ids_born_twice) == (True, 1)
    later = city.reconcile(births[1] + timedelta(days=1), TO)
    assert later.two_births == []


def test_a_period_is_half_open_and_rounded_outward_to_hours(city: City) -> None:
    column = measures(CALLS)[0].column
    at = datetime(2023, 3, 4, 5, 0, tzinfo=UTC)
    city.add_to_sum(CALLS, ("all", ""), at, column, 1)

    def differs(from_: datetime, to: datetime) -> int:
        return city.reconcile(from_, to).sums_differ

    minute = timedelta(minutes=1)
    assert differs(at, at + minute) == 1
    assert differs(at - timedelta(hours=1), at) == 0
    assert differs(at + 59 * minute, at + 60 * minute) == 1
    assert differs(at + timedelta(hours=1), at + timedelta(hours=2)) == 0
    found = city.reconcile(at + minute, at + timedelta(hours=1, seconds=1))
    assert (found.from_, found.to) == (at, at + timedelta(hours=2))


def test_an_empty_or_naive_period_is_refused(city: City) -> None:
    with pytest.raises(ValueError, match="empty"):
        city.reconcile(TO, FROM)
    with pytest.raises(ValueError, match="offset"):
        city.reconcile(FROM.replace(tzinfo=None), TO)
    with pytest.raises(ValueError, match="unknown zone"):
        reconcile(city.client, FROM, TO, "Asia/Shanghi")


def test_small_pieces_give_the_same(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = city.reconcile()
    city.add_to_sum(CALLS, ("all", ""), BIRTHS[0], measures(CALLS)[0].column, 1)
    monkeypatch.setattr(pieces, "EVENTS_MAX", 100)
    monkeypatch.setattr(spans, "SUMS_SPAN_S", 50 * 3600)
    monkeypatch.setattr(spans, "SUMS_MAX", 0)
    steps: list[tuple[int, int]] = []
    cut = city.reconcile(progress=lambda done, total, _: steps.append((done, total)))
    assert (cut.rows, cut.events, cut.cells - whole.cells) == (whole.rows, whole.events, 0)
    assert (cut.sums_differ, cut.rows_differ) == (1, 0)
    assert len(steps) > 30
    assert [done for done, _ in steps] == list(range(len(steps)))


def _created(city: City, *births: datetime, handled_after: timedelta) -> None:
    """Store a ticket a birth, with the sums that go with it, and nothing else."""
    for subject in SUBJECTS.values():
        for table in (subject.events_table, subject.rows_table, subject.sums_table, subject.recent_table):
            city.client.command(f"TRUNCATE TABLE {DATABASE}.{table}")
    lives = [
        (birth, kind, after) for birth in births for kind, after in (("created", None), ("handled", handled_after))
    ]
    frame = pl.DataFrame(
        {
            "type": [f"ticket.{kind}" for _, kind, _ in lives],
            "source": "city",
            "entity": [birth.isoformat() for birth, _, _ in lives],
            "born_at": [birth for birth, _, _ in lives],
            "occurred_at": [birth + (after or timedelta()) for birth, _, after in lives],
        }
    )
    members = with_keys(TICKETS, complete(TICKETS, frame))
    rows = fold(TICKETS, members)
    city.store(TICKETS.events_table, members.drop("entity_key", "event_key", *REJECT_COLUMNS))
    city.add_rows(TICKETS, rows)
    city.add_contributions(TICKETS, rows, rows.clear())


def test_years_with_little_in_them_are_compared_in_few_pieces(city: City) -> None:
    births = [BIRTHS[0] + timedelta(days=number * 10) for number in range(220)]
    _created(city, *births, handled_after=timedelta(days=5))
    steps: list[int] = []
    end = births[-1] + timedelta(days=30)
    whole = city.reconcile(births[0], end, progress=lambda _, total, __: steps.append(total))
    assert (whole.equal, whole.rows, whole.events) == (True, len(births), 2 * len(births))
    assert whole.cells > 4 * len(births)
    assert steps[0] < 10
    city.add_to_sum(TICKETS, ("all", ""), births[100] + timedelta(days=1), measures(TICKETS)[0].column, 1)
    found = city.reconcile(births[0], end)
    assert (found.sums_differ, [one.stored for one in found.sums]) == (1, [1])


def test_days_between_that_the_period_does_not_touch_are_left_out(city: City) -> None:
    first, between, last = (BIRTHS[0] + timedelta(days=days) for days in (0, 4, 10))
    _created(city, first, between, last, handled_after=timedelta(days=10))
    found = city.reconcile(last, last + timedelta(hours=1))
    assert (found.equal, found.rows, found.events) == (True, 2, 4)


def test_every_piece_is_compared_under_a_hold_that_ends(city: City) -> None:
    from contextlib import contextmanager

    held: list[str] = []

    @contextmanager
    def hold() -> Iterator[None]:
        held.append("held")
        yield
        held.append("released")

    city.reconcile(hold=hold)
    assert held == ["held", "released"] * (len(held) // 2)
    assert len(held) >= 8


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
def test_pieces_of_sums_cover_the_period_and_begin_at_local_hours(zone: str) -> None:
    span = spans.outward(datetime(2022, 12, 31, 17, 1, tzinfo=UTC), datetime(2024, 1, 2, 3, 4, tzinfo=UTC), zone)
    cut = spans.sum_spans(span, zone)
    assert (cut[0][0], cut[-1][1]) == span
    assert all(before[1] == after[0] for before, after in itertools.pairwise(cut))
    starts = pl.Series([start for start, _ in cut] + [span[1]]).to_numpy()
    assert (floor_local(starts, 3600, zone) == starts).all()
