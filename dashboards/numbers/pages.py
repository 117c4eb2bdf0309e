"""Pages of numbers as HTML: what stands on them, in the places that the templates have. Whatever is text stays text."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from dashboards import look
from dashboards.numbers import says
from dashboards.numbers.address import kinds
from dashboards.numbers.exports import ROWS_MAX
from dashboards.numbers.listed import EVENTS_MAX, has_two_parts
from dashboards.words import UNNAMED, Lang, kind_label, kind_title, kpi_formula, kpi_title, scope_title
from hotline.catalogue import ALL, Quantile, Stock
from hotline.queries import condition

if TYPE_CHECKING:
    from dashboards.numbers.address import Address
    from dashboards.numbers.counted import Counted
    from dashboards.numbers.figure import Figure, Parts, Share
    from dashboards.numbers.listed import Page, Table
    from dashboards.web.themes import Theme

FOLDER = Path(__file__).parent
TEMPLATES, STATIC = FOLDER / "templates", FOLDER / "static"
LAYOUT = FOLDER.parent / "web" / "templates"
"""Where the layout of all pages is."""


def number(address: Address, counted: Counted, figure: Figure, rows: Page, theme: Theme) -> str:
    """The page of a number."""
    return _rendered(
        "number.html",
        address.lang,
        theme,
        **_head(address, counted),
        conditions=condition(address.kpi),
        parts=_parts(address, figure),
        value=says.value(figure.shown.value, address.kpi, address.lang),
        target=look.target(address.kpi).of(address.lang),
        agreement=_agreement(figure, address.lang),
        differs=figure.differs,
        shares_title=says.said("shares", address.lang, kind=kind_title(address.by)),
        share_heads=_share_heads(address),
        lines=[_line(address, share) for share in figure.shares],
        whole=_whole(address, figure.of_rows),
        splits=[(kind_label(kind).of(address.lang), address.link(by=kind, page=1), kind == address.by)
                for kind in kinds(address.kpi)[1:]],
        rows=rows,
        rows_of=_rows_of(rows, address.lang),
        steps=_steps(address, rows),
        is_cut=rows.rows_total > ROWS_MAX,
        rows_max=says.count(ROWS_MAX),
    )  # fmt: skip


def row(address: Address, counted: Counted, name: str, adds: Table, events: Table, theme: Theme) -> str:
    """The page of one row behind a number."""
    return _rendered(
        "row.html",
        address.lang,
        theme,
        **_head(address, counted),
        name=name,
        adds=adds,
        events=events,
        is_cut=len(events.rows) >= EVENTS_MAX,
        events_max=says.count(EVENTS_MAX),
    )


def refused(message: str, lang: Lang, theme: Theme) -> str:
    """A page that says what cannot be shown, and what to write instead."""
    return _rendered("refused.html", lang, theme, message=message)


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, LAYOUT]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _rendered(template: str, lang: Lang, theme: Theme, **parts: Any) -> str:
    say = functools.partial(says.said, lang=lang)
    return _templates().get_template(template).render(say=say, lang=lang, theme=theme, **parts)


def _head(address: Address, counted: Counted) -> dict[str, Any]:
    kpi, lang = address.kpi, address.lang
    other = Lang.EN if lang is Lang.ZH else Lang.ZH
    return {
        "kpi": kpi,
        "address": address,
        "title": kpi_title(kpi).of(lang),
        "formula": kpi_formula(kpi).of(lang),
        "period": says.period(kpi, address.over, counted.period, lang),
        "whole_hours": says.said("whole_hours", lang, kind=kind_title(address.kind)) if counted.whole_hours else "",
        "kind": kind_label(address.kind).of(lang),
        "scopes": address.titles,
        "other_language": address.link(lang=other),
    }


def _parts(address: Address, figure: Figure) -> list[tuple[str, str]]:
    """Numerator and denominator by their names; of a stock how many are inside, of a quantile how many were ranked."""
    kpi, shown = address.kpi, figure.shown
    if isinstance(kpi.numerator, Quantile):
        return [(says.said("ranked", address.lang), says.count(shown.denominator))]
    if isinstance(kpi.numerator, Stock):
        return [(says.said("inside", address.lang), says.count(shown.numerator))]
    parts = [(says.said("numerator", address.lang), says.count(shown.numerator))]
    if kpi.denominator:
        parts.append((says.said("denominator", address.lang), says.count(shown.denominator)))
    return parts


def _agreement(figure: Figure, lang: Lang) -> str:
    if figure.of_sums is None:
        return says.said("from_rows", lang)
    if not figure.differs:
        return says.said("agrees", lang)
    sums, rows = (f"{of.sums[0]:,} / {of.sums[1]:,}" for of in (figure.of_sums, figure.of_rows))
    return says.said("differs", lang, sums=sums, rows=rows)


def _share_heads(address: Address) -> list[str]:
    lang, kpi = address.lang, address.kpi
    names = [kind_label(address.by).of(lang)]
    if isinstance(kpi.numerator, Quantile):
        return [*names, *(says.said(name, lang) for name in ("ranked", "share_of_ranked", "value"))]
    if not kpi.denominator:
        return [*names, *(says.said(name, lang) for name in ("numerator", "of_numerator"))]
    heads = ("numerator", "of_numerator", "denominator", "of_denominator", "value")
    return [*names, *(says.said(name, lang) for name in heads)]


def _line(address: Address, share: Share) -> list[tuple[str, str]]:
    """Cells as text and address."""
    crosses = address.kind not in {ALL, address.by}
    lang, chosen = address.lang, (share.name or UNNAMED,)
    name = says.said("others", lang, n=share.others) if share.others else scope_title(address.by, share.name, lang)
    href = "" if crosses or share.others else address.link(kind=address.by, chosen=chosen, page=1)
    return [
        (name, href),
        *((text, "") for text in _numbers(address, share.parts, share.of_numerator, share.of_denominator)),
    ]


def _whole(address: Address, parts: Parts) -> list[str]:
    numerator, denominator = (1.0 if part else None for part in parts.sums)
    return [says.said("total", address.lang), *_numbers(address, parts, numerator, denominator)]


def _numbers(address: Address, parts: Parts, of_numerator: float | None, of_denominator: float | None) -> list[str]:
    value = says.value(parts.value, address.kpi, address.lang)
    numerator = [says.count(parts.numerator), says.share(of_numerator)]
    denominator = [says.count(parts.denominator), says.share(of_denominator)]
    if isinstance(address.kpi.numerator, Quantile):
        return [*denominator, value]
    return [*numerator, *denominator, value] if has_two_parts(address.kpi) else numerator


def _rows_of(rows: Page, lang: Lang) -> str:
    if not rows.rows_total:
        return says.said("none", lang)
    parts = {"first": says.count(rows.first), "last": says.count(rows.last), "rows": says.count(rows.rows_total)}
    return says.said("rows_of", lang, **parts)


def _steps(address: Address, rows: Page) -> list[tuple[str, str, str]]:
    """Links to other pages: title, address, relation."""
    found = []
    if rows.page > 1:
        found += [("first", 1, "first"), ("previous", rows.page - 1, "prev")]
    if rows.page < rows.pages:
        found += [("next", rows.page + 1, "next"), ("last", rows.pages, "last")]
    return [(says.said(name, address.lang), address.link(page=page), relation) for name, page, relation in found]
