"""Every query of every board on the real engine; the numbers are those that `hotline.queries` and plain rows give."""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from dashboards import series, spans, stored, sums
from dashboards.annotations import MARKS_MAX
from dashboards.boards import BOARDS
from dashboards.entries import OVER, Edition
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.query import SERIES
from dashboards.words import UNNAMED, Lang
from hotline.buckets import By
from hotline.catalogue import ALL, KPIS, Kpi, Quantile, Stock, scope_kinds
from hotline.names import DATABASE
from hotline.periods import Period
from hotline.queries import Question, Scope, answer
from hotline.subjects import SUBJECTS, TICKETS, Subject
from hotline.windows import WINDOWS, span
from sinks.connecting import connect
from sinks.migrations import migrations
from tests.dashboards.asking import Asking
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.hotline.stored_rows import ODD_NAME, engine, migrated
from tests.hotline.test_queries import Naive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.dashboards.asking import Answer
    from tests.hotline.stored_rows import Stored

BORN_S = int(BORN_AT.timestamp())
NASTY = ["o'neil", "投诉", "🚰 \\", "$__toTime", ODD_NAME]
SCOPED = ("line", "district", "department")
CASES = {
    "all": Chosen(from_s=BORN_S - 7200, to_s=BORN_S + 90_000, interval_s=600, variables={}),
    "nasty": Chosen(from_s=BORN_S - 7200, to_s=BORN_S + 90_000, interval_s=600, variables=dict.fromkeys(SCOPED, NASTY)),
    "empty": Chosen(from_s=BORN_S - 120_000_000, to_s=BORN_S - 119_900_000, interval_s=3600, variables={}),
}


def with_all(chosen: Chosen, window: str = "1h") -> Chosen:
    values = {**{kind: [ALL_VALUE] for kind in SCOPED}, "window": window, **chosen.variables}
    return Chosen(from_s=chosen.from_s, to_s=chosen.to_s, interval_s=chosen.interval_s, variables=values)


def boards() -> list[dict[str, Any]]:
    return [board.json(Edition(Lang.EN, ZONE)) for board in BOARDS]


def targets() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for board in boards():
        for panel in board["panels"]:
            yield from ((panel, target) for target in panel.get("targets", ()))


def distinct() -> dict[str, tuple[dict[str, Any], int]]:
    """Each query once, with a panel that asks it and the format that it asks for."""
    return {target["rawSql"]: (panel, target["format"]) for panel, target in targets()}


UNKNOWN = ("Lag, records", "Average handling, working days", "· 30 min")
"""What nobody told the city of the tests: lags; handling in working days; calls of its last half hour."""


@pytest.mark.parametrize("case", CASES)
def test_every_panel_runs_and_its_columns_are_of_the_kinds_that_it_draws(case: str, asking: Asking) -> None:
    for sql, (panel, kind) in distinct().items():
        found = asking.ask(expand(sql, with_all(CASES[case], "7d")))
        check_columns(panel, kind, found)
        if case == "empty":
            by_the_clock = panel["title"].startswith("Data age")  # which is old then, too
            assert has_no_number(found) is not by_the_clock, (panel["title"], found.rows[:3])
        if case == "all" and not any(words in panel["title"] for words in UNKNOWN):
            of_a_week_ago = all(name.endswith("_before") for name in found.types if name != "time")
            assert has_no_number(found) is of_a_week_ago, panel["title"]


NUMBER = re.compile(r"(Nullable\()?(Int64|Float64)\)?")


def check_columns(panel: dict[str, Any], kind: int, found: Answer) -> None:
    """A time first in series, a name first in tables of scopes, else numbers that may be missing."""
    for place, (name, type_) in enumerate(found.types.items()):
        where = f"{panel['title']}: {name} {type_}"
        if kind == SERIES and place == 0:
            assert (name, type_) == ("time", f"DateTime('{ZONE}')"), where
        elif type_ == "String" or type_.startswith("DateTime") or "Nullable(DateTime" in type_:
            assert panel["type"] in {"table", "bargauge", "stat"}, where
        else:
            assert NUMBER.fullmatch(type_), where
        if panel["type"] == "table" and "DateTime" in type_:
            assert unit_of(panel, name).startswith("time:"), where
    named = {name for name in found.types if name not in {"time", "name"}}
    overridden = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]} - {"time", "name"}
    if panel["type"] in {"table", "timeseries"}:
        assert named <= overridden, f"{panel['title']}: no title for {named - overridden}"


def unit_of(panel: dict[str, Any], name: str) -> str:
    """The unit of a column of a table."""
    (rule,) = (each for each in panel["fieldConfig"]["overrides"] if each["matcher"]["options"] == name)
    return next((str(one["value"]) for one in rule["properties"] if one["id"] == "unit"), "")


def has_no_number(found: Answer) -> bool:
    """Where nobody knows anything there is no value, which is not 0, and no row of a list; of a month, its days are."""
    numbers = [name for name, type_ in found.types.items() if NUMBER.fullmatch(type_) and name != "days"]
    return all(record[name] is None for record in found.records for name in numbers) and bool(numbers or not found.rows)


@pytest.mark.parametrize("case", CASES)
def test_variables_and_annotations_run(case: str, asking: Asking) -> None:
    for board in boards():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                names = [row[0] for row in asking.ask(variable["query"]).rows]
                assert {"a", "b", UNNAMED} <= set(names)
                assert (ODD_NAME in names) is (variable["name"] == "district")
        for annotation in board["annotations"]["list"]:
            if sql := annotation["target"].get("rawSql"):
                found = asking.ask(expand(sql, with_all(CASES[case])))
                assert next(iter(found.types)) == "time"
                assert found.types["text"] == "String"
                assert bool(found.rows) is (case != "empty" and annotation["name"] != "Days without data")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_district_of_calls_or_of_tickets_alone_can_be_chosen_on_its_board(
    subject: str, asking: Asking, city: Stored
) -> None:
    """As if the other subject had none."""
    (board,) = (board.json(Edition(Lang.EN, ZONE)) for board in BOARDS if board.name == "district")
    ((kind, sql),) = ((each["name"], each["query"]) for each in board["templating"]["list"] if each["type"] == "query")
    for other in SUBJECTS.keys() - {subject}:
        table = SUBJECTS[other].sums_table
        assert table in sql
        sql = sql.replace(f"{table} WHERE", f"{table} WHERE 0 AND")
    named = {getattr(row, kind) or UNNAMED for row in city.rows[subject]}
    assert [row[0] for row in asking.ask(sql).rows] == sorted(named)
    assert len(named) > 2


LAST_ON = (BORN_AT + timedelta(days=5)).astimezone(ZoneInfo(ZONE)).date()
REPAIRED = f"{BORN_AT.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}"
MARKED = {
    "Corrections": [
        (0, f"Changed by events that came late or were revised: 5, last on {LAST_ON}"),
        (1, f"Stored sums corrected: {REPAIRED} … {REPAIRED}"),
        (16, f"Changed by events that came late or were revised: 1, last on {LAST_ON}"),
    ],
    "数据更正": [
        (0, f"由迟到或修订的事件更改: 5, 最近于 {LAST_ON}"),
        (1, f"已更正存储的和: {REPAIRED} … {REPAIRED}"),
        (16, f"由迟到或修订的事件更改: 1, 最近于 {LAST_ON}"),
    ],
    "Incidents": [
        (0, "Log begun anew: t 2, u 2, v 2 … (4)"),
        (1, "Sums that differ from rows: 2, rows that differ from events: 1"),
        (2, "Records given up: hotline.calls[1] 17"),
    ],
    "异常": [
        (0, "日志重新开始: t 2, u 2, v 2 … (4)"),
        (1, "与明细不符的和: 2, 与事件不符的明细: 1"),
        (2, "已放弃的记录: hotline.calls[1] 17"),
    ],
    "Releases": [
        (3, "Sums of new formulas filled: renewed_0, renewed_1, renewed_2 … (5)"),
        (4, "Sums no longer kept by workers: renewed_0"),
    ],
    "发布": [(3, "新公式的和已补齐: renewed_0, renewed_1, renewed_2 … (5)"), (4, "工作进程不再维护的和: renewed_0")],
}


def asked_for(name: str) -> set[str]:
    """Statements of the marks of that name, on all boards."""
    found = [board.json(Edition(lang, ZONE)) for board in BOARDS for lang in Lang]
    marks = [mark for board in found for mark in board["annotations"]["list"]]
    return {mark["target"]["rawSql"] for mark in marks if mark["name"] == name}


@pytest.mark.parametrize("name", MARKED)
def test_incidents_releases_and_corrections_are_marked_with_what_happened(name: str, asking: Asking) -> None:
    """At the hours at which the seeded ones are."""
    (sql,) = asked_for(name)
    found = asking.ask(expand(sql, Chosen(from_s=BORN_S, to_s=BORN_S + 86_400))).rows
    assert [text for _, text in found] == [text for _, text in MARKED[name]]
    begin = datetime.fromisoformat(found[0][0])
    hours = [MARKED[name][0][0] + (datetime.fromisoformat(at) - begin) / timedelta(hours=1) for at, _ in found]
    assert hours == [hour for hour, _ in MARKED[name]]


@pytest.mark.parametrize(("name", "text"), [("Days without data", "No data of this day"), ("无数据日", "当日无数据")])
def test_days_between_covered_ones_that_nobody_has_data_of_are_marked(
    name: str, text: str, asking: Asking, city: Stored
) -> None:
    """Not those before the first and after the last; of a year without any, the first hundred."""
    (sql,) = asked_for(name)
    covered = set.union(*city.covered.values())
    first, last, week = min(covered), max(covered), timedelta(days=7)
    missing = [day for day in days_of(first, last) if day not in covered]
    assert len(missing) > MARKS_MAX
    for since, until in ((first - week, first + week), (last - week, last + week), (first, last)):
        ends = (datetime(day.year, day.month, day.day, 12, tzinfo=city.zone) for day in (since, until))
        from_s, to_s = (int(at.timestamp()) for at in ends)
        found = asking.ask(expand(sql, Chosen(from_s=from_s, to_s=to_s))).rows
        expected = [day for day in missing if since <= day <= until]
        assert found == [[f"{day} 00:00:00", text] for day in expected[:MARKS_MAX]] != []


def days_of(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_a_release_tells_to_what_the_tables_were_brought(asking: Asking) -> None:
    (sql,) = asked_for("Releases")
    now_s = int(datetime.now(UTC).timestamp())
    found = asking.ask(expand(sql, Chosen(from_s=now_s - 7200, to_s=now_s + 60))).rows
    *_, last = (migration.name for migration in migrations())
    assert f"Tables brought up to date: {last}" in [text for _, text in found]


def additive(subject: Subject) -> list[Kpi]:
    return [kpi for kpi in KPIS.values() if kpi.subject is subject and not isinstance(kpi.numerator, Quantile)]


@pytest.fixture(scope="module")
def rows(city: Stored) -> Naive:
    return Naive(city)


INSTANTS = (BORN_S + 2 * 3600 + 1861, BORN_S + 16 * 3600 + 59)
"""In the middle of hours, where what is kept by the hour needs recent minutes."""


@pytest.mark.parametrize("kind", [ALL, "line", "district", "department", "operator_group"])
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_values_by_scope_are_those_of_the_rows_themselves(
    subject: Subject, kind: str, asking: Asking, rows: Naive, city: Stored
) -> None:
    """Of every KPI, window and scope, kept by the minute or by the hour, as `hotline.windows` cuts them."""
    kpis = tuple(kpi for kpi in additive(subject) if kpi.grain(kind))
    if kind not in scope_kinds(subject):
        assert kpis == ()
        return
    for at_s, name in ((INSTANTS[0], "5min"), (INSTANTS[1], "today"), (INSTANTS[1], "7d")):
        (window,) = (each for each in WINDOWS if each.name == name)
        period = Period.of(*span(window, at_s, city.zone), city.zone)
        asked = sums.Asked(kpis=kpis, span=OVER["window"].span(ZONE), kind=kind)
        found = by_name(
            asking.ask(expand(sums.split(asked, order="name"), with_all(Chosen(from_s=0, to_s=at_s), name)))
        )
        scopes = {getattr(row, kind) for row in city.rows[subject.name]} if kind != ALL else {""}
        for scope in scopes:
            expected = [value(rows, kpi, period, kind, scope) for kpi in kpis]
            if (record := found.get(scope or UNNAMED)) is not None:
                assert [record[kpi.name] for kpi in kpis] == expected, (kind, scope, name)
            else:
                assert not any(expected), (kind, scope, name)


def test_every_tile_shows_what_a_question_about_its_kpi_is_answered(asking: Asking, city: Stored) -> None:
    """All lines, districts or departments together are the city, whatever the grain their sums are kept at."""
    at_s = INSTANTS[1]
    entries = {entry.key: entry for board in BOARDS for each in board.rows for entry in each.entries}
    tiles = [(key.split(), entry) for key, entry in entries.items() if key.startswith("tile ")]
    for (_, name, over, _kind), entry in tiles:
        (target,) = entry.make(Edition(Lang.EN, ZONE)).targets or []
        sql = expand(target.sql, with_all(Chosen(from_s=0, to_s=at_s), "1h"))  # type: ignore[attr-defined]
        spanned = next(each for each in WINDOWS if each.name == {"window": "1h", "now": "5min"}.get(over, over))
        period = Period.of(*span(spanned, at_s, city.zone), city.zone)
        (result,) = answer(Question(kpis=(KPIS[name],), period=period), city.reader.ask)
        assert asking.ask(sql).rows == [[result.value]], entry.key
    assert len(tiles) > 40


@pytest.mark.parametrize("name", [window.name for window in WINDOWS])
def test_a_window_that_is_chosen_is_the_one_of_that_name(name: str, asking: Asking, city: Stored) -> None:
    (window,) = (each for each in WINDOWS if each.name == name)
    for at_s in INSTANTS:
        for of in (name, "window"):
            found = OVER[of].span(ZONE)
            sql = f"SELECT toInt64(toUnixTimestamp({found.since})), toInt64(toUnixTimestamp({found.until}))"
            given = with_all(Chosen(from_s=0, to_s=at_s), name)
            assert asking.ask(expand(sql, given)).rows == [list(span(window, at_s, city.zone))]


def by_name(found: Answer) -> dict[str, dict[str, Any]]:
    return {record.pop("name"): record for record in found.records}


def value(rows: Naive, kpi: Kpi, period: Period, kind: str, scope: str) -> float | int | None:
    (found,) = rows.results(kpi, [period], Scope(kind, scope) if kind != ALL else None)
    return found[2]


def test_chosen_scopes_are_added_up_and_divided_once(asking: Asking, rows: Naive, city: Stored) -> None:
    """Two districts with a nasty name and without one; all of them are the city."""
    kpis = tuple(additive(TICKETS))
    asked = sums.Asked(kpis=kpis, span=OVER["today"].span(ZONE), kind="district", chosen="district")
    at_s = INSTANTS[1]
    (today,) = (each for each in WINDOWS if each.name == "today")
    period = Period.of(*span(today, at_s, city.zone), city.zone)
    for names in ([ODD_NAME, UNNAMED], [ALL_VALUE]):
        given = Chosen(from_s=0, to_s=at_s, variables={"district": names})
        (record,) = asking.ask(expand(sums.total(asked), given)).records
        for kpi in kpis:
            assert record[kpi.name] == together(rows, kpi, period, names), kpi.name


def together(rows: Naive, kpi: Kpi, period: Period, names: Sequence[str]) -> float | int | None:
    if names == [ALL_VALUE]:
        return value(rows, kpi, period, ALL, "")
    parts = [rows.results(kpi, [period], Scope("district", "" if name == UNNAMED else name))[0][:2] for name in names]
    numerators = [part[0] for part in parts if part[0] is not None]
    return kpi.value(sum(numerators) if numerators else None, sum(part[1] or 0 for part in parts))


STEPS = {
    By.MINUTE: (series.MINUTES, timedelta(hours=2)),
    By.HOUR: (series.HOURS, timedelta(days=2)),
    By.DAY: (series.STEPS[By.DAY], timedelta(days=6)),
    By.WEEK: (series.STEPS[By.WEEK], timedelta(days=20)),
    By.MONTH: (series.STEPS[By.MONTH], timedelta(days=70)),
    By.QUARTER: (series.STEPS[By.QUARTER], timedelta(days=200)),
    By.YEAR: (series.STEPS[By.YEAR], timedelta(days=800)),
}


@pytest.mark.parametrize("by", STEPS)
def test_series_have_every_bucket_with_the_value_that_a_question_gives(by: By, asking: Asking, city: Stored) -> None:
    """Counts, ratios and stocks; a count is 0 on covered days and nothing elsewhere; nothing lies in the future."""
    step, length = STEPS[by]
    period = whole_days(length, city) if by is not By.MINUTE else Period.of(BORN_S - 60, BORN_S + 7140, city.zone)
    now = datetime.now(city.zone)
    for subject in SUBJECTS.values():
        kpis = tuple(additive(subject))
        asked = sums.Asked(kpis=kpis, span=spans.period(ZONE))
        given = Chosen(from_s=period.start_s, to_s=period.end_s, interval_s=60)
        found = asking.ask(expand(series.series(asked, step, ZONE), given)).records
        results = answer(Question(kpis=kpis, period=period, by=by), city.reader.ask)
        for kpi in kpis:
            expected = [result.value for result in results if result.kpi == kpi.name and result.start <= now]
            assert [record[kpi.name] for record in found] == expected, (by, kpi.name)


def whole_days(length: timedelta, city: Stored) -> Period:
    """Days around the births, which end in the future for the longer ones."""
    midnight = int(BORN_AT.astimezone(city.zone).replace(hour=0).timestamp())
    return Period.of(midnight - int(length.total_seconds()) // 2, midnight + 5 * 86_400, city.zone)


def test_a_kpi_whose_sums_lack_something_of_the_past_has_no_value(asking: Asking, city: Stored) -> None:
    """As `hotline kpi` has none; before and after the column is filled, by the minute and by the hour."""
    offered, waiting, due = (KPIS[name] for name in ("calls_offered", "calls_waiting", "timely_handling_rate"))
    columns = [("minute_sums_calls", kpi.measures[0].column) for kpi in (offered, waiting)]
    columns.append(("recent_sums_tickets", due.measures[1].column))
    asked = [
        sums.Asked(kpis=(kpi,), span=OVER["7d"].span(ZONE), kind=kind)
        for kpi, kind in ((offered, ALL), (waiting, ALL), (due, "department"))
    ]

    def has_values() -> list[bool]:
        given = Chosen(from_s=BORN_S, to_s=INSTANTS[1])
        totals = [asking.ask(expand(sums.total(each), given)).rows for each in asked]
        lines = [asking.ask(expand(series.series(each, series.HOURS, ZONE), given)).rows for each in asked]
        return [any(value is not None for _, value in line) for line in lines] + [
            row[0][0] is not None for row in totals
        ]

    def tell(told: str, lacked: int) -> None:
        with connect(city.settings) as client:
            names = ["sums_table", "sums_column", "told", "lacked"]
            client.insert(f"{DATABASE}.filled_columns", [[*each, told, lacked] for each in columns], column_names=names)

    assert has_values() == [True] * 6
    tell("lacking", 0)
    assert has_values() == [False] * 6
    tell("filled", 1)
    assert has_values() == [True] * 6


def test_the_line_of_a_week_before_stands_at_the_times_of_today(asking: Asking) -> None:
    kpi = KPIS["calls_offered"]
    asked = sums.Asked(kpis=(kpi,), span=spans.period(ZONE))
    ago = Chosen(from_s=BORN_S - 3600, to_s=BORN_S + 7200, interval_s=600)
    then = asking.ask(expand(series.series(asked, series.MINUTES, ZONE), ago)).rows
    later = [(datetime.fromisoformat(time) + timedelta(days=7), number) for time, number in then]
    moved = Chosen(from_s=ago.from_s + 7 * 86_400, to_s=ago.to_s + 7 * 86_400, interval_s=600)
    found = asking.ask(expand(series.series(asked, series.MINUTES, ZONE, days_back=7, suffix="_before"), moved))
    assert [(datetime.fromisoformat(time), number) for time, number in found.rows] == later
    assert any(number for _, number in later)


def test_hours_of_the_day_add_up_to_the_days(asking: Asking) -> None:
    asked = sums.Asked(kpis=(KPIS["calls_offered"],), span=spans.period(ZONE))
    given = Chosen(from_s=BORN_S - 8 * 3600, to_s=BORN_S + 40 * 3600, interval_s=3600)
    by_hour = asking.ask(expand(series.by_hour_of_day(asked, ZONE), given)).rows
    by_day = asking.ask(expand(series.series(asked, series.STEPS[By.DAY], ZONE), given)).rows
    days = [(datetime.fromisoformat(day) + timedelta(days=1), number or 0) for day, number in by_day]
    assert [(datetime.fromisoformat(ends), sum(hour or 0 for hour in hours)) for ends, *hours in by_hour] == days
    assert sum(hour is not None for _, *hours in by_hour for hour in hours) >= 24


def test_an_hour_that_comes_twice_is_one_hour_of_the_day_and_one_that_does_not_come_is_none(tmp_path: Path) -> None:
    """New York, 2023: the clock shows one o'clock twice on 5 November, and never two o'clock on 12 March."""
    zone, kpi = "America/New_York", KPIS["answered_30s_share"]
    within, answered = (measure.column for measure in kpi.measures)
    twice = [datetime(2023, 11, 5, hour, 30, tzinfo=UTC) for hour in (5, 6)]
    rows = [["all", "", at, *sums] for at, sums in zip(twice, ((1, 4), (2, 2)), strict=True)]
    rows.append(["all", "", datetime(2023, 3, 12, 7, 30, tzinfo=UTC), 1, 2])
    with engine(tmp_path, zone) as settings, migrated(settings) as client:
        names = ["scope_kind", "scope", "at", within, answered]
        client.insert(f"{DATABASE}.minute_sums_calls", rows, column_names=names)
        asking = Asking(settings)
        found = {}
        for day in (date(2023, 3, 12), date(2023, 11, 5)):
            from_s = int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())
            given = Chosen(from_s=from_s, to_s=from_s + 23 * 3600 - 1, interval_s=3600)
            asked = sums.Asked(kpis=(kpi,), span=spans.period(zone))
            ((_, *hours),) = asking.ask(expand(series.by_hour_of_day(asked, zone), given)).rows
            found[day.month] = {hour: value for hour, value in enumerate(hours) if value is not None}
    assert found == {3: {3: 0.5}, 11: {1: 0.5}}


def test_the_longest_wait_is_that_of_the_first_who_still_waits(asking: Asking, city: Stored) -> None:
    at_s = BORN_S + 16 * 3600
    stock = KPIS["calls_waiting"].numerator
    assert isinstance(stock, Stock)
    waits = [
        at_s - queued.timestamp()
        for row in city.rows["calls"]
        if stock.came.of(row)
        and (queued := getattr(row, stock.came.at.name)).timestamp() <= at_s
        and not (stock.left.of(row) and getattr(row, stock.left.at.name).timestamp() <= at_s)
    ]
    assert asking.ask(expand(figure("Longest wait now"), Chosen(from_s=0, to_s=at_s))).rows == [[max(waits)]]
    assert asking.ask(expand(figure("Longest wait now"), Chosen(from_s=0, to_s=BORN_S - 60))).rows == [[None]]


AGES = {"Data age, calls": ["calls"], "Data age, tickets": ["tickets"], "Data age < ": ["calls", "tickets"]}
"""Title → the subjects that it is about."""


def age(title: str, asking: Asking, after_s: int, **stopped_s: int) -> int | None:
    """The age that a board shows so long after the city's beginning, if subjects had stopped at such a time of it."""
    sql = figure(title).replace("now()", f"toDateTime({BORN_S + after_s})")
    assert sql != figure(title)
    for subject, at_s in stopped_s.items():
        read = f"FROM {DATABASE}.{SUBJECTS[subject].sums_table} WHERE "
        sql = sql.replace(read, f"{read}at < toDateTime({BORN_S + at_s}) AND ")
    found: int | None = asking.ask(sql).rows[0][0]
    return found


@pytest.mark.parametrize("title", AGES)
def test_the_age_of_the_data_is_counted_from_the_end_of_the_newest_minute_with_an_event(
    title: str, asking: Asking
) -> None:
    """Deadlines that pass without anything happening make nothing younger; nor does what counts later than now."""
    assert age(title, asking, -120_000_000) is None
    assert (age(title, asking, 0), age(title, asking, 59)) == (0, 0)
    assert 0 < (age(title, asking, 400) or 0) <= 400 - 60
    assert (age(title, asking, 9_000_000) or 0) > (age(title, asking, 40_000) or 0)


@pytest.mark.parametrize("title", AGES)
def test_a_subject_that_stands_still_makes_its_own_age_older_and_that_of_both(title: str, asking: Asking) -> None:
    """However fresh the other one is; one that never had an event does not count."""
    at_s, ever_s = 40_000, -120_000_000
    fresh = age(title, asking, at_s) or 0
    for subject in SUBJECTS:
        own = AGES[title] == [subject]
        stopped = age(title, asking, at_s, **{subject: 120})
        assert (stopped or 0) >= at_s - 120 > fresh if subject in AGES[title] else stopped == fresh
        assert age(title, asking, at_s, **{subject: ever_s}) == (None if own else fresh)


def test_the_age_of_the_data_is_by_the_clock_whatever_the_range_of_whatever_board(asking: Asking) -> None:
    """A board about last year does not call data of weeks ago fresh: no board asks for its age otherwise."""
    of_boards = {target["rawSql"] for panel, target in targets() if panel["title"].startswith("Data age")}
    now_s = int(datetime.now(UTC).timestamp())
    ranges = [(0, BORN_S - 120_000_000), (BORN_S, BORN_S + 60), (now_s - 3600, now_s + 9_000_000)]
    assert len(of_boards) == len(AGES)
    for each in of_boards:
        (sql,) = {expand(each, Chosen(from_s=first, to_s=last)) for first, last in ranges}
        (age_s,), (at_s,) = (asking.ask(one).rows[0] for one in (sql, sql.replace("now()", f"toDateTime({now_s})")))
        assert at_s <= age_s <= at_s + 60


def test_a_partition_is_shown_though_its_mark_moves_just_now(asking: Asking) -> None:
    """The mark that was there when the board's range ended is gone: only the newest is kept."""
    ages = {
        before_s: [
            row[-1] for row in asking.ask(expand(stored.marks(ZONE), Chosen(from_s=0, to_s=BORN_S - before_s))).rows
        ]
        for before_s in (-7200, -3610, 0, 2, 59, 60, 4000)
    }
    assert ages == {-7200: [7200, 3600], -3610: [3610, 10], 0: [0], 2: [0], 59: [0], 60: [], 4000: []}


@functools.cache
def figure(title: str) -> str:
    return next(str(target["rawSql"]) for panel, target in targets() if str(panel["title"]).startswith(title))
