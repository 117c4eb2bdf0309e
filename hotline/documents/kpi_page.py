"""The page of KPIs, each as the catalogue declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.catalogue import CUTOFFS, KPIS, SCOPE_NAMES, Kpi, Measure, Quantile, Stock, scope_kinds
from hotline.documents.markdown import code, page, table
from hotline.subjects import SUBJECTS, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

_RULES = """
A KPI is a sum over calls or tickets, or one sum over another; each call or ticket counts at one instant of its own, the
same above and below the line. Only sums are stored: a ratio is divided where it is shown, and a ratio over nothing has
no value. Conditions are SQL over the tables named. Periods are local and half-open.

指标是对电话或工单求和,或两个和之比;每通电话、每件工单按其自身的一个时刻计入,分子分母同一时刻。系统只保存和,展示时才相除;
分母为零时无值,而不是零。条件是对相应数据表的SQL。统计周期为本地时间,含起点、不含终点。
""".strip()


def kpi_page() -> str:
    """All KPIs, by subject."""
    return page(
        "KPIs 指标",
        _RULES,
        *(part for subject in SUBJECTS.values() for part in _subject(subject)),
    )


def _subject(subject: Subject) -> Iterator[str]:
    mine = [kpi for kpi in (*KPIS.values(), *CUTOFFS.values()) if kpi.subject is subject]
    yield f"## Over `{subject.rows_table}`"
    yield table(
        ["name", "中文", "", "unit", "target"],
        [(f"[`{kpi.name}`](#{kpi.name})", kpi.name_zh, kpi.title, kpi.unit.label, _target(kpi)) for kpi in mine],
    )
    for kpi in mine:
        yield f"### {kpi.name}"
        yield f"{kpi.title} · {kpi.name_zh}"
        yield table(["", ""], _facts(kpi))


def _facts(kpi: Kpi) -> Iterator[tuple[str, str]]:
    yield "formula", kpi.formula
    yield "公式", kpi.formula_zh
    yield from _sums(kpi)
    yield "unit", kpi.unit.label + (f" (sums in seconds ÷ {kpi.unit.scale})" if kpi.unit.scale != 1 else "")
    yield "better", kpi.better.value
    if kpi.target is not None:
        yield "target", _target(kpi)
    if kpi.published_as:
        yield "published as", kpi.published_as
    if kpi.source:
        yield "source", kpi.source
    yield "scopes", _scopes(kpi)


def _sums(kpi: Kpi) -> Iterator[tuple[str, str]]:
    if isinstance(kpi.numerator, Stock):
        yield "came", _measure(kpi.numerator.came)
        yield "left", _measure(kpi.numerator.left)
        yield "counts at", "the end of the period: all that came minus all that left before it"
    elif isinstance(kpi.numerator, Quantile):
        part = kpi.numerator
        yield "value", f"`{part.value.name}`, the smallest with at least {part.part}/{part.whole} at or below it"
        yield "rows", code(part.sql_where)
        yield "counts at", code(part.at.name)
    else:
        yield "numerator", _cutoff(kpi) if kpi.cutoff else _measure(kpi.numerator)
        if kpi.denominator is not None:
            yield "denominator", _measure(kpi.denominator)
        yield "counts at", _instants(kpi)


def _cutoff(kpi: Kpi) -> str:
    types = f"`{kpi.cutoff.reached}` that stands then is not followed by `{kpi.cutoff.undone}`" if kpi.cutoff else ""
    return f"those of them whose last {types}, over `{kpi.subject.events_table}` before the cut-off (`--until`)"


def _measure(measure: Measure) -> str:
    what = "rows" if measure.value is None else f"sum of `{measure.value.name}` over rows"
    return f"{what} where `{measure.sql_where}`"


def _instants(kpi: Kpi) -> str:
    names = dict.fromkeys(measure.at.name for measure in kpi.measures)
    return " and ".join(map(code, names)) + (", each at its own instant" if len(names) > 1 else "")


def _target(kpi: Kpi) -> str:
    return "" if kpi.target is None else f"{'≥' if kpi.better.value == 'higher' else '≤'} {kpi.target:g}"


def _scopes(kpi: Kpi) -> str:
    """Scope kinds with their finest grain; a quantile is read from rows and has all of them at any grain."""
    if isinstance(kpi.numerator, Quantile):
        return "any, over any span (read from rows)"
    kept = {kind: kpi.grain(kind) for kind in scope_kinds(kpi.subject)}
    return ", ".join(f"{kind} {SCOPE_NAMES[kind][1]} by {g.name.lower()}" for kind, g in kept.items() if g is not None)
