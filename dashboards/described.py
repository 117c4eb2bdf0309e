"""Titles and descriptions of panels, out of what a KPI says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import look
from dashboards.entries import OVER
from dashboards.words import Text, kind_title, kpi_formula, kpi_title
from hotline.catalogue import ALL, Stock

if TYPE_CHECKING:
    from hotline.catalogue import Kpi


def entitled(kpi: Kpi, over: str) -> Text:
    """Name a KPI with its target and what it counts over; a stock is of an instant."""
    if isinstance(kpi.numerator, Stock):
        return kpi_title(kpi)
    return Text("{kpi} · {over}", "{kpi} · {over}").format(kpi=look.with_target(kpi), over=OVER[over].title)


def described(kpi: Kpi, kind: str) -> Text:
    """Say the formula of a KPI, its target, its published name and which sums are added up."""
    lines = [Text("**{kpi}** `{name}`: {formula}.", "**{kpi}** `{name}`:{formula}。")]
    if kpi.target is not None:
        lines.append(Text("Target {goal}.", "目标 {goal}。"))
    if kpi.published_as:
        lines.append(Text("Published as {published}.", "发布名称:{published}。"))
    if kind != ALL:
        lines.append(Text("Sums kept by {kind}.", "按{kind}统计。"))
    together = Text(" ".join(line.en for line in lines), "".join(line.zh for line in lines))
    return together.format(
        kpi=kpi_title(kpi),
        name=kpi.name,
        formula=kpi_formula(kpi),
        goal=look.target(kpi),
        published=kpi.published_as,
        kind=kind_title(kind),
    )
