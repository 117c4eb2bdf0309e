"""The last hand on a panel: what every kind of panel has, and how single columns are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    DynamicConfigValue,
    FieldConfigSource,
    MatcherConfig,
)

from dashboards import look
from dashboards.query import datasource
from dashboards.words import NO_VALUE, Lang, Text, closed_words, kind_label
from hotline.catalogue import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grafana_foundation_sdk.models.dashboard import DashboardLink, FieldConfig, Panel

    from dashboards.links import RowSpan
    from dashboards.query import ClickHouseQuery
    from hotline.catalogue import Kpi

Override = DashboardFieldConfigSourceOverrides


def finished(
    panel: Panel,
    *,
    title: str,
    description: str,
    targets: Sequence[ClickHouseQuery],
    field: FieldConfig,
    overrides: Sequence[Override] = (),
    interval: str = "1m",
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """Complete a panel of any kind."""
    custom = panel.field_config.defaults.custom if panel.field_config and panel.field_config.defaults else None
    field.custom = custom
    panel.title, panel.description, panel.interval = title, description, interval
    panel.datasource, panel.targets = datasource(), list(targets)
    panel.links = list(links) or None
    panel.field_config = FieldConfigSource(defaults=field, overrides=list(overrides))
    return panel


def column(
    name: str,
    shown: str,
    *,
    unit: str = "",
    decimals: int | None = None,
    color: Mapping[str, str] | None = None,
    links: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, Any] | None = None,
    hidden: bool = False,
) -> Override:
    """Say how one column of an answer is shown; a `hidden` one of a table is there for the links of others."""
    given: dict[str, Any] = {"displayName": shown}
    if hidden:  # as Grafana up to 12.1 calls it, and from 12.2 on; each passes over what it does not know
        given |= {"custom.hidden": True, "custom.hideFrom.viz": True}
    if unit:
        given["unit"] = unit
    if decimals is not None:
        given["decimals"] = decimals
    if color:
        given["color"] = dict(color)
    if links:
        given["links"] = [dict(link) for link in links]
    given |= more or {}
    properties = [DynamicConfigValue(id_val=key, value=value) for key, value in given.items()]
    return Override(matcher=MatcherConfig(id_val="byName", options=name), properties=properties)


def scope_column(kind: str, lang: Lang, links: Sequence[Mapping[str, Any]] = (), *, name: str = "name") -> Override:
    """Say how a column of scopes is shown: words of closed vocabularies in the language."""
    words = closed_words(kind, lang)
    texts = {word: {"text": text, "index": place} for place, (word, text) in enumerate(words.items())}
    more = {"mappings": [{"type": "value", "options": texts}]} if words else {}
    return column(name, kind_label(kind).of(lang), unit=look.TEXT_UNIT, links=links, more=more)


def names_as_texts() -> Override:
    """Say that the names of scopes beside bars and on tiles are no numbers, as `12345` is none."""
    as_text = DynamicConfigValue(id_val="unit", value=look.TEXT_UNIT)
    return Override(matcher=MatcherConfig(id_val="byName", options="name"), properties=[as_text])


def span_columns(*spans: RowSpan) -> list[Override]:
    """Keep the columns out of sight that say which spans the values of a row are of."""
    return [column(name, name, unit=look.TEXT_UNIT, hidden=True) for span in spans for name in span]


def change_column(kpi: Kpi, lang: Lang, words: Text, links: Sequence[Mapping[str, Any]] = ()) -> Override:
    """Say how the column is shown that says how much a KPI differs from what it was."""
    points = Text("suffix:points", "suffix:个百分点").of(lang)
    unit = points if kpi.unit is Unit.SHARE else look.SHARES
    grey = look.fixed(look.NO_DATA)
    return column(f"{kpi.name}_change", words.of(lang), unit=unit, decimals=2, color=grey, links=links)


def linked(name: str, link: Mapping[str, Any]) -> Override:
    """Say where the values of a column lead."""
    leads = DynamicConfigValue(id_val="links", value=[dict(link)])
    return Override(matcher=MatcherConfig(id_val="byName", options=name), properties=[leads])


def number_overrides(
    kpis: Sequence[Kpi], lang: Lang, *, links: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Override]:
    """Say how the columns of KPIs are shown as numbers of a table; `links` are by name of the KPI."""
    return [_number(kpi, lang, _cells(kpi), link=(links or {}).get(kpi.name)) for kpi in kpis]


def tile_overrides(kpis: Sequence[Kpi], lang: Lang) -> list[Override]:
    """Say how the columns of KPIs are shown as tiles, in the colours of the panel."""
    return [_number(kpi, lang) for kpi in kpis]


def line_overrides(kpis: Sequence[Kpi], lang: Lang) -> list[Override]:
    """Say how the columns of KPIs are shown as lines or bars: each KPI has its colour."""
    return [_number(kpi, lang, {"color": look.fixed(look.line(kpi))}) for kpi in kpis]


def _cells(kpi: Kpi) -> dict[str, Any]:
    steps = [{"value": step.value, "color": step.color} for step in look.steps(kpi)]
    coloured = {"custom.cellOptions": {"type": "color-text"}} if kpi.target is not None else {}
    return {"thresholds": {"mode": "absolute", "steps": steps}, **coloured}


def _number(
    kpi: Kpi, lang: Lang, more: Mapping[str, Any] | None = None, *, link: Mapping[str, Any] | None = None
) -> Override:
    return column(
        kpi.name,
        look.with_target(kpi).of(lang),
        unit=look.unit(kpi.unit, lang),
        decimals=look.decimals(kpi.unit),
        links=[link] if link else (),
        more={"noValue": NO_VALUE, **(more or {})},
    )
