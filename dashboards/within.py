"""Counts of one kind of scope within another, as channels within audiences: no sum keeps those, so rows are counted.

Only for boards without a refresh: every row of the table is read, of whatever year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as options

from dashboards import look
from dashboards.described import described
from dashboards.entries import CITY, OVER, Edition, Entry, Scopes
from dashboards.finished import change_column, column, finished, number_overrides, scope_column
from dashboards.links import to_number_of_scope, to_numbers
from dashboards.query import ClickHouseQuery
from dashboards.spans import so_far, year_before
from dashboards.words import UNNAMED, Text, kind_title, kpi_title
from dashboards.yearly import CHANGE
from hotline.catalogue import ALL, Kpi, Measure, Unit
from hotline.catalogue import kpi as find
from hotline.names import DATABASE

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.spans import Span

ROWS_MAX = 1000
OUTER, INNER = "name", "within"
"""Columns of the names of both kinds."""


def year_within(name: str, outer: Scopes, inner: Scopes, *, most: int = 0) -> Entry:
    """A count over the range by `inner` within each scope of `outer`, its share there, and its change on a year.

    With `most` only so many of each, the largest first, and without the year before.
    """
    kpi = find(name)

    def make(edition: Edition) -> Panel:
        lang = edition.lang
        link = to_number_of_scope(kpi, "range", outer.kind, lang, inner.kind)
        share = Text("Share of {kind}", "占该{kind}比重").format(kind=kind_title(outer.kind)).of(lang)
        return finished(
            tables.Panel().cell_height(options.TableCellHeight.SM).build(),
            title=_title(kpi, outer, inner, most).of(lang),
            description=described(kpi, ALL).of(lang),
            targets=[
                ClickHouseQuery(within(kpi, so_far(OVER["range"].span(edition.zone)), outer.kind, inner.kind, most))
            ],
            field=look.kpi_field(kpi, lang),
            overrides=[
                scope_column(outer.kind, lang, name=OUTER),
                scope_column(inner.kind, lang, name=INNER),
                *number_overrides((kpi,), lang, links={name: link}),
                *([] if most else [change_column(kpi, lang, CHANGE, links=[link])]),
                column(
                    "share", share, unit=look.unit(Unit.SHARE, lang), decimals=look.decimals(Unit.SHARE), links=[link]
                ),
            ],
            interval="1d",
            links=to_numbers((kpi,), "range", CITY, lang),
        )

    return Entry(f"year within {name} {outer.kind} {inner.kind}", make)


def _title(kpi: Kpi, outer: Scopes, inner: Scopes, most: int) -> Text:
    top = Text("{kpi}: TOP {n} by {inner} in each {outer}", "{kpi}:各{outer}的{inner}TOP{n}")
    every = Text("{kpi} by {outer} and {inner}", "{kpi}:按{outer}和{inner}")
    kinds = {"outer": kind_title(outer.kind), "inner": kind_title(inner.kind)}
    return (top if most else every).format(kpi=kpi_title(kpi), n=most, **kinds)


def within(kpi: Kpi, span: Span, outer: str, inner: str, most: int) -> str:
    """Select both names, the count and its `share` of the outer scope; the `most`, or all with the change on a year.

    Raises ValueError for anything but a count.
    """
    measure = kpi.numerator
    if kpi.denominator is not None or not isinstance(measure, Measure) or measure.value is not None:
        raise ValueError(f"only rows are counted within a scope: {kpi.name}")
    now, before = (_during(measure.at.name, ends) for ends in (span, year_before(span)))
    counted = f"toInt64(countIf({now})) AS n" + ("" if most else f", toInt64(countIf({before})) AS before")
    change = "" if most else f"n / nullIf(before, 0) - 1 AS {kpi.name}_change, "
    kinds = ((outer, OUTER), (inner, INNER))
    names = ", ".join(f"if({kind} = '', '{UNNAMED}', CAST({kind}, 'String')) AS {name}" for kind, name in kinds)
    first = f"LIMIT {most} BY {OUTER} " if most else ""
    rows = f"{measure.sql_where} AND ({now if most else f'{now} OR {before}'})"
    return (
        f"SELECT {names}, n AS {kpi.name}, {change}n / sum(n) OVER (PARTITION BY {outer}) AS share "  # noqa: S608  names of ours
        f"FROM (SELECT {outer}, {inner}, {counted} FROM {DATABASE}.{kpi.subject.rows_table} FINAL "
        f"WHERE {rows} GROUP BY {outer}, {inner} HAVING n > 0) "
        f"ORDER BY sum(n) OVER (PARTITION BY {outer}) DESC, {OUTER}, n DESC, {INNER} "
        f"{first}LIMIT {ROWS_MAX}"
    )


def _during(at: str, span: Span) -> str:
    return f"{at} >= {span.since} AND {at} < {span.until}"
