"""What the number of an address counts: the statement of its panel, and the question about the rows behind it.

Sums are kept by the minute: a range counts the minutes that begin inside it. What is kept by the hour is counted from
and to whole hours where its minutes are no longer kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards import entries, sums
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.numbers.address import RANGE, Address, AddressError
from dashboards.words import Text
from hotline.catalogue import ALL, Grain, Quantile, Stock
from hotline.events import YEAR_MAX, YEAR_MIN
from hotline.periods import Period
from hotline.queries import Among, Question
from hotline.windows import HOUR_S, MINUTE_S, NOW, RECENT_S, WINDOWS, local_hour_s, span

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Counted:
    """What is counted. `sql` is the statement of the sums, None for what is no sum."""

    period: Period
    sql: str | None
    whole_hours: bool
    """Whether an end of the period was moved to a whole hour."""
    question: Question


def counted(address: Address, now: datetime, zone: ZoneInfo) -> Counted:
    """Find what an address counts. Raises AddressError for a span that holds nothing."""
    asked_s = _span(address, zone)
    found_s = _kept(address, asked_s, int(now.timestamp()) - RECENT_S, zone)
    period = _period(address, found_s, zone)
    question = Question(kpis=(address.kpi,), period=period, among=_among(address), of_rows=True)
    moved = found_s != asked_s
    sql = None if isinstance(address.kpi.numerator, Quantile) else _sql(address, period if moved else None, zone)
    return Counted(period, sql, moved, question)


def _span(address: Address, zone: ZoneInfo) -> tuple[int, int]:
    """The first second and the one after the last, as the board's statement cuts them."""
    if address.over == RANGE:
        return _minute_up(address.from_s), _minute_up(address.to_s)
    name = WINDOWS[0].name if address.over == NOW else address.over
    (window,) = (each for each in WINDOWS if each.name == name)
    return span(window, address.to_s, zone)


def _minute_up(at_s: int) -> int:
    return -(-at_s // MINUTE_S) * MINUTE_S


def _kept(address: Address, ends: tuple[int, int], minutes_from_s: int, zone: ZoneInfo) -> tuple[int, int]:
    """Move the ends that cut an hour of which only the hour is kept into the span."""
    start_s, end_s = ends
    if isinstance(address.kpi.numerator, Quantile) or address.kpi.grain(address.kind) is Grain.MINUTE:
        return ends
    if end_s < minutes_from_s:
        end_s = _hour(end_s, zone)
    if isinstance(address.kpi.numerator, Stock):  # what is inside at the end, whatever it began with
        return min(start_s, end_s - MINUTE_S), end_s
    if start_s < minutes_from_s:
        start_s = _hour(start_s + HOUR_S - 1, zone)
    return start_s, end_s


def _hour(at_s: int, zone: ZoneInfo) -> int:
    return local_hour_s(at_s, zone.key)


def _period(address: Address, ends: tuple[int, int], zone: ZoneInfo) -> Period:
    if ends[0] >= ends[1]:
        grain = "hour" if address.kpi.grain(address.kind) is Grain.HOUR else "minute"
        hour_zh = "小时" if grain == "hour" else "分钟"
        raise AddressError(
            Text(
                f"no whole {grain} of {address.kpi.name} is in that span: choose a longer range",
                f"该时段内没有{address.kpi.name}的整{hour_zh}数据:请选更长的时间范围",
            )
        )
    try:
        period = Period.of(*ends, zone)
    except (ValueError, OverflowError, OSError):
        period = None
    if period is None or not YEAR_MIN <= period.start.year <= period.last_day.year <= YEAR_MAX:
        raise AddressError(
            Text(
                f"that span is outside the years {YEAR_MIN} to {YEAR_MAX} that are kept",
                f"该时段不在所保存的{YEAR_MIN}年至{YEAR_MAX}年之内",
            )
        )
    return period


def _among(address: Address) -> Among | None:
    return Among(address.kind, address.names) if address.chosen else None


def _sql(address: Address, moved: Period | None, zone: ZoneInfo) -> str:
    """The statement that the panel asks, of the parts of its value."""
    of = entries.OVER[RANGE if moved else address.over]
    chosen = address.kind if address.kind != ALL else ""
    asked = sums.Asked(kpis=(address.kpi,), span=of.span(zone.key), kind=address.kind, chosen=chosen)
    ends = (moved.start_s, moved.end_s) if moved else (address.from_s, address.to_s)
    values = {address.kind: list(address.chosen) or [ALL_VALUE]}
    return expand(sums.parts(asked), Chosen(from_s=ends[0], to_s=ends[1], variables=values))
