"""Panels of the annual board: whole years by local months and quarters, beside the year before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.builders import text as texts
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import text as text_options

from dashboards import look, series, sums
from dashboards.described import described
from dashboards.entries import CITY, OVER, Edition, Entry, Scopes
from dashboards.finished import (
    change_column,
    column,
    finished,
    line_overrides,
    number_overrides,
    scope_column,
    span_columns,
    tile_overrides,
)
from dashboards.links import OWN, YEAR_BEFORE, to_number_of_scope, to_number_of_span, to_numbers
from dashboards.query import SERIES, ClickHouseQuery
from dashboards.spans import so_far, year_before
from dashboards.words import Lang, Text, kind_title, kpi_formula, kpi_title
from hotline.buckets import By
from hotline.catalogue import ALL, Kpi, Unit
from hotline.catalogue import kpi as find

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.finished import Override

CHANGE = Text("on the year before", "同比")
BUCKETS = {
    By.MONTH: Text("by month", "按月"),
    By.QUARTER: Text("by quarter", "按季度"),
    By.YEAR: Text("by year", "按年"),
}
_BUCKET = {By.MONTH: Text("Month", "月份"), By.QUARTER: Text("Quarter", "季度"), By.YEAR: Text("Year", "年份")}


def year_tile(name: str) -> Entry:
    """A KPI over the range, and how it differs from the same range a year before."""
    return replace(year_totals(look.with_target(find(name)), [name]), key=f"year {name}")


def year_totals(title: Text, names: Sequence[str]) -> Entry:
    """KPIs over the range side by side, and how each differs from the same range a year before."""
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        now = sums.Asked(kpis=kpis, span=OVER["range"].span(edition.zone))
        before = replace(now, span=year_before(so_far(now.span)))
        numbers = [each for kpi in kpis for each in _total(kpi, edition.lang, alone=len(kpis) == 1)]
        panel = (
            stat.Panel()
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
            .graph_mode(options.BigValueGraphMode.NONE)
            .color_mode(options.BigValueColorMode.VALUE)
            .text_mode(options.BigValueTextMode.VALUE_AND_NAME)
        )
        return finished(
            panel.build(),
            title=title.of(edition.lang),
            description="\n\n".join(described(kpi, ALL).of(edition.lang) for kpi in kpis),
            targets=[ClickHouseQuery(sums.changed(kpis, sums.total(now), sums.total(before)))],
            field=look.kpi_field(kpis[0], edition.lang),
            overrides=numbers,
            interval="1d",
            links=to_numbers(kpis, "range", CITY, edition.lang),
        )

    return Entry(f"year totals {' '.join(names)}", make)


def year_line(name: str, by: By = By.MONTH) -> Entry:
    """A KPI by month, quarter or year, the year before beside it."""
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        asked = sums.Asked(kpis=(kpi,), span=OVER["range"].span(edition.zone))
        bars = kpi.unit is Unit.COUNT
        panel = (
            timeseries.Panel()
            .draw_style(options.GraphDrawStyle.BARS if bars else options.GraphDrawStyle.LINE)
            .fill_opacity(60 if bars else 0)
            .line_width(2)
            .show_points(options.VisibilityMode.AUTO if bars else options.VisibilityMode.ALWAYS)
            .span_nulls(False)
            .legend(common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM))
            .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
        )
        return finished(
            panel.build(),
            title=Text("{kpi} {by}", "{kpi} · {by}").format(kpi=kpi_title(kpi), by=BUCKETS[by]).of(edition.lang),
            description=described(kpi, ALL).of(edition.lang),
            targets=[ClickHouseQuery(series.years(asked, by, edition.zone), SERIES)],
            field=look.kpi_field(kpi, edition.lang),
            overrides=_lines(kpi, edition.lang),
            interval="1d",
            links=to_numbers((kpi,), "range", CITY, edition.lang),
        )

    return Entry(f"year line {name} {by}", make)


def year_table(title: Text, names: Sequence[str], by: By) -> Entry:
    """KPIs by month, quarter or year, each beside its value of the year before."""
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        asked = sums.Asked(kpis=kpis, span=OVER["range"].span(edition.zone))
        columns = [_since(by, edition.lang), *span_columns(OWN, YEAR_BEFORE)]
        columns += [each for kpi in kpis for each in _cells(kpi, edition.lang)]
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=Text("{title} {by}", "{title} · {by}").format(title=title, by=BUCKETS[by]).of(edition.lang),
            description="\n\n".join(described(kpi, ALL).of(edition.lang) for kpi in kpis),
            targets=[ClickHouseQuery(series.spanned(asked, by, edition.zone))],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=columns,
            interval="1d",
            links=to_numbers(kpis, "range", CITY, edition.lang),
        )

    return Entry(f"year table {' '.join(names)} {by}", make)


def year_split(title: Text, names: Sequence[str], of: Scopes, by: str = "") -> Entry:
    """KPIs of the range by scope, and how each differs from the same range a year before.

    Values lead to pages that show the shares of kind `by` within their scope, which no sum can say.
    """
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        now = sums.Asked(kpis=kpis, span=OVER["range"].span(edition.zone), kind=of.kind)
        before = replace(now, span=year_before(so_far(now.span)))
        new, old = (sums.split(asked, order="name", rows_max=sums.SCOPES_MAX) for asked in (now, before))
        columns = [scope_column(of.kind, edition.lang)]
        for kpi in kpis:
            link = to_number_of_scope(kpi, "range", of.kind, edition.lang, by)
            columns += number_overrides((kpi,), edition.lang, links={kpi.name: link})
            columns.append(change_column(kpi, edition.lang, _changed(kpi), links=[link]))
        order = f" ORDER BY {names[0]} DESC NULLS LAST, name LIMIT 1000"
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=title.of(edition.lang),
            description="\n\n".join(described(kpi, of.kind).of(edition.lang) for kpi in kpis),
            targets=[ClickHouseQuery(sums.changed(kpis, new, old, by="name") + order)],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=columns,
            interval="1d",
            links=to_numbers(kpis, "range", of, edition.lang),
        )

    return Entry(f"year split {' '.join(names)} {of.kind}", make)


def year_top(name: str, of: Scopes, rows: int = 5) -> Entry:
    """The scopes with the most of a count over the range, each with its share of all."""
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        asked = sums.Asked(kpis=(kpi,), span=OVER["range"].span(edition.zone), kind=of.kind)
        share = Text("Share of all", "占比").of(edition.lang)
        unit = look.unit(Unit.SHARE, edition.lang)
        link = to_number_of_scope(kpi, "range", of.kind, edition.lang)
        words = Text("{kpi}: TOP {n} by {kind}", "{kpi}:{kind}TOP{n}")
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.MD).build(),
            title=words.format(kpi=kpi_title(kpi), n=rows, kind=kind_title(of.kind)).of(edition.lang),
            description=described(kpi, of.kind).of(edition.lang),
            targets=[ClickHouseQuery(sums.top(asked, rows_max=rows))],
            field=look.kpi_field(kpi, edition.lang),
            overrides=[
                scope_column(of.kind, edition.lang),
                *number_overrides((kpi,), edition.lang, links={name: link}),
                column("share", share, unit=unit, decimals=look.decimals(Unit.SHARE), links=[link]),
            ],
            interval="1d",
            links=to_numbers((kpi,), "range", of, edition.lang),
        )

    return Entry(f"year top {name} {of.kind}", make)


def definitions(names: Iterable[str]) -> Entry:
    """The formulas of KPIs and the sums that they are read from, whose names change with the formula."""
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        head = Text("| KPI | formula | sums |", "| 指标 | 公式 | 和 |").of(edition.lang)
        lines = [head, "|---|---|---|", *(_definition(kpi, edition.lang) for kpi in kpis)]
        panel = texts.Panel().mode(text_options.TextMode.MARKDOWN).content("\n".join(lines)).build()
        panel.title = Text("Definitions", "指标定义").of(edition.lang)
        panel.description = Text(
            "The six letters behind the name of a sum stand for its formula: another formula is another sum.",
            "和名称末尾的六个字符代表其公式:公式不同,和的名称也不同。",
        ).of(edition.lang)
        return panel

    return Entry("definitions", make)


def _definition(kpi: Kpi, lang: Lang) -> str:
    columns = ", ".join(f"`{measure.column}`" for measure in kpi.measures)
    return f"| {kpi_title(kpi).of(lang)} | {kpi_formula(kpi).of(lang)} | {columns} |"


def _total(kpi: Kpi, lang: Lang, *, alone: bool) -> list[Override]:
    """A number, and its change, which says of what it is unless there is no other one."""
    words = CHANGE if alone else _changed(kpi)
    return [*tile_overrides((kpi,), lang), change_column(kpi, lang, words)]


def _changed(kpi: Kpi) -> Text:
    return Text("{kpi} {change}", "{kpi}{change}").format(kpi=kpi_title(kpi), change=CHANGE)


def _since(by: By, lang: Lang) -> Override:
    """The column of the month, quarter or year that a row is of."""
    return column("time", _BUCKET[by].of(lang), more={"unit": look.BUCKETS[by].of(lang), "decimals": 0})


def _lines(kpi: Kpi, lang: Lang) -> list[Override]:
    """A line or bars, and those of the year before in grey."""
    return [*line_overrides((kpi,), lang), _before(kpi, lang)]


def _cells(kpi: Kpi, lang: Lang) -> list[Override]:
    """A column, and the one of the year before in grey; each value leads to the number of its span."""
    (own,) = number_overrides((kpi,), lang, links={kpi.name: to_number_of_span(kpi, lang)})
    return [own, _before(kpi, lang, links=[to_number_of_span(kpi, lang, YEAR_BEFORE)])]


def _before(kpi: Kpi, lang: Lang, links: Sequence[Mapping[str, Any]] = ()) -> Override:
    words = Text("{kpi}, a year before", "{kpi}(上年)").format(kpi=kpi_title(kpi))
    grey = look.fixed(look.NO_DATA)
    unit, decimals = look.unit(kpi.unit, lang), look.decimals(kpi.unit)
    return column(f"{kpi.name}_before", words.of(lang), unit=unit, decimals=decimals, color=grey, links=links)
