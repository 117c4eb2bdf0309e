"""Panels whose numbers are no KPIs: one number, a table, lines, each with a title and a statement of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models.dashboard import FieldColor, FieldColorModeId

from dashboards import look
from dashboards.entries import Edition, Entry
from dashboards.finished import column, finished
from dashboards.query import SERIES, TABLE, ClickHouseQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import DashboardLink, Panel, Threshold

    from dashboards.finished import Override
    from dashboards.words import Text

    Statement = Callable[[str], str]
    """The hotline's zone → SQL."""

TILES_MAX = 100
"""A tile for each of so many rows; without a number Grafana draws 25."""
COUNTS = look.bounds((0.0, look.PLAIN))
FAULTS = look.bounds((0.0, look.GOOD), (1.0, look.WARN))
MIB = "suffix:MiB"


def number(
    key: str,
    title: Text,
    about: Text,
    sql: Statement,
    *,
    steps: list[Threshold] = COUNTS,
    unit: str = "locale",
    centred: bool = False,
    leads: Callable[[Edition], DashboardLink] | None = None,
) -> Entry:
    """One number; in the colour of its step unless it is a mere count. `leads` is where it leads."""
    coloured = steps is not COUNTS

    def make(edition: Edition) -> Panel:
        panel = digits(coloured=coloured, centred=centred)
        query = ClickHouseQuery(sql(edition.zone))
        links = [leads(edition)] if leads else []
        return made(edition, panel, title, about, query, steps=steps, unit=unit, links=links)

    return Entry(key, make)


def table(
    key: str,
    title: Text,
    about: Text,
    sql: Statement,
    columns: Mapping[str, Text],
    *,
    units: Mapping[str, str] | None = None,
    limits: Mapping[str, Sequence[Threshold]] | None = None,
) -> Entry:
    """A table; by column `units` where they are no plain numbers, and `limits` where values are good or not."""

    def make(edition: Edition) -> Panel:
        words = []
        for name, word in columns.items():
            unit, steps = (units or {}).get(name, _unit(name)), (limits or {}).get(name, ())
            shown = look.with_limit(word, steps, unit).of(edition.lang)
            words.append(column(name, shown, unit=unit, decimals=0, more=_judged(steps) if steps else None))
        panel = tables.Panel().cell_height(options.TableCellHeight.SM)
        return made(edition, panel, title, about, ClickHouseQuery(sql(edition.zone), TABLE), words=words)

    return Entry(key, make)


def _unit(name: str) -> str:
    return look.INSTANTS if name.endswith("_at") else look.NUMBERS


def lines(
    key: str,
    title: Text,
    about: Text,
    sql: Statement,
    columns: Mapping[str, Text],
    *,
    unit: Text = look.COUNTS,
    decimals: int = 0,
) -> Entry:
    """Lines over the range of the board, with a gap where nobody knows."""

    def make(edition: Edition) -> Panel:
        here = unit.of(edition.lang)
        words = [
            column(name, word.of(edition.lang), unit=here, decimals=decimals, color=look.fixed(look.LINES[at]))
            for at, (name, word) in enumerate(columns.items())
        ]
        query = ClickHouseQuery(sql(edition.zone), SERIES)
        return made(edition, curves(), title, about, query, words=words, unit=here, decimals=decimals)

    return Entry(key, make)


def digits(*, coloured: bool, each: bool = False, centred: bool = True) -> stat.Panel:
    """Large digits: one number, or with `each` one for every row; filled with the colour of its step if `coloured`."""
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(each)
    panel = (
        stat.Panel()
        .reduce_options(reduced.limit(TILES_MAX) if each else reduced)
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.BACKGROUND_SOLID if coloured else options.BigValueColorMode.VALUE)
        .text_mode(options.BigValueTextMode.VALUE_AND_NAME if each else options.BigValueTextMode.VALUE)
    )
    return panel.justify_mode(options.BigValueJustifyMode.CENTER) if centred else panel


def curves(*, with_target: bool = False) -> timeseries.Panel:
    """Lines over time, with the target as a dashed one."""
    shown = options.GraphThresholdsStyleMode.DASHED if with_target else options.GraphThresholdsStyleMode.OFF
    return (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(8)
        .show_points(options.VisibilityMode.AUTO)
        .span_nulls(False)
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(shown))
        .legend(common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
    )


def made(
    edition: Edition,
    panel: Builder[Panel],
    title: Text,
    about: Text,
    query: ClickHouseQuery,
    *,
    steps: list[Threshold] = COUNTS,
    words: Sequence[Override] = (),
    interval: str = "1m",
    unit: str = "locale",
    decimals: int = 0,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """Complete such a panel; its one line, or bars, have the first colour of those."""
    field = look.field(unit, decimals, steps)
    if isinstance(panel, timeseries.Panel):
        field.color = FieldColor(mode=FieldColorModeId.FIXED, fixed_color=look.LINES[0])
    return finished(
        panel.build(),
        title=look.with_limit(title, steps, unit).of(edition.lang),
        description=about.of(edition.lang),
        targets=[query],
        field=field,
        overrides=words,
        interval=interval,
        links=links,
    )


def _judged(steps: Sequence[Threshold]) -> Mapping[str, Any]:
    """Texts of cells in the colours of their steps."""
    told = [{"value": step.value, "color": step.color} for step in steps]
    return {"thresholds": {"mode": "absolute", "steps": told}, "custom.cellOptions": {"type": "color-text"}}
