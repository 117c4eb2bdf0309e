"""Panels made of KPIs: their title, description, unit, decimals and colours are what the catalogue declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import bargauge, common, heatmap
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import heatmap as heat_options

from dashboards import look, series, spans, sums
from dashboards.described import described, entitled
from dashboards.entries import CITY, OVER, Edition, Entry, Scopes
from dashboards.finished import (
    column,
    finished,
    line_overrides,
    linked,
    names_as_texts,
    number_overrides,
    scope_column,
)
from dashboards.links import to_number_of_scope, to_numbers
from dashboards.plain import TILES_MAX, curves, digits
from dashboards.query import SERIES, ClickHouseQuery
from dashboards.spans import WINDOW_VARIABLE
from dashboards.words import Lang, Text, kind_title, kpi_title
from hotline.catalogue import Better, Grain, Kpi, Stock
from hotline.catalogue import kpi as find
from hotline.windows import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.models.dashboard import Panel


BEFORE = Text("a week before", "上周同日")


def tile(name: str, over: str, of: Scopes = CITY) -> Entry:
    """One number. A stock is how many are inside at the end of `over`."""
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        asked = _asked((kpi,), over, edition, of)
        return finished(
            digits(coloured=kpi.target is not None).build(),
            title=entitled(kpi, over).of(edition.lang),
            description=described(kpi, of.kind).of(edition.lang),
            targets=[ClickHouseQuery(sums.total(asked))],
            field=look.kpi_field(kpi, edition.lang),
            links=to_numbers((kpi,), over, of, edition.lang),
        )

    return Entry(f"tile {name} {over} {of.kind}", make)


def tiles(name: str, over: str, of: Scopes) -> Entry:
    """A number for each scope, coloured by the target."""
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        asked = _asked((kpi,), over, edition, of)
        panel = digits(coloured=kpi.target is not None, each=True)
        return finished(
            panel.build(),
            title=_by(entitled(kpi, over), of.kind).of(edition.lang),
            description=described(kpi, of.kind).of(edition.lang),
            targets=[ClickHouseQuery(sums.split(asked, order="name", rows_max=TILES_MAX))],
            field=look.kpi_field(kpi, edition.lang),
            overrides=[names_as_texts(), linked(name, to_number_of_scope(kpi, over, of.kind, edition.lang))],
            links=to_numbers((kpi,), over, of, edition.lang),
        )

    return Entry(f"tiles {name} {over} {of.kind}", make)


def ranking(name: str, over: str, of: Scopes, *, worst: bool = False, rows: int = 10) -> Entry:
    """The scopes with the most of a count, or with the best or worst values of a ratio, as bars."""
    kpi = find(name)
    rises = (kpi.better is Better.HIGHER) is worst if kpi.better is not Better.NEITHER else False

    def make(edition: Edition) -> Panel:
        asked = _asked((kpi,), over, edition, of)
        order = f"{name} {'ASC' if rises else 'DESC'} NULLS LAST, name"
        return finished(
            _bars(rows).build(),
            title=_ranked(kpi, over, of.kind, worst=worst, rows=rows).of(edition.lang),
            description=described(kpi, of.kind).of(edition.lang),
            targets=[ClickHouseQuery(sums.split(asked, order=order, rows_max=rows))],
            field=look.from_zero(look.kpi_field(kpi, edition.lang)),
            overrides=[names_as_texts(), linked(name, to_number_of_scope(kpi, over, of.kind, edition.lang))],
            links=to_numbers((kpi,), over, of, edition.lang),
        )

    return Entry(f"ranking {name} {over} {of.kind} {'worst' if worst else 'first'}", make)


def table(title: Text, names: Sequence[str], over: str, of: Scopes, *, opens: str = "", rows: int = 1000) -> Entry:
    """A line for each scope with several KPIs, most of the first one first; its name opens the board `opens`."""
    kpis = tuple(map(find, names))

    def make(edition: Edition) -> Panel:
        asked = _asked(kpis, over, edition, of)
        order = f"{names[0]} DESC NULLS LAST, name"
        name = scope_column(of.kind, edition.lang, links=_opens(opens, over, of.kind, edition))
        links = {kpi.name: to_number_of_scope(kpi, over, of.kind, edition.lang) for kpi in kpis}
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=Text("{title} · {over}", "{title} · {over}")
            .format(title=title, over=OVER[over].title)
            .of(edition.lang),
            description="\n\n".join(described(kpi, of.kind).of(edition.lang) for kpi in kpis),
            targets=[ClickHouseQuery(sums.split(asked, order=order, rows_max=rows))],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=[name, *number_overrides(kpis, edition.lang, links=links)],
            links=to_numbers(kpis, over, of, edition.lang),
        )

    return Entry(f"table {' '.join(names)} {over} {of.kind}", make)


def trend(
    names: Sequence[str],
    of: Scopes = CITY,
    *,
    before: bool = False,
    title: Text | None = None,
) -> Entry:
    """Lines over the range of the board; with `before` a second one of the same weekday a week earlier."""
    kpis = tuple(map(find, names))
    (first, *_) = kpis
    step = series.HOURS if any(kpi.grain(of.kind) is Grain.HOUR for kpi in kpis) else series.MINUTES

    def make(edition: Edition) -> Panel:
        asked = _asked(kpis, "range", edition, of)
        targets = [ClickHouseQuery(series.series(asked, step, edition.zone), SERIES)]
        overrides = line_overrides(kpis, edition.lang)
        if before:
            a_week = series.series(asked, step, edition.zone, days_back=series.WEEK_DAYS, suffix="_before")
            targets.append(ClickHouseQuery(a_week, SERIES, "B"))
            overrides += [_before(kpi, edition.lang) for kpi in kpis]
        return finished(
            curves(with_target=len(kpis) == 1 and first.target is not None).build(),
            title=(title or kpi_title(first)).of(edition.lang),
            description="\n\n".join(described(kpi, of.kind).of(edition.lang) for kpi in kpis),
            targets=targets,
            field=look.kpi_field(first, edition.lang),
            overrides=overrides,
            interval="1h" if step is series.HOURS else "1m",
            links=to_numbers(kpis, "range", of, edition.lang),
        )

    return Entry(f"trend {' '.join(names)} {of.kind}", make)


def heat(name: str, of: Scopes = CITY) -> Entry:
    """A KPI by hour of the day, as colours, for every local day that the range touches and the one before."""
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        asked = _asked((kpi,), "range", edition, of)
        asked = replace(asked, span=spans.days_of(asked.span))
        return finished(
            _heat(kpi, edition.lang).build(),
            title=Text("{kpi} by hour of the day", "{kpi} · 按时段").format(kpi=kpi_title(kpi)).of(edition.lang),
            description=described(kpi, of.kind).of(edition.lang),
            targets=[ClickHouseQuery(series.by_hour_of_day(asked, edition.zone), SERIES)],
            field=look.kpi_field(kpi, edition.lang),
            interval="1h",
            links=to_numbers((kpi,), "range", of, edition.lang),
        )

    return Entry(f"heat {name} {of.kind}", make)


def _asked(kpis: tuple[Kpi, ...], over: str, edition: Edition, of: Scopes) -> sums.Asked:
    if over == NOW and not all(isinstance(kpi.numerator, Stock) for kpi in kpis):
        raise ValueError(f"only a stock has a value now: {[kpi.name for kpi in kpis]}")
    return sums.Asked(kpis=kpis, span=OVER[over].span(edition.zone), kind=of.kind, chosen=of.chosen)


def _bars(rows: int) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(True).limit(rows))
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .value_mode(options.BarGaugeValueMode.TEXT)
    )


def _heat(kpi: Kpi, lang: Lang) -> heatmap.Panel:
    from grafana_foundation_sdk.builders.heatmap import CellValues, FilterValueRange, HeatmapColorOptions

    return (
        heatmap.Panel()
        .calculate(False)
        .color(HeatmapColorOptions().mode(heat_options.HeatmapColorMode.SCHEME).scheme("Blues").steps(64))
        .cell_values(CellValues().unit(look.unit(kpi.unit, lang)).decimals(look.decimals(kpi.unit)))
        .filter_values(FilterValueRange().le(look.BELOW_ALL))
        .show_legend()
    )


def _before(kpi: Kpi, lang: Lang) -> Any:
    name = Text("{kpi}, {before}", "{kpi}({before})").format(kpi=kpi_title(kpi), before=BEFORE)
    return column(
        f"{kpi.name}_before",
        name.of(lang),
        unit=look.unit(kpi.unit, lang),
        decimals=look.decimals(kpi.unit),
        color=look.fixed(look.NO_DATA),
        more={"custom.lineStyle": {"fill": "dash", "dash": [6, 4]}, "custom.fillOpacity": 0},
    )


def _by(title: Text, kind: str) -> Text:
    return Text("{title}, by {kind}", "{title} · 按{kind}").format(title=title, kind=kind_title(kind))


def _ranked(kpi: Kpi, over: str, kind: str, *, worst: bool, rows: int) -> Text:
    words = Text("{title}: worst {n} by {kind}", "{title}:{kind}后{n}名") if worst else _FIRST
    return words.format(title=entitled(kpi, over), n=rows, kind=kind_title(kind))


_FIRST = Text("{title}: first {n} by {kind}", "{title}:{kind}前{n}名")


def _opens(board: str, over: str, kind: str, edition: Edition) -> list[dict[str, Any]]:
    """The link of a name to a board about it, which keeps the range, and the window if that was chosen."""
    if not board:
        return []
    window = f"&${{{WINDOW_VARIABLE}:queryparam}}" if over == WINDOW_VARIABLE else ""
    url = f"/d/{edition.uid(board)}?${{__url_time_range}}{window}&var-{kind}=${{__value.raw:percentencode}}"
    title = Text("Open {kind}", "查看{kind}").format(kind=kind_title(kind))
    return [{"title": title.of(edition.lang), "url": url, "targetBlank": False}]
