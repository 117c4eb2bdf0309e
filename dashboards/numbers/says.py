"""What pages of numbers say, in both languages, and how they show values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboards import look
from dashboards.numbers.address import RANGE
from dashboards.words import NO_VALUE, Lang, Text, kind_title, scope_title
from hotline.catalogue import Quantile, Stock, Unit, scope_kinds
from hotline.rounded import rounded, written
from hotline.windows import NOW, WINDOWS

if TYPE_CHECKING:
    from hotline.catalogue import Kpi
    from hotline.periods import Period

SAYS: dict[str, Text] = {
    "made": Text("How this number is made", "这个数字怎么来的"),
    "formula": Text("Formula", "公式"),
    "counts": Text("What is counted", "统计口径"),
    "counts_about": Text(
        "In the words of SQL, over the table of rows; each part at the instant that it names.",
        "以SQL表述,取自明细表;每一部分按所注明的时刻计入。",
    ),
    "value": Text("Value", "数值"),
    "numerator": Text("Numerator", "分子"),
    "denominator": Text("Denominator", "分母"),
    "ranked": Text("Values ranked", "参与排序的数值"),
    "inside": Text("Inside at the end", "期末在内"),
    "target": Text("Target", "目标"),
    "published": Text("Published as", "发布名称"),
    "period": Text("Period", "期间"),
    "period_about": Text(
        "{over}: {start} to {end}, {zone}. The start counts, the end does not.",
        "{over}:{start} 至 {end},{zone}。含起始时刻,不含结束时刻。",
    ),
    "as_of": Text("As of {end}, {zone}.", "截至 {end},{zone}。"),
    "whole_hours": Text(
        "Counted in whole hours: of {kind} the minutes are kept for eight days, then the hours.",
        "按整小时统计:{kind}的分钟数据保留八天,此后只保留小时数据。",
    ),
    "scopes": Text("Scope", "范围"),
    "everything": Text("All", "全部"),
    "differs": Text(
        "The sums say {sums}, the rows {rows}. Load the page again when no load runs; if it stays so, run reconcile.",
        "汇总为 {sums},明细为 {rows}。请在没有数据装载时重新打开本页;若仍不一致,请运行 reconcile。",
    ),
    "agrees": Text("Sums and rows agree.", "汇总与明细一致。"),
    "from_rows": Text("A percentile is read from the rows; there are no sums of it.", "分位数取自明细,没有汇总。"),
    "shares": Text("Shares by {kind}", "各{kind}占比"),
    "shares_by": Text("Shares by", "按此拆分"),
    "of_numerator": Text("Share of numerator", "占分子"),
    "of_denominator": Text("Share of denominator", "占分母"),
    "share_of_ranked": Text("Share of values", "占数值"),
    "others": Text("{n} others", "其余{n}个"),
    "total": Text("Total", "合计"),
    "rows": Text("The rows behind", "明细"),
    "rows_total": Text("{rows} rows", "共{rows}行"),
    "rows_of": Text("Rows {first} to {last} of {rows}", "第{first}至{last}行,共{rows}行"),
    "rows_shown": Text("Rows behind {kpi}", "{kpi}的明细"),
    "none": Text("There is no row.", "没有明细。"),
    "export": Text("Export", "导出"),
    "cut": Text(
        "Pages and files hold the first {rows} rows in this order: for others sort, or choose a shorter period.",
        "分页和文件只含按此顺序的前{rows}行:其余请改变排序,或选较短的期间。",
    ),
    "sort_by": Text("Sort by {column}", "按{column}排序"),
    "pages": Text("Pages", "分页"),
    "first": Text("First", "首页"),
    "previous": Text("Previous", "上一页"),
    "next": Text("Next", "下一页"),
    "last": Text("Last", "末页"),
    "page_of": Text("Page {page} of {pages}", "第{page}页,共{pages}页"),
    "source": Text("Source", "数据来源"),
    "entity": Text("Id", "编号"),
    "born_at": Text("Begun", "开始时间"),
    "at": Text("Counted at", "计入时刻"),
    "row": Text("What this row adds", "该行计入"),
    "events": Text("Its events", "该行的事件"),
    "events_about": Text(
        "Every statement that is kept, revisions and conflicts included. Callers are pseudonyms.",
        "所存的全部陈述,含修订与冲突。来电者为化名。",
    ),
    "events_cut": Text("The first {rows} events are shown.", "仅显示前{rows}个事件。"),
    "back": Text("Back to the number", "返回该数字"),
    "other_language": Text("中文", "English"),
    "refused": Text("This cannot be shown", "无法显示"),
    "board": Text("Boards", "看板"),
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
    "file_about": Text("About", "说明"),
    "file_cut": Text(
        "This file ends here: it holds the first {rows} rows. Choose a shorter period for the others.",
        "文件到此为止:只含前{rows}行。其余请选较短的期间。",
    ),
    "zone": Text("Time zone", "时区"),
    "address": Text("Address", "地址"),
}


_HEADS = frozenset({"source", "entity", "born_at", "at", "numerator", "denominator", "value", "ranked"})


def said(name: str, lang: Lang, **parts: Any) -> str:
    """Say something in one language, its places filled."""
    return SAYS[name].format(**parts).of(lang) if parts else SAYS[name].of(lang)


def over_title(over: str, lang: Lang) -> str:
    """Name what is counted over."""
    if over in {RANGE, NOW}:
        return (Text("chosen range", "所选时间范围") if over == RANGE else Text("now", "当前")).of(lang)
    (window,) = (each for each in WINDOWS if each.name == over)
    return Text(window.title, window.title_zh).of(lang)


def column_title(kpi: Kpi, name: str, lang: Lang) -> str:
    """Name a column of rows; fields of the row have the names that the documents use."""
    if isinstance(kpi.numerator, Quantile):
        name = {"numerator": "value", "denominator": "ranked"}.get(name, name)
    if name in _HEADS:
        return said(name, lang)
    return kind_title(name).of(lang) if name in scope_kinds(kpi.subject) else name


def value(number: float | None, kpi: Kpi, lang: Lang) -> str:
    """Show a value with the places that boards show."""
    if number is None:
        return NO_VALUE
    if kpi.unit is Unit.SHARE:
        return share(number)
    places = 0 if isinstance(number, int) else look.decimals(kpi.unit)
    return f"{written(number, places)} {look.suffix(look.unit(kpi.unit, lang))}".rstrip()


def share(part: float | None) -> str:
    """Show a share in percent."""
    return NO_VALUE if part is None else f"{rounded(part * 100, 1):.1f} %"


def count(number: int | None) -> str:
    """Show a whole number."""
    return NO_VALUE if number is None else f"{number:,}"


def clock(at: datetime) -> str:
    """Show an instant by its own wall clock."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def period(kpi: Kpi, over: str, of: Period, lang: Lang) -> str:
    """Say what a number is of: a span, or for a stock an instant."""
    parts = {"over": over_title(over, lang), "start": clock(of.start), "end": clock(of.end), "zone": of.zone.key}
    if isinstance(kpi.numerator, Stock):
        return said("as_of", lang, end=parts["end"], zone=parts["zone"])
    return said("period_about", lang, **parts)


def cell(kpi: Kpi, name: str, content: Any, lang: Lang) -> str:
    """Show what stands in a column of a row."""
    if content is None:
        return NO_VALUE
    if name in scope_kinds(kpi.subject):
        return scope_title(name, content, lang)
    if isinstance(content, bool):
        return said("yes" if content else "no", lang)
    return clock(content) if isinstance(content, datetime) else str(content)
