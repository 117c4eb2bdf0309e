"""Counts a working day and a day off, by month: sums of the days of a kind over how many such days there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options

from dashboards import look, sums
from dashboards.coverage import DAYS_MAX
from dashboards.described import described
from dashboards.entries import CITY, OVER, Edition, Entry
from dashboards.finished import column, finished, span_columns
from dashboards.links import OWN, to_number_of_span, to_numbers
from dashboards.pieces import Key
from dashboards.query import ClickHouseQuery
from dashboards.spans import Span, local
from dashboards.words import Text, kpi_title
from hotline.buckets import By
from hotline.calendar_days import standing
from hotline.catalogue import ALL, Measure
from hotline.catalogue import kpi as find
from hotline.names import SUMS_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.finished import Override
    from dashboards.words import Lang
    from hotline.catalogue import Kpi

KINDS = {
    "working": (Text("Working days", "工作日"), Text("{kpi}, a working day", "{kpi}(每工作日)")),
    "off": (Text("Days off", "非工作日"), Text("{kpi}, a day off", "{kpi}(每非工作日)")),
}
ABOUT = Text(
    "By the calendar of the settings: of each month the days that are over and have data, working days and others, and "
    "the sum of the days of a kind by how many they are. Days without data, and days that the calendar does not know, "
    "are left out of both.",
    "按设置中的日历统计:各月已结束且有数据的工作日与非工作日天数,以及各类日期的合计除以该类天数。无数据的日期和日历未收录的日期均不计入。",
)
DECIMALS = 1


def workday_table(title: Text, names: Sequence[str]) -> Entry:
    """Counts of one subject by month: how many days of each kind, and each count a day of that kind."""
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        described_ = [ABOUT.of(edition.lang), *(described(kpi, ALL).of(edition.lang) for kpi in kpis)]
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=Text("{title} by working days", "{title} · 按工作日").format(title=title).of(edition.lang),
            description="\n\n".join(described_),
            targets=[ClickHouseQuery(a_day(kpis, edition.zone))],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=list(_columns(kpis, edition.lang)),
            interval="1d",
            links=to_numbers(kpis, "range", CITY, edition.lang),
        )

    return Entry(f"workdays {' '.join(names)}", make)


def _columns(kpis: Sequence[Kpi], lang: Lang) -> Iterator[Override]:
    month = {"unit": look.BUCKETS[By.MONTH].of(lang), "decimals": 0}
    yield column("time", Text("Month", "月份").of(lang), more=month)
    yield from span_columns(OWN)
    for kind, (days, _) in KINDS.items():
        yield column(f"days_{kind}", days.of(lang), unit="locale", decimals=0)
    for kpi in kpis:
        of_month = to_number_of_span(kpi, lang)
        for kind, (_, words) in KINDS.items():
            shown = words.format(kpi=kpi_title(kpi)).of(lang)
            unit = look.unit(kpi.unit, lang)
            yield column(f"{kpi.name}_{kind}", shown, unit=unit, decimals=DECIMALS, links=[of_month])


def a_day(kpis: tuple[Kpi, ...], zone: str) -> str:
    """Select `time`, a local month of the range, its `days_working` and `days_off`, and of each count what a day has.

    Besides, as the columns `OWN`, from when to when the days of the month lie that the range touches and are over.

    A day counts when it is over, covered, and known to the calendar. Where no day of a month does, nobody knows either.
    Raises ValueError for anything but counts.
    """
    if not all(kpi.denominator is None and isinstance(kpi.numerator, Measure) for kpi in kpis):
        raise ValueError(f"only counts have an amount a day: {[kpi.name for kpi in kpis]}")
    asked = sums.Asked(kpis=kpis, span=_days_over(zone))
    counted = ", ".join(f"toInt64(countIf(is_{kind})) AS {kind}" for kind in KINDS)
    first, after = (f"toDateTime({day}, '{zone}')" for day in ("month", "addMonths(month, 1)"))
    span = OWN.selected(f"greatest({first}, since_at)", f"least({after}, until_at)")
    return (
        f"{asked.heads()} SELECT {first} AS time, {', '.join(_shown(kpis))}, {span} "  # noqa: S608
        f"FROM (SELECT toStartOfMonth(day) AS month, {counted}, {', '.join(_sums(kpis))} FROM ({_days(asked)}) AS days "
        f"LEFT JOIN ({sums.summed(asked, [Key('day', SUMS_DAY, SUMS_DAY)])}) AS summed ON days.day = summed.day "
        f"GROUP BY month) ORDER BY month"
    )


def _days_over(zone: str) -> Span:
    """The local days that a range touches, whole, as far as they are over."""
    whole = OVER["range"].span(zone)
    after = f"toStartOfDay(addDays({whole.until} - 1, 1))"
    return Span(f"toStartOfDay({whole.since})", f"least({after}, toStartOfDay({local('now()', zone)}))")


def _days(asked: sums.Asked) -> str:
    """Select each day of the span with its kind; none for one that is not covered or not known."""
    first, count = "toDate32(since_at)", "toInt64(toDate32(until_at)) - toInt64(toDate32(since_at))"
    covered = sums.days(asked.subject, "toDate32(day)")
    kinds = ", ".join(
        f"day IN ({covered}) AND day IN ({standing('day', condition)}) AS is_{kind}"
        for kind, condition in (("working", "working"), ("off", "NOT working"))
    )
    return (
        f"SELECT day, {kinds} FROM "  # noqa: S608  names of ours
        f"(SELECT {first} + number AS day FROM numbers(toUInt64(least({DAYS_MAX}, greatest(0, {count})))))"
    )


def _sums(kpis: Sequence[Kpi]) -> Iterator[str]:
    for kpi in kpis:
        for kind in KINDS:
            yield f"sumIf(summed.{sums.amount(kpi)}, is_{kind}) AS {kpi.name}_sum_{kind}"


def _shown(kpis: Sequence[Kpi]) -> Iterator[str]:
    for kind in KINDS:
        yield f"if({' + '.join(KINDS)} > 0, {kind}, NULL) AS days_{kind}"
    for kpi in kpis:
        for kind in KINDS:
            shown = f"{kpi.name}_sum_{kind} / nullIf({kind}, 0)"
            yield f"{sums.where_filled(kpi, ALL, shown)} AS {kpi.name}_{kind}"
