"""Years beside the year before, TOP lists, lists of rows and the pipeline's own statements, on the real engine."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dashboards import series, spans, stored, sums, told
from dashboards.boards.annual import ANNUAL
from dashboards.boards.cross import CROSS
from dashboards.entries import OVER, Edition
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.within import within
from dashboards.words import UNNAMED, Lang
from hotline.buckets import By
from hotline.catalogue import KPIS
from hotline.names import DATABASE
from hotline.periods import Period, parse
from hotline.queries import Among, Question, answer, answer_from_rows
from sinks.connecting import connect
from sinks.dead_letters import newest, one
from tests.dashboards.cells import followed
from tests.dashboards.conftest import A_YEAR_AGO, BORN_AT, DEAD, OFFERED_A_YEAR_AGO, ZONE
from tests.dashboards.test_panel_queries import BORN_S, figure

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking
    from tests.hotline.stored_rows import Stored

OFFERED = KPIS["calls_offered"]
YEAR_NAMES = ("calls_offered", "answered_30s_share", "average_wait_s")


def year_of(at: datetime, city: Stored) -> Period:
    return parse(str(at.astimezone(city.zone).year), zone=city.zone, now=datetime.now(city.zone))


def whole_year(city: Stored) -> Chosen:
    """As Grafana writes it: up to the last second."""
    period = year_of(BORN_AT, city)
    return Chosen(from_s=period.start_s, to_s=period.end_s - 1)


def asked(*names: str, kind: str = "all") -> sums.Asked:
    return sums.Asked(kpis=tuple(KPIS[name] for name in names), span=spans.period(ZONE), kind=kind)


@pytest.mark.parametrize("by", [By.MONTH, By.QUARTER, By.YEAR])
def test_a_year_stands_beside_the_year_before(by: By, asking: Asking, city: Stored) -> None:
    question = asked(*YEAR_NAMES)
    found = asking.ask(expand(series.years(question, by, ZONE), whole_year(city))).records
    now = datetime.now(city.zone)
    for suffix, at in (("", BORN_AT), ("_before", A_YEAR_AGO)):
        results = answer(Question(kpis=question.kpis, period=year_of(at, city), by=by), city.reader.ask)
        for kpi in question.kpis:
            expected = [each.value for each in results if each.kpi == kpi.name][: len(found)]
            assert [record[kpi.name + suffix] for record in found] == expected, (kpi.name, suffix)
    assert sum(record["calls_offered_before"] or 0 for record in found) == OFFERED_A_YEAR_AGO
    assert len(found) == len([b for b in results if b.kpi == "calls_offered" and b.start.replace(year=now.year) <= now])


OF_SPANS = re.compile("(Calls|Tickets|Tickets and handling|Surveys) by (month|quarter|year)")


def test_a_value_of_a_month_leads_to_the_number_of_that_month_and_one_of_the_year_before_to_that_one(
    asking: Asking, city: Stored
) -> None:
    """Of every table of spans, also where the range cuts the first and the last of them."""
    born = int(BORN_AT.timestamp())
    cut = Chosen(from_s=int(A_YEAR_AGO.timestamp()) + 86_400, to_s=born + 40_000)
    panels = [each for each in ANNUAL.json(Edition(Lang.EN, ZONE))["panels"] if OF_SPANS.fullmatch(each["title"])]
    tables = [panel for panel in panels if panel["type"] == "table"]
    assert len(tables) == 9
    told = 0
    for chosen, some in ((whole_year(city), tables[:1]), (cut, tables)):
        for panel in some:
            for record in asking.ask(expand(panel["targets"][0]["rawSql"], chosen)).records:
                if any(isinstance(value, int | float) for value in record.values()):
                    found = dict(followed(panel, record, asking))
                    assert found == {name: record[name] for name in found}, (panel["title"], record["time"])
                    assert found.keys() == {name for name in record if name != "time" and not name.endswith("_ms")}
                    told += sum(value is not None for value in found.values())
    assert told > 20


def test_a_change_on_the_year_is_a_part_of_what_was_and_of_shares_the_difference(asking: Asking, city: Stored) -> None:
    question = asked("calls_offered", "answered_30s_share")
    before = sums.Asked(kpis=question.kpis, span=spans.year_before(question.span))
    sql = sums.changed(question.kpis, sums.total(question), sums.total(before))
    (record,) = asking.ask(expand(sql, whole_year(city))).records
    offered, share = (
        each.value for each in answer(Question(kpis=question.kpis, period=year_of(BORN_AT, city)), city.reader.ask)
    )
    assert (record["calls_offered"], record["answered_30s_share"]) == (offered, share)
    assert offered is not None
    assert record["calls_offered_change"] == offered / OFFERED_A_YEAR_AGO - 1
    assert record["answered_30s_share_change"] is None  # a year ago nothing was answered


def test_a_change_of_a_share_is_in_points(asking: Asking) -> None:
    day, hours = (
        sums.Asked(kpis=(KPIS["answered_30s_share"],), span=OVER[name].span(ZONE)) for name in ("range", "1h")
    )
    given = Chosen(from_s=BORN_S - 60, to_s=BORN_S + 3700)
    (now,), (then,) = (asking.ask(expand(sums.total(each), given)).rows[0] for each in (day, hours))
    (record,) = asking.ask(expand(sums.changed(day.kpis, sums.total(day), sums.total(hours)), given)).records
    assert now != then
    assert record["answered_30s_share_change"] == pytest.approx((now - then) * 100)


def test_changes_by_scope_are_those_of_the_same_scope(asking: Asking, city: Stored) -> None:
    """A scope that was not there a year ago has no change."""
    question = asked("calls_offered", kind="line")
    before = sums.Asked(kpis=question.kpis, span=spans.year_before(question.span), kind="line")
    now, then = (sums.split(each, order="name") for each in (question, before))
    sql = sums.changed(question.kpis, now, then, by="name")
    found = {each["name"]: each for each in asking.ask(expand(sql, whole_year(city))).records}
    results = answer(Question(kpis=question.kpis, period=year_of(BORN_AT, city), split="line"), city.reader.ask)
    by_line = {each.scope.value or UNNAMED: each.value for each in results if each.scope}
    assert {name: each["calls_offered"] for name, each in found.items()} == by_line
    assert found["a"]["calls_offered_change"] == (by_line["a"] or 0) / OFFERED_A_YEAR_AGO - 1
    assert found["b"]["calls_offered_change"] is None


def test_the_first_of_a_count_have_their_shares_of_all(asking: Asking, city: Stored) -> None:
    found = asking.ask(expand(sums.top(asked("calls_offered", kind="line"), rows_max=2), whole_year(city))).rows
    period = year_of(BORN_AT, city)
    results = answer(Question(kpis=(OFFERED,), period=period, split="line"), city.reader.ask)
    counts = sorted(((each.value or 0, each.scope.value or UNNAMED) for each in results if each.scope), reverse=True)
    everything = sum(count for count, _ in counts)
    assert len(counts) > 2
    assert [(name, count) for name, count, _ in found] == [(name, count) for count, name in counts[:2]]
    assert [share for *_, share in found] == [count / everything for count, _ in counts[:2]]


def test_coverage_tells_of_every_month_which_days_have_no_data(asking: Asking, city: Stored) -> None:
    """Of months without any, of a month with a few, and of days that are not over, which are not missing."""
    first, today = A_YEAR_AGO.date() - timedelta(days=40), datetime.now(city.zone).date()
    start = datetime(first.year, first.month, first.day, tzinfo=city.zone)
    at = Chosen(from_s=int(start.timestamp()), to_s=int(start.timestamp()) + 500 * 86_400)
    found = asking.ask(expand(figure("Coverage"), at)).records
    months: dict[tuple[int, int], list[date]] = {}
    for day in (first + timedelta(days=n) for n in range((today - first).days)):
        months.setdefault((day.year, day.month), []).append(day)
    assert [each["time"] for each in found] == [f"{year}-{month:02}-01 00:00:00" for year, month in months]
    for record, days in zip(found, months.values(), strict=True):
        assert record["days"] == len(days)
        for subject, covered in city.covered.items():
            gaps = [day for day in days if day not in covered]
            assert record[subject] == (len(days) - len(gaps) or None)
            assert record[f"{subject}_missing"] == (runs([day.day for day in gaps]) or "0"), (days[0], subject)
    assert any("," in record["calls_missing"] for record in found)


def runs(days: list[int]) -> str:
    """`03, 05–09`."""
    parts: list[list[int]] = []
    for day in days:
        if parts and parts[-1][-1] == day - 1:
            parts[-1].append(day)
        else:
            parts.append([day])
    return ", ".join(f"{run[0]:02}" if len(run) == 1 else f"{run[0]:02}–{run[-1]:02}" for run in parts)


def as_if_forgotten(sql: str, subject: str) -> str:
    """Ask a statement as after weeks, when the recent minutes of its span are no longer there."""
    table = f"FROM hotline.recent_sums_{subject}"
    assert spans.RECENT_SINCE in sql
    later = sql.replace(spans.RECENT_SINCE, "toStartOfDay(addDays(until_at, 2))")
    return later.replace(table, f"FROM (SELECT * {table} LIMIT 0)")


@pytest.mark.parametrize("kind", ["line", "district", "department"])
@pytest.mark.parametrize("hours", [(-7, 53), (0, 48), (3, 9), (5, 24), (-30, 31)])
def test_parts_of_days_are_the_same_by_recent_minutes_as_by_hours(
    kind: str, hours: tuple[int, int], asking: Asking, city: Stored
) -> None:
    """Stocks and counts from and to whole hours: across days, of whole days, within one, up to midnight."""
    midnight = int(BORN_AT.astimezone(city.zone).replace(hour=0, minute=0).timestamp()) + 86_400
    since, until = (midnight + hour * 3600 for hour in hours)
    question = asked("tickets_created", "tickets_open", "timely_handling_rate", kind=kind)
    sql = sums.split(question, order="name")
    spans_ = Chosen(from_s=since, to_s=until)
    found = asking.ask(expand(sql, spans_)).records
    assert asking.ask(expand(as_if_forgotten(sql, "tickets"), spans_)).records == found
    results = answer(
        Question(kpis=question.kpis, period=Period.of(since, until, city.zone), split=kind), city.reader.ask
    )
    known = {(each.kpi, each.scope.value or UNNAMED): each.value for each in results if each.scope}
    assert {name for _, name in known} == {record["name"] for record in found} != set()
    for record in found:
        for kpi in question.kpis:
            assert (record[kpi.name] or 0) == (known.get((kpi.name, record["name"])) or 0)


@pytest.mark.parametrize(("kind", "forgotten"), [("all", False), ("department", False), ("department", True)])
def test_a_range_that_ends_with_the_last_second_of_a_day_has_its_last_hour(
    kind: str, asking: Asking, city: Stored, *, forgotten: bool
) -> None:
    """A kind that is kept by the hour would lose it otherwise where recent minutes are no longer kept."""
    midnight = int((BORN_AT + timedelta(days=1)).astimezone(city.zone).replace(hour=0, minute=0).timestamp())
    question = asked("tickets_created", "tickets_handled", "timely_handling_rate", kind=kind)
    sql = sums.split(question, order="name")
    if forgotten:
        sql = as_if_forgotten(sql, "tickets")
    found = asking.ask(expand(sql, Chosen(from_s=midnight - 86_400, to_s=midnight - 1))).records
    period = Period.of(midnight - 86_400, midnight, city.zone)
    split = None if kind == "all" else kind
    results = answer(Question(kpis=question.kpis, period=period, split=split), city.reader.ask)
    known = {(each.kpi, (each.scope.value if each.scope else "") or UNNAMED): each.value for each in results}
    for record in found:
        for kpi in question.kpis:
            assert record[kpi.name] == known.get((kpi.name, record["name"]), 0 if kpi.denominator is None else None)
    assert {name for _, name in known} == {record["name"] for record in found}


def test_a_ticket_that_was_overdue_in_a_version_before_its_last_is_not_listed(asking: Asking, city: Stored) -> None:
    """Versions lie side by side until the engine merges them; the other way round it is listed."""
    at = BORN_AT - timedelta(days=30)
    overdue, left = (at + timedelta(hours=hours) for hours in (1, 2))
    names = ["source", "entity", "born_at", "version", "created_at", "due_at", "overdue_at", "left_overdue_at"]
    sql = expand(
        figure("Overdue tickets"),
        Chosen(from_s=0, to_s=BORN_S, variables={kind: [ALL_VALUE] for kind in ("line", "district", "department")}),
    )
    client = connect(city.settings)
    try:
        for version, ends in ((1, {"went": None, "came": left}), (2, {"went": left, "came": None})):
            rows = [["stale", name, at, version, at, overdue, overdue, end] for name, end in ends.items()]
            client.insert(f"{DATABASE}.tickets", rows, column_names=names)
        found = [record["ticket"] for record in asking.ask(sql).records if record["source"] == "stale"]
        assert found == ["came"]
    finally:
        gone = f"DELETE FROM {DATABASE}.tickets WHERE source = 'stale'"  # noqa: S608  names of ours
        client.command(gone, settings={"mutations_sync": 2})
        client.close()


def test_the_list_of_overdue_tickets_has_as_many_as_the_number_says(asking: Asking, city: Stored) -> None:
    at_s = BORN_S + 7 * 3600
    sql = figure("Overdue tickets")

    def listed(**chosen: list[str]) -> list[dict[str, Any]]:
        variables = {kind: chosen.get(kind, [ALL_VALUE]) for kind in ("line", "district", "department")}
        return asking.ask(expand(sql, Chosen(from_s=0, to_s=at_s, variables=variables))).records

    everything = listed()
    end_s = at_s - at_s % 60 + 60
    period = Period.of(end_s - 300, end_s, city.zone)
    (number,) = answer(Question(kpis=(KPIS["tickets_overdue"],), period=period), city.reader.ask)
    assert len(everything) == number.value
    assert len({each["ticket"] for each in everything}) == len(everything) > 10
    assert [each["due_at"] for each in everything] == sorted(each["due_at"] for each in everything)
    both = [each for each in everything if (each["line"], each["department"]) == ("a", UNNAMED)]
    assert listed(line=["a"], department=[UNNAMED]) == both != []


def counts_within(
    asking: Asking, kinds: tuple[str, str], since: datetime, until: datetime, most: int = 0
) -> list[list[Any]]:
    begin, end = (spans.local(f"toDateTime({int(at.timestamp())})", ZONE) for at in (since, until))
    return asking.ask(within(KPIS["tickets_created"], spans.Span(begin, end), *kinds, most)).rows


def test_cross_tables_count_each_ticket_in_every_span_that_holds_it(asking: Asking, city: Stored) -> None:
    """Of a range of two years a ticket may belong to it and to the year before it as well."""
    kinds, day = ("audience", "category"), timedelta(days=1)
    in_a_year = BORN_AT + 365 * day
    for until, whole in ((in_a_year + 9 * day, True), (in_a_year + timedelta(hours=2), False)):
        found = counts_within(asking, kinds, BORN_AT - day, until)
        now, before = (
            {
                (outer, inner): number
                for outer in {row[0] for row in found}
                for inner, number in of_rows(city, Period(start, end), kinds, outer).items()
            }
            for start, end in ((BORN_AT - day, until), (BORN_AT - 366 * day, until - 365 * day))
        )
        assert {(row[0], row[1]): row[2] for row in found} == now
        changes = {(row[0], row[1]): row[3] for row in found}
        assert changes == {key: now[key] / before[key] - 1 if key in before else None for key in now}
        assert all(change == 0 for change in changes.values()) is whole
        shares = [sum(row[4] for row in found if row[0] == outer) for outer in {row[0] for row in found}]
        assert shares == pytest.approx([1.0] * len(shares))


def of_rows(city: Stored, period: Period, kinds: tuple[str, str], outer: str) -> dict[str, float]:
    """Tickets of a scope, by scopes of another kind, as `hotline explain` counts them."""
    among = Among(kinds[0], (outer.replace(UNNAMED, ""),))
    kpis = (KPIS["tickets_created"],)
    question = Question(kpis=kpis, period=period, split=kinds[1], among=among, of_rows=True)
    results = answer_from_rows(question, city.reader.ask)
    return {each.scope.value or UNNAMED: each.value for each in results if each.scope and each.value}


def test_of_each_scope_the_largest_stand_in_a_cross_table(asking: Asking) -> None:
    kinds, span = ("audience", "category"), (BORN_AT - timedelta(days=1), BORN_AT + timedelta(days=9))
    every = counts_within(asking, kinds, *span)
    outers = list(dict.fromkeys(row[0] for row in every))
    first = [next([*row[:3], row[4]] for row in every if row[0] == outer) for outer in outers]
    assert counts_within(asking, kinds, *span, most=1) == first
    assert 1 < len(outers) < len(every)


def test_only_counts_make_a_cross_table() -> None:
    for name in ("timely_handling_rate", "tickets_open", "average_handling_days"):
        with pytest.raises(ValueError, match=name):
            within(KPIS[name], spans.period(ZONE), "audience", "channel", 0)


def test_the_pipeline_tells_what_the_sink_stored(asking: Asking, city: Stored) -> None:
    hours = 4
    at = Chosen(from_s=BORN_S, to_s=BORN_S + hours * 3600)
    marks = asking.ask(expand(stored.marks(ZONE), at)).records
    assert [(each["partition"], each["position"], each["age_s"]) for each in marks] == [
        (partition, 2**50 + partition, (hours - partition) * 3600) for partition in (0, 1)
    ]
    reasons = asking.ask(expand(stored.dead_by_reason(ZONE), at)).records
    assert [(each["reason"], each["recent"], each["all_time"]) for each in reasons] == [
        ("too_large", 1, 1),
        ("bad_value", 0, 2),
    ]
    listed = asking.ask(expand(stored.dead_letters(ZONE), at)).records
    with connect(city.settings) as client:
        assert [each["id"] for each in listed] == [each.id for each in newest(client, limit=9)]
        shown = [one(client, each["id"]) for each in listed]
    assert [(each.reason, each.offset) for each in shown if each] == [
        ("too_large", 3),
        ("bad_value", 2),
        ("bad_value", 1),
    ]
    by_hour = asking.ask(expand(stored.dead_by_hour(ZONE), at)).rows
    assert [dead for _, dead in by_hour] == [1, 0, 0, 2]
    assert sum(dead for _, dead in by_hour) == len(DEAD)
    begun = [row[1:] for row in asking.ask(expand(stored.logs(ZONE), at)).rows]
    assert begun == [["w", 2], ["v", 2], ["u", 2], ["t", 2], ["t", 1]]
    entries = {"Dead letters, last hour": 1, "Repairs, 24 h": 1, "Reconcile, differences": 3}
    entries |= {"Last stored": (hours - 1) * 3600, "Live values": (hours - 1) * 3600}
    assert {name: asking.ask(expand(figure(name), at)).rows[0][0] for name in entries} == entries


MINUTES = 120


def last_minute(*, interval_s: int = 60) -> Chosen:
    return Chosen(from_s=BORN_S, to_s=BORN_S + 60 * (MINUTES - 1), interval_s=interval_s)


def test_the_pipeline_tells_what_processes_told(asking: Asking) -> None:
    """The worker was started again after an hour, the sink then fell silent."""
    tiles = {"Silent processes": 1, "Lag, records": 2 * (MINUTES - 1), "Starts of processes, 24 h": 3}
    assert {name: asking.ask(expand(figure(name), last_minute())).rows[0][0] for name in tiles} == tiles
    processes = asking.ask(expand(told.processes(ZONE), last_minute())).records
    assert processes == [
        {"process": "sink", "age_s": 3600, "starts": 1, "mib": 128, "behind": None},
        {"process": "worker-0", "age_s": 0, "starts": 2, "mib": 256, "behind": 2 * (MINUTES - 1)},
    ]
    earlier = Chosen(from_s=BORN_S, to_s=BORN_S - 60)
    assert {name: asking.ask(expand(figure(name), earlier)).rows[0][0] for name in tiles} == dict.fromkeys(tiles)
    assert asking.ask(expand(told.processes(ZONE), earlier)).rows == []


def test_lag_memory_and_insert_time_have_gaps_where_nobody_told(asking: Asking) -> None:
    lags = asking.ask(expand(told.lag_series(ZONE), last_minute())).records
    assert [each["calls"] for each in lags] == [2 * minute for minute in range(MINUTES - 1)]
    assert {each[name] for each in lags for name in told.LAGS if name != "calls"} == {None}
    memory = asking.ask(expand(told.memory_series(ZONE), last_minute())).records
    assert [(each["calls"], each["tickets"]) for each in memory] == [(None, 2.0 * n) for n in range(MINUTES - 1)]
    hourly = asking.ask(expand(told.insert_series(ZONE), last_minute(interval_s=3600))).rows
    assert [each[1] for each in hourly] == [pytest.approx(0.05), None]
    rates = asking.ask(expand(told.rate_series(ZONE), last_minute(interval_s=3600))).records
    assert [(each["calls"], each["tickets"]) for each in rates] == [(pytest.approx(2.0), None), (None, None)]


def test_the_last_comparison_stands_first(asking: Asking) -> None:
    (found,) = asking.ask(expand(told.reconciliations(ZONE), last_minute())).records
    assert (found["sums_differ"], found["rows_differ"], found["cells"], found["rows"]) == (2, 1, 1000, 10)
    assert asking.ask(expand(told.differing(ZONE), Chosen(from_s=BORN_S, to_s=BORN_S))).rows == [[None]]


def test_beside_a_year_that_runs_stands_the_same_part_of_the_year_before(asking: Asking, city: Stored) -> None:
    """Not the rest of that year, which this one cannot have yet."""
    year = year_of(BORN_AT, city)
    at = Chosen(from_s=year.start_s, to_s=year.end_s - 1)
    now = datetime.now(city.zone)
    span = spans.year_before(spans.so_far(spans.period(ZONE)))
    (found,) = asking.ask(expand(f"SELECT toUnixTimestamp({span.since}), toUnixTimestamp({span.until})", at)).rows
    since, until = (datetime.fromtimestamp(at_s, city.zone) for at_s in found)
    assert since == datetime.fromtimestamp(year.start_s, city.zone).replace(year=now.year - 1)
    assert abs(until - (now - timedelta(days=365))) < timedelta(days=2)
    titles = {"Calls offered", "Tickets by audience", "Tickets created by audience and channel"}
    boards = [board.json(Edition(Lang.EN, ZONE)) for board in (ANNUAL, CROSS)]
    beside = [panel for board in boards for panel in board["panels"] if panel["title"] in titles]
    assert {panel["title"] for panel in beside} == titles
    assert all("least(" in panel["targets"][0]["rawSql"] for panel in beside)
