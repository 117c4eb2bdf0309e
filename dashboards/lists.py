"""Lists of rows behind numbers, where no sum can say which ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options

from dashboards import look, spans
from dashboards.described import described
from dashboards.entries import CITY, Edition, Entry
from dashboards.finished import column, finished
from dashboards.links import to_numbers, to_row
from dashboards.query import ClickHouseQuery
from dashboards.words import UNNAMED, Text, kind_label
from hotline.catalogue import ALL, kpi
from hotline.names import DATABASE
from hotline.windows import NOW

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

ROWS_MAX = 1000
KINDS = ("line", "district", "department")
"""Kinds of scope by which a list is chosen; of rows, unlike of sums, several go together."""


def overdue_list() -> Entry:
    """Every ticket that is overdue at the end of the range, the longest first."""
    overdue = kpi("tickets_overdue")

    def make(edition: Edition) -> Panel:
        to_ticket = to_row(overdue, "source", edition.lang)
        words = [
            column("ticket", Text("Ticket", "诉求编号").of(edition.lang), unit=look.TEXT_UNIT, links=[to_ticket]),
            *(column(kind, kind_label(kind).of(edition.lang), unit=look.TEXT_UNIT) for kind in (*KINDS, "category")),
            column("created_at", Text("Created", "受理时间").of(edition.lang), unit=look.INSTANTS, decimals=0),
            column("due_at", Text("Due", "截止时间").of(edition.lang), unit=look.INSTANTS, decimals=0),
            column("late_s", Text("Late by", "已逾期").of(edition.lang), unit=look.AGE_UNIT, decimals=0),
            column("reopenings", Text("Reopened", "重办次数").of(edition.lang)),
            column("source", Text("Source", "来源系统").of(edition.lang), unit=look.TEXT_UNIT),
        ]
        about = Text("The first {rows} by deadline. {kpi}", "按截止时间排列,前{rows}件。{kpi}")
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=Text("Overdue tickets", "逾期诉求").of(edition.lang),
            description=about.format(rows=ROWS_MAX, kpi=described(overdue, ALL)).of(edition.lang),
            targets=[ClickHouseQuery(_overdue_sql(edition.zone))],
            field=look.field("locale", 0, look.bounds((0.0, look.PLAIN))),
            overrides=words,
            links=to_numbers((overdue,), NOW, CITY, edition.lang),
        )

    return Entry("list tickets_overdue", make)


def _overdue_sql(zone: str) -> str:
    """Ask for tickets by their last version, of those births alone of which any version is overdue.

    FINAL would merge every ticket there is, and read all columns of them: on fifteen million three times the work.
    """
    stock = kpi("tickets_overdue").stock
    inside = (
        f"{stock.came.sql_where} AND {stock.came.at.name} < until_at "
        f"AND NOT ifNull({stock.left.sql_where} AND {stock.left.at.name} < until_at, false)"
    )
    columns = (*KINDS, "category", "created_at", "due_at", "reopenings", stock.came.at.name, stock.left.at.name)
    last = ", ".join(f"last.{place} AS {name}" for place, name in enumerate(columns, 1))
    of_births = (
        f"SELECT source, entity, argMax(({', '.join(columns)}), version) AS last FROM {DATABASE}.tickets "  # noqa: S608
        f"PREWHERE born_at IN (SELECT born_at FROM {DATABASE}.tickets WHERE {inside}) "
        "GROUP BY partition, born_at, source, entity"
    )
    names = ", ".join(f"if({kind} = '', '{UNNAMED}', {kind}) AS {kind}" for kind in (*KINDS, "category"))
    chosen = " AND ".join(
        f"$__conditionalAll(if(t.{kind} = '', '{UNNAMED}', t.{kind}) IN (${{{kind}:singlequote}}), ${kind})"
        for kind in KINDS
    )
    late = "toInt64(toUnixTimestamp(until_at)) - toInt64(toUnixTimestamp(due_at)) AS late_s"
    return (
        f"{spans.window('5min', zone).heads()} "  # noqa: S608  names of ours
        f"SELECT entity AS ticket, {names}, created_at, due_at, {late}, reopenings, source "
        f"FROM (SELECT CAST(source, 'String') AS source, entity, {last} FROM ({of_births})) AS t "
        f"WHERE {inside} AND {chosen} ORDER BY due_at, source, entity LIMIT {ROWS_MAX}"
    )
