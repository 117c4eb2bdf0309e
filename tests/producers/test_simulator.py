"""The simulated city: repeatable, valid, replayable by time, and plausible."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hotline.blocks import complete, pack
from hotline.events.rules import problems
from hotline.events.words import WORDS
from hotline.fold.standing import with_keys
from hotline.fold.vectorised import fold
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from producers.simulator import CITY, City, day, timeline
from producers.simulator.day import LIFE_DAYS_MAX
from producers.simulator.local_days import CLOSES_S, bounds_s, day_number, workday_s
from producers.simulator.timeline import Ahead

WEDNESDAY = dt.date(2023, 5, 10)
SMALL = CITY.scaled(2_000, 1_000)
TINY = CITY.scaled(150, 80)


@pytest.fixture(scope="module")
def small_day() -> dict[str, pl.DataFrame]:
    return day(SMALL, WEDNESDAY, 7)


@pytest.fixture(scope="module")
def rows() -> dict[str, pl.DataFrame]:
    """Fold a day of the default city."""
    events = day(CITY, WEDNESDAY, 7)
    return {name: _folded(name, frame) for name, frame in events.items()}


def _folded(name: str, events: pl.DataFrame) -> pl.DataFrame:
    return fold(SUBJECTS[name], with_keys(SUBJECTS[name], complete(SUBJECTS[name], events)))


def _multiset(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("entity", "occurred_at", "type", "id")


def _all(chunks: list[dict[str, pl.DataFrame]], name: str) -> pl.DataFrame:
    return pl.concat([chunk[name] for chunk in chunks])


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    return float(frame.select(condition.fill_null(value=False).mean()).item())


# Repeatable


def test_the_same_city_date_and_seed_give_the_same_events(small_day: dict[str, pl.DataFrame]) -> None:
    again = day(SMALL, WEDNESDAY, 7)
    for name in SUBJECTS:
        assert_frame_equal(again[name], small_day[name])


@pytest.mark.parametrize(("date", "seed"), [(WEDNESDAY, 8), (WEDNESDAY + dt.timedelta(days=1), 7)])
def test_another_seed_or_date_gives_other_entities(
    small_day: dict[str, pl.DataFrame], date: dt.date, seed: int
) -> None:
    other = day(SMALL, date, seed)
    for name in SUBJECTS:
        assert not set(other[name]["entity"]) & set(small_day[name]["entity"])
        times, other_times = (events[name]["born_at"].dt.time() for events in (small_day, other))
        assert times.to_list() != other_times.to_list()


def test_a_negative_seed_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match="seed -1 is negative"):
        day(TINY, WEDNESDAY, -1)


def test_a_negative_volume_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match="-5 tickets"):
        CITY.scaled(-5, 10)


# Valid


def test_every_event_is_accepted_by_the_rules(small_day: dict[str, pl.DataFrame]) -> None:
    for name, events in small_day.items():
        subject = SUBJECTS[name]
        assert events.schema == pl.Schema(subject.columns)
        assert problems(subject, complete(subject, events)).null_count() == len(events) > 0


def test_all_event_types_but_the_snapshot_and_all_words_occur(small_day: dict[str, pl.DataFrame]) -> None:
    assert set(small_day[CALLS.name]["type"]) == set(CALLS.types)
    assert set(small_day[TICKETS.name]["type"]) == set(TICKETS.types) - {"ticket.snapshot"}
    assert set(small_day[CALLS.name]["direction"].drop_nulls()) == set(WORDS["direction"])
    for column in ("nature", "audience", "rating"):
        assert set(small_day[TICKETS.name][column].drop_nulls()) == set(WORDS[column])


def test_events_state_only_what_their_type_has(small_day: dict[str, pl.DataFrame]) -> None:
    for name, events in small_day.items():
        for struct in SUBJECTS[name].events:
            of_type = events.filter(pl.col("type") == str(struct.__struct_config__.tag))
            foreign = set(events.columns) - {"type", *struct.__struct_fields__}
            assert all(of_type[column].null_count() == len(of_type) for column in foreign)


def test_ticket_events_have_ids_of_their_own_and_call_events_none(small_day: dict[str, pl.DataFrame]) -> None:
    assert small_day[TICKETS.name]["id"].null_count() == 0
    assert small_day[TICKETS.name]["id"].is_unique().all()
    assert small_day[CALLS.name]["id"].null_count() == len(small_day[CALLS.name])


def test_no_call_has_two_events_of_one_type_and_second(small_day: dict[str, pl.DataFrame]) -> None:
    assert small_day[CALLS.name].select("entity", "type", "occurred_at").is_unique().all()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("date", [WEDNESDAY, dt.date(2023, 3, 12), dt.date(2023, 11, 5)])
def test_everything_is_born_on_that_local_day_and_happens_within_the_longest_life(zone: str, date: dt.date) -> None:
    start, end = bounds_s(date, zone)
    for events in day(City(zone=zone, tickets_per_day=400, calls_per_day=400), date, 3).values():
        born, occurred = (events[column].dt.epoch("s") for column in ("born_at", "occurred_at"))
        assert start <= born.min() <= born.max() < end  # type: ignore[operator]
        assert (occurred >= born).all()
        assert int(occurred.max()) < end + LIFE_DAYS_MAX * 86_400  # type: ignore[arg-type]


def test_the_first_event_of_each_entity_is_its_birth(small_day: dict[str, pl.DataFrame]) -> None:
    for name, birth in ((CALLS.name, "call.offered"), (TICKETS.name, "ticket.created")):
        births = small_day[name].filter(pl.col("type") == birth)
        assert (births["born_at"] == births["occurred_at"]).all()
        assert births["entity"].n_unique() == len(births) == small_day[name]["entity"].n_unique()


def test_tickets_by_phone_name_answered_calls_of_the_day_that_had_ended(small_day: dict[str, pl.DataFrame]) -> None:
    created = small_day[TICKETS.name].filter(pl.col("type") == "ticket.created")
    linked = created.drop_nulls("call")
    assert set(linked["channel"]) == {CITY.phone}
    assert linked["call"].is_unique().all()
    calls = _folded(CALLS.name, small_day[CALLS.name])
    joined = linked.join(calls, left_on="call", right_on="entity", suffix="_of_call")
    assert len(joined) == len(linked) > 0
    assert joined["answered_at"].null_count() == 0
    assert (joined["occurred_at"] == joined["ended_at"]).all()
    assert (joined["district"] == joined["district_of_call"]).all()


def test_departments_serve_the_district_of_their_ticket(small_day: dict[str, pl.DataFrame]) -> None:
    homes = dict(CITY.departments)
    sent = _folded(TICKETS.name, small_day[TICKETS.name]).filter(pl.col("department") != "")
    assert all(homes[department] in {"", district} for district, department in sent["district", "department"].rows())
    assert len(sent) > 0


def test_a_city_without_traffic_has_empty_days() -> None:
    for events in day(CITY.scaled(0, 0), WEDNESDAY, 1).values():
        assert len(events) == 0
    assert all(len(events) == 0 for chunk in timeline(CITY.scaled(0, 0), WEDNESDAY, 2, 1) for events in chunk.values())


@pytest.mark.parametrize(
    ("name", "course"),
    [
        (CALLS.name, ("offered_at", "queued_at", "outcome_at", "transferred_at", "ended_at")),
        (TICKETS.name, ("created_at", "answered_online_at")),
        (TICKETS.name, ("created_at", "dispatched_at", "returned_at", "first_handled_at", "asked_at", "rated_at")),
        (TICKETS.name, ("first_handled_at", "handled_at", "closed_at")),
        (TICKETS.name, ("dispatched_at", "merged_at", "closed_at")),
        (TICKETS.name, ("rated_at", "reopened_at", "handled_at")),
    ],
)
def test_lives_run_forward(rows: dict[str, pl.DataFrame], name: str, course: tuple[str, ...]) -> None:
    frame = rows[name]
    for earlier, later in pairwise(course):
        both = frame.drop_nulls([earlier, later])
        assert len(both) > 0
        assert (both[earlier] <= both[later]).all()


def test_callers_are_pseudonyms_and_some_call_again(rows: dict[str, pl.DataFrame]) -> None:
    callers = rows[CALLS.name]["caller"]
    assert callers.str.contains("^[0-9a-f]{24}$").all()
    assert 0.3 * len(callers) < callers.n_unique() < len(callers)


# Working days


@pytest.mark.parametrize(
    ("date", "due_date"),
    [
        (dt.date(2023, 5, 10), dt.date(2023, 5, 17)),  # Wednesday to Wednesday
        (dt.date(2023, 5, 12), dt.date(2023, 5, 19)),  # Friday to Friday
        (dt.date(2023, 5, 13), dt.date(2023, 5, 19)),  # Saturday: the first working day is Monday
        (dt.date(2023, 5, 14), dt.date(2023, 5, 19)),
    ],
)
def test_a_deadline_is_the_end_of_the_fifth_working_day(date: dt.date, due_date: dt.date) -> None:
    sent = day(TINY, date, 1)[TICKETS.name].filter(pl.col("type") == "ticket.dispatched")
    zone = CITY.zone
    local = sent.select(
        pl.col("occurred_at").dt.convert_time_zone(zone).dt.date().alias("sent"),
        pl.col("due_at").dt.convert_time_zone(zone).dt.replace_time_zone(None).alias("due"),
    ).filter(pl.col("sent") == date)
    assert set(local["due"]) == {dt.datetime.combine(due_date, dt.time(17, 30))}


def test_deadlines_keep_the_clock_across_a_change_of_offset() -> None:
    start, _ = bounds_s(dt.date(2023, 3, 10), "America/New_York")
    due = workday_s(pl.Series([start]).to_numpy(), 1, CLOSES_S, "America/New_York")
    local = dt.datetime(2023, 3, 13, 17, 30, tzinfo=dt.UTC).timestamp() + 4 * 3600
    assert due.tolist() == [local]


# The timeline


@pytest.mark.parametrize(
    ("zone", "first_date"),
    [
        ("Asia/Shanghai", WEDNESDAY),
        ("America/New_York", dt.date(2023, 3, 10)),
        ("America/New_York", dt.date(2023, 11, 3)),
    ],
)
def test_a_timeline_holds_exactly_the_events_of_its_days_in_order_of_time(zone: str, first_date: dt.date) -> None:
    city = City(zone=zone, tickets_per_day=60, calls_per_day=60)
    chunks = list(timeline(city, first_date, 4, 7))
    births = [day(city, first_date + dt.timedelta(days=n), 7) for n in range(4)]
    for name in SUBJECTS:
        replayed = _all(chunks, name)
        assert replayed["occurred_at"].is_sorted()
        assert_frame_equal(_multiset(replayed), _multiset(_all(births, name)))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_a_chunk_holds_what_happened_on_its_local_day(zone: str) -> None:
    first_date = dt.date(2023, 3, 10)
    for offset, chunk in enumerate(timeline(City(zone=zone, tickets_per_day=60, calls_per_day=60), first_date, 3, 7)):
        for events in chunk.values():
            days = events["occurred_at"].dt.convert_time_zone(zone).dt.date()
            assert set(days) <= {first_date + dt.timedelta(days=offset)}


def test_a_timeline_that_stops_short_ends_with_its_last_day_of_births() -> None:
    whole = list(timeline(TINY, WEDNESDAY, 3, 7))
    short = list(timeline(TINY, WEDNESDAY, 3, 7, to_the_end=False))
    assert len(short) == 3 < len(whole)
    for left, right in zip(short, whole, strict=False):
        for name in SUBJECTS:
            assert_frame_equal(left[name], right[name])


def test_a_stretch_begun_later_equals_the_same_stretch_of_a_longer_timeline() -> None:
    first = WEDNESDAY - dt.timedelta(days=LIFE_DAYS_MAX)
    longer = list(timeline(TINY, first, LIFE_DAYS_MAX + 2, 7, to_the_end=False))[LIFE_DAYS_MAX:]
    stretch = list(timeline(TINY, WEDNESDAY, 2, 7, days_before=LIFE_DAYS_MAX, to_the_end=False))
    assert len(stretch) == len(longer) == 2
    for left, right in zip(stretch, longer, strict=True):
        for name in SUBJECTS:
            assert_frame_equal(left[name], right[name])
    assert stretch[0][TICKETS.name]["born_at"].dt.date().n_unique() > 10


def test_what_a_timeline_keeps_in_memory_stops_growing() -> None:
    ahead, kept = Ahead(TINY.zone), []
    for offset in range(56):
        date = WEDNESDAY + dt.timedelta(days=offset)
        ahead.meet(day_number(date), day(TINY, date, 7))
        kept.append(ahead.waiting_bytes)
    assert max(kept[42:]) < 1.15 * max(kept[21:42])
    assert min(kept[42:]) > 0


def test_partitions_share_the_events_and_fold_to_the_same_rows(small_day: dict[str, pl.DataFrame]) -> None:
    for name, events in small_day.items():
        subject = SUBJECTS[name]
        for partitions in (1, 3):
            blocks = list(pack(subject, events, partitions, events_max=1_000))
            assert Counter(block.partition for block in blocks).keys() == set(range(partitions))
            parts = [pl.concat([b.events for b in blocks if b.partition == p]) for p in range(partitions)]
            folded = pl.concat([fold(subject, with_keys(subject, part)) for part in parts])
            assert_frame_equal(folded.sort("entity"), _folded(name, events).sort("entity"))


# Plausible


def test_a_day_has_the_volumes_of_the_city(rows: dict[str, pl.DataFrame]) -> None:
    weight = CITY.weekday_weights[WEDNESDAY.weekday()]
    assert len(rows[TICKETS.name]) == pytest.approx(CITY.tickets_per_day * weight, rel=0.03)
    assert len(rows[CALLS.name]) == pytest.approx(CITY.calls_per_day * weight, rel=0.04)
    assert sum(CITY.weekday_weights) == pytest.approx(7)


def test_calls_wait_give_up_and_talk_as_in_a_city(rows: dict[str, pl.DataFrame]) -> None:
    inbound = rows[CALLS.name].filter(pl.col("direction") == "inbound")
    answered = inbound.drop_nulls("answered_at")
    assert 0.80 < _share(answered, pl.col("wait_s") <= 30) < 0.90
    assert 0.045 < _share(inbound.drop_nulls("outcome_at"), pl.col("abandoned_at").is_not_null()) < 0.075
    assert 150 < float(answered["talk_s"].mean()) < 195  # type: ignore[arg-type]
    assert 0.02 < _share(answered, pl.col("talk_s") > 600) < 0.05
    assert int(answered["wait_s"].max()) > 120  # type: ignore[arg-type]
    assert 0.7 < len(inbound) / len(rows[CALLS.name]) < 0.85


def test_tickets_are_answered_handled_and_rated_as_in_a_city(rows: dict[str, pl.DataFrame]) -> None:
    tickets = rows[TICKETS.name]
    assert 0.78 < _share(tickets, pl.col("answered_online_at").is_not_null()) < 0.82
    due = tickets.drop_nulls("due_at")
    assert 0.94 < _share(due, pl.col("handled_at") <= pl.col("due_at")) < 0.98
    assert 0.28 < len(due.drop_nulls("rated_at")) / len(due.drop_nulls("asked_at")) < 0.39
    assert 0.87 < _share(due.filter("rating_valid"), pl.col("satisfied")) < 0.93
    assert 0.01 < _share(due, pl.col("reopenings") > 0) < 0.05
    assert 0.003 < _share(due, pl.col("merged_at").is_not_null()) < 0.02
    assert 0.05 < _share(due, pl.col("returns") > 0) < 0.11


def test_a_dispatched_ticket_lives_through_seven_to_nine_events_in_about_three_weeks() -> None:
    events = day(SMALL, WEDNESDAY, 7)[TICKETS.name]
    lives = events.group_by("entity").agg(
        count=pl.len(),
        sent=(pl.col("type") == "ticket.dispatched").any(),
        life=(pl.col("occurred_at").max() - pl.col("born_at").first()).dt.total_days(),
    )
    sent, online = lives.filter("sent"), lives.filter(~pl.col("sent"))
    assert 7 < float(sent["count"].mean()) < 9  # type: ignore[arg-type]
    assert set(online["count"]) == {3}
    assert int(online["life"].max()) == 0  # type: ignore[arg-type]
    assert _share(sent, pl.col("life") <= 21) > 0.98
    assert int(sent["life"].max()) > 14  # type: ignore[arg-type]


def test_nights_are_quiet_and_two_hours_peak(rows: dict[str, pl.DataFrame]) -> None:
    hour = pl.col("born_at").dt.convert_time_zone(CITY.zone).dt.hour()
    for frame in rows.values():
        counts = dict(frame.select(hour.alias("hour")).group_by("hour").len().rows())
        noon = counts[12]
        assert max(counts.get(h, 0) for h in range(2, 5)) < noon / 5
        assert max(counts[9], counts[10]) > noon * 1.3
        assert max(counts[14], counts[15]) > noon * 1.3


def test_departments_and_categories_have_long_tails(rows: dict[str, pl.DataFrame]) -> None:
    assert len(dict(CITY.departments)) == len(CITY.departments) == 871
    assert len(dict(CITY.categories)) == len(CITY.categories) == 100
    assert {district for _, district in CITY.departments} == {"", *dict(CITY.districts)}
    sent = rows[TICKETS.name].filter(pl.col("department") != "")
    shares = sent["department"].value_counts(sort=True)["count"] / len(sent)
    assert 0.02 < shares[0] < 0.15
    assert len(shares) > 500
    assert float(shares.head(20).sum()) > 0.25
    assert rows[TICKETS.name]["category"].n_unique() == 100


def test_weekends_are_quieter() -> None:
    sunday = WEDNESDAY + dt.timedelta(days=4)
    assert day(SMALL, sunday, 7)[TICKETS.name]["entity"].n_unique() < 0.9 * SMALL.tickets_per_day
