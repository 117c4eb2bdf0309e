"""What `hotline kpi` must say of a story: every KPI by months, in plain Python from the folded rows.

Of each figure the numerator, the denominator and the value; a figure without any is right where nothing counts.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.faults.story import EARLIER_DAYS
from tests.hotline.oracle import PARTS, inbound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.hotline.oracle import Part

Instants = list[tuple[datetime, int]]
STOCKS = ("calls_waiting", "calls_talking", "tickets_open", "tickets_overdue", "tickets_due_1h")
DAY_S = 86_400
QUANTILES: dict[str, tuple[str, str, Callable[[Any], bool], int]] = {
    "wait_p50_s": ("answered_at", "wait_s", inbound, 50),
    "wait_p90_s": ("answered_at", "wait_s", inbound, 90),
    "wait_p95_s": ("answered_at", "wait_s", inbound, 95),
    "talk_p90_s": ("ended_at", "talk_s", inbound, 90),
    "handling_p90_days": ("handled_at", "handling_s", lambda _: True, 90),
}
"""Instant, field, condition, and of how many in a hundred it is the highest."""

OF_CALLS = ("call", "wait", "talk", "answer", "abandon", "service_level", "average_wait", "average_talk", "long_talk")
"""What names of KPIs of calls begin with; all others are of tickets."""


class Figure(NamedTuple):
    """One answer, whole."""

    numerator: int | None
    denominator: int | None
    value: float | None


def names() -> list[str]:
    """Give every KPI there is a second reading of."""
    return [*PARTS, *QUANTILES]


def differing(found: Sequence[dict[str, Any]], rows: Mapping[str, Sequence[Any]]) -> list[str]:
    """Compare answers of `hotline kpi --json` with rows by subject ("calls", "tickets"); what differs, in words."""
    by_kpi: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        by_kpi[one["kpi"]].append(one)
    wrong = [f"{name} has no answer" for name in names() if not by_kpi[name]]
    for name, answers in by_kpi.items():
        ours = rows["calls" if name.startswith(OF_CALLS) else "tickets"]
        for one in answers:
            right = right_figure(name, ours, datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["to"]))
            said = Figure(one["numerator"], one["denominator"], one["value"])
            if not _same(name, said, right):
                wrong.append(f"{name} from {one['from']} to {one['to']}: said {said}, right {right}")
    return wrong


def right_figure(name: str, rows: Iterable[Any], start: datetime, end: datetime) -> Figure:
    """Give a KPI of a half-open span."""
    if name in QUANTILES:
        return _quantile(name, rows, start, end)
    first, second = PARTS[name]
    numerator = _sum(rows, first, None if name in STOCKS else start, end)
    if second is None:
        return Figure(numerator, None, numerator)
    other = _sum(rows, second, None if name in STOCKS else start, end)
    if name in STOCKS:
        return Figure(numerator - other, None, numerator - other)
    scale = DAY_S if name == "average_handling_days" else 1
    return Figure(numerator, other, numerator / other / scale if other else None)


def _sum(rows: Iterable[Any], part: Part, start: datetime | None, end: datetime) -> int:
    at, units = part
    return sum(
        units(row)
        for row in rows
        if (when := getattr(row, at)) is not None and (start is None or start <= when) and when < end
    )


def _quantile(name: str, rows: Iterable[Any], start: datetime, end: datetime) -> Figure:
    at, field, condition, part = QUANTILES[name]
    values = sorted(
        getattr(row, field)
        for row in rows
        if (when := getattr(row, at)) is not None
        and start <= when < end
        and getattr(row, field) is not None
        and condition(row)
    )
    if not values:
        return Figure(None, 0, None)
    value = values[-(-len(values) * part // 100) - 1]
    return Figure(None, len(values), value / DAY_S if name.endswith("_days") else value)


def _same(name: str, said: Figure, right: Figure) -> bool:
    """Whether a figure is right; none at all is right where nothing counts, as before the first event."""
    if said == Figure(None, None, None):
        return not right.numerator and not right.denominator
    if (said.value is None) != (right.value is None):
        return False
    near = said.value is None or right.value is None or abs(said.value - right.value) < 1e-9
    return near and said[1] == right[1] and (name in QUANTILES or said[0] == right[0])


def asked(day: str) -> tuple[str, ...]:
    """Give the arguments of `hotline kpi` for every KPI over a story of a day, by months."""
    last = date.fromisoformat(day)
    first = last - timedelta(days=EARLIER_DAYS.stop + 5)
    return (*names(), "--period", f"{first}..{last + timedelta(days=1)}", "--by", "month", "--json")
