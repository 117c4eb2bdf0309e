"""What a page of a number is about, out of its address, and addresses made of it again."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dashboards.macros import ALL_VALUE
from dashboards.spans import WINDOW_VARIABLE
from dashboards.web import ranges
from dashboards.web.choice import VALUE_BYTES_MAX, VALUES_MAX, is_name, too_many
from dashboards.web.errors import SaidError
from dashboards.words import UNNAMED, Lang, Text, scope_title, scope_titled
from hotline.catalogue import ALL, KPIS, Kpi, Stock, scope_kinds
from hotline.events import YEAR_MAX, YEAR_MIN
from hotline.queries import QuestionError, parse_identity
from hotline.windows import NOW, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from multidict import MultiMapping

    from hotline.queries import Identity

WRITTEN_MAX = 64
PAGE_MAX = 1_000_000_000
RANGE = "range"
OVER = (RANGE, NOW, *(window.name for window in WINDOWS))
_PLACE = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_FIRST_S, _AFTER_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (YEAR_MIN - 1, YEAR_MAX + 2))


class AddressError(SaidError, ValueError):
    """An address that asks for nothing there is; the message says what to write instead."""


class UnknownNumberError(AddressError):
    """A KPI that there is none of."""


class Order(StrEnum):
    """Which way rows are sorted."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, kw_only=True)
class Address:
    """One KPI over a range or a window that ends with it, of chosen scopes of a kind, and how its rows are listed.

    `from_s` and `to_s` are epoch seconds, as a board's macros have them. No value in `chosen` is everything.
    """

    kpi: Kpi
    over: str
    from_s: int
    to_s: int
    kind: str = ALL
    chosen: tuple[str, ...] = ()
    by: str
    sort: str = ""
    order: Order = Order.ASCENDING
    page: int = 1
    lang: Lang = Lang.EN

    @property
    def names(self) -> tuple[str, ...]:
        """The chosen scopes as they are stored: what is shown as `UNNAMED` was stated without a name."""
        return tuple(
            dict.fromkeys(each for name in self.chosen for each in (("", name) if name == UNNAMED else (name,)))
        )

    @property
    def titles(self) -> list[str]:
        """The chosen scopes as they are shown."""
        return [scope_title(self.kind, name, self.lang) for name in self.chosen]

    def link(self, part: str = "", *, row: str = "", **changed: Any) -> str:
        """The address of the same with something changed; its range stands still, however it was written.

        `part` is what stands below the number's own page.
        """
        of = replace(self, **changed)
        pairs: list[tuple[str, Any]] = [("over", of.over), ("from", of.from_s * 1000), ("to", of.to_s * 1000)]
        pairs += [("kind", of.kind), *((f"var-{of.kind}", name) for name in of.chosen)]
        pairs += [("by", of.by), ("sort", of.sort), ("order", of.order if of.sort else ""), ("page", of.page)]
        pairs += [("lang", of.lang), ("row", row)]
        shown = [(name, value) for name, value in pairs if value not in {"", ALL} and (name, value) != ("page", 1)]
        return f"/numbers/{quote(of.kpi.name, safe='')}{part}?{urlencode(shown)}"


def read(name: str, asked: MultiMapping[str], now: datetime, zone: ZoneInfo, preferred: Lang = Lang.EN) -> Address:
    """Read an address; `now` is aware, `preferred` is the language where it names none. Raises AddressError."""
    if name not in KPIS:
        raise UnknownNumberError(_unknown(name))
    kpi = KPIS[name]
    over = _over(kpi, asked)
    kind = _one_of("kind", asked.get("kind", "") or ALL, kinds(kpi))
    try:
        found = ranges.read(_written(asked, "from", "now/d"), _written(asked, "to", "now"), now, zone)
    except ranges.RangeError as error:
        raise AddressError(error.said) from error
    return Address(
        kpi=kpi,
        over=over,
        from_s=found.from_s,
        to_s=found.to_s,
        kind=kind,
        chosen=() if kind == ALL else _chosen(kind, asked.getall(f"var-{kind}", ())),
        by=_one_of("by", asked.get("by", "") or default_split(kpi), kinds(kpi)[1:]),
        sort=_text("sort", asked.get("sort", "")),
        order=Order(_one_of("order", asked.get("order", "") or Order.ASCENDING, Order)),
        page=_page(asked.get("page", "") or "1"),
        lang=Lang(_one_of("lang", asked.get("lang", "") or preferred, Lang)),
    )


def read_row(asked: MultiMapping[str]) -> Identity:
    """Read which row is asked about. Raises AddressError."""
    written = asked.get("row", "")
    if not is_name(written, 10 * VALUE_BYTES_MAX):
        raise AddressError(
            Text(
                f"{written[:WRITTEN_MAX]!r} is no row: follow a link of the list of rows",
                f"{written[:WRITTEN_MAX]!r}不是一行明细:请点明细中的链接",
            )
        )
    try:
        row = parse_identity(written)
    except QuestionError as error:
        zh = f"{written[:WRITTEN_MAX]!r}不是一行明细:请照明细所示写 SOURCE/ENTITY@BIRTH"
        raise AddressError(Text(str(error), zh)) from error
    if row.born_s is not None and not _FIRST_S <= row.born_s < _AFTER_S:
        raise AddressError(
            Text(
                f"{written[:WRITTEN_MAX]!r} began outside the years {YEAR_MIN} to {YEAR_MAX} that are kept",
                f"{written[:WRITTEN_MAX]!r}的开始时间不在所保存的{YEAR_MIN}年至{YEAR_MAX}年之内",
            )
        )
    return row


def kinds(kpi: Kpi) -> tuple[str, ...]:
    """The kinds of scope that a KPI is kept by, `all` first."""
    return tuple(kind for kind in scope_kinds(kpi.subject) if kpi.grain(kind))


def default_split(kpi: Kpi) -> str:
    """The kind of scope whose shares are shown unless another is asked for."""
    return next(kind for kind in ("department", "district", "line") if kind in kinds(kpi))


def _over(kpi: Kpi, asked: MultiMapping[str]) -> str:
    over = _one_of("over", asked.get("over", "") or RANGE, (*OVER, WINDOW_VARIABLE))
    if over == WINDOW_VARIABLE:  # the one that the board's variable chose
        over = _one_of(f"var-{over}", asked.get(f"var-{over}", ""), (window.name for window in WINDOWS))
    if over == NOW and not isinstance(kpi.numerator, Stock):
        raise AddressError(
            Text(
                f"{kpi.name} counts over a span and has no value now: write over={WINDOWS[0].name}",
                f"{kpi.name}按时段统计,没有当前值:请写over={WINDOWS[0].name}",
            )
        )
    return over


def _one_of(name: str, given: str, known: Iterable[str]) -> str:
    names = [str(each) for each in known]
    if given not in names:
        found, there = repr(given[:WRITTEN_MAX]), ", ".join(filter(None, names))
        raise AddressError(Text(f"{name} is {found}: write one of {there}", f"{name}不能是{found}:请写{there}之一"))
    return given


def _written(asked: MultiMapping[str], name: str, default: str) -> str:
    return (asked.get(name, "") or default)[:WRITTEN_MAX]


def _page(given: str) -> int:
    if not _PLACE.fullmatch(given) or int(given) > PAGE_MAX:
        found = repr(given[:WRITTEN_MAX])
        raise AddressError(
            Text(f"page is {found}: write a whole number from 1 on", f"page不能是{found}:请写从1起的整数")
        )
    return int(given)


def _chosen(kind: str, given: Iterable[str]) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(given))
    if values in {(), ("",)} or ALL_VALUE in values:
        return ()
    if len(values) > VALUES_MAX:
        raise AddressError(too_many(len(values), f"var-{kind}"))
    return tuple(scope_titled(kind, _text(f"var-{kind}", value)) for value in values)


def _text(name: str, value: str) -> str:
    if not is_name(value):
        raise AddressError(
            Text(
                f"{name} is {value[:40]!r} …: a name is a text of at most {VALUE_BYTES_MAX} bytes",
                f"{name}不能是{value[:40]!r} …:名称是最多{VALUE_BYTES_MAX}字节的文字",
            )
        )
    return value


def _unknown(name: str) -> Text:
    asked, near = repr(name[:WRITTEN_MAX]), difflib.get_close_matches(name[:WRITTEN_MAX].lower(), list(KPIS), 3, 0.5)
    there = ", ".join(near)
    return Text(
        f"unknown KPI {asked}; " + (f"nearest: {there}" if near else "the boards link to those that there are"),
        f"没有指标{asked};" + (f"相近的有:{there}" if near else "请从看板的链接进入"),
    )
