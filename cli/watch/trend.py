"""The last hour by the minute, from the stored sums: what the spark lines draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from hotline.catalogue import Kpi
    from hotline.periods import Period
    from hotline.queries import Ask, Scope

MINUTES = 60
SETTLED_S = 5
"""A minute is drawn when its end is this long ago: its last sums are stored then."""
BARS = "▁▂▃▄▅▆▇"
"""Without the full block, which would grow together with the line above."""
NO_BAR = " "

Pair = tuple[int | None, int | None]
"""Numerator and denominator of a minute."""


@dataclass(frozen=True)
class Trend:
    """Minutes up to `end_s` (epoch seconds), the oldest first, by name of the KPI."""

    end_s: int
    minutes: Mapping[str, Sequence[Pair]]

    def values(self, kpi: "Kpi", points: int) -> "list[float | int | None]":
        """At most `points` values of equal spans of minutes, divided at the end; None where there is none."""
        pairs = self.minutes.get(kpi.name, ())
        width = -(-len(pairs) // max(1, points)) if pairs else 1
        return [_together(kpi, pairs[at : at + width]) for at in range(0, len(pairs), width)]


def _together(kpi: "Kpi", pairs: Sequence[Pair]) -> float | int | None:
    from hotline.catalogue import Stock

    if isinstance(kpi.numerator, Stock):
        return pairs[-1][0]
    numerators = [numerator for numerator, _ in pairs if numerator is not None]
    denominators = [denominator for _, denominator in pairs if denominator is not None]
    return kpi.value(sum(numerators) if numerators else None, sum(denominators) if denominators else None)


def spark(values: "Sequence[float | int | None]") -> str:
    """One bar a value, the lowest to the highest of them; no value is an empty place.

    Counts begin at 0, so that the heights of bars compare as their numbers do. Ratios that are all equal: half height.
    """
    known = [value for value in values if value is not None]
    if not known:
        return NO_BAR * len(values)
    low = 0 if all(isinstance(value, int) for value in known) and min(known) >= 0 else min(known)
    high = max(known)
    return "".join(NO_BAR if value is None else _bar(value, low, high) for value in values)


def _bar(value: float, low: float, high: float) -> str:
    if high == low:
        return BARS[0] if not value else BARS[len(BARS) // 2]
    return BARS[min(len(BARS) - 1, int((value - low) / (high - low) * len(BARS)))]


def read_trend(names: Sequence[str], as_of_s: int, zone: ZoneInfo, scope: "Scope | None", ask: "Ask") -> Trend:
    """Ask for the last hour of these KPIs, but of those not kept by the minute for the scope, be it only of late."""
    from hotline.catalogue import ALL, KPIS, Grain
    from hotline.periods import Period
    from hotline.queries import has_recent_minutes

    end_s = (as_of_s - SETTLED_S) // 60 * 60
    period = Period.of(end_s - MINUTES * 60, end_s, zone)
    kind = scope.kind if scope else ALL
    kpis = [KPIS[name] for name in names]
    kept = [kpi for kpi in kpis if kpi.grain(kind) is Grain.MINUTE]
    of_late = [kpi for kpi in kpis if has_recent_minutes(kpi, kind)]
    found = _minutes(kept, period, scope, ask, recent=False) | _minutes(of_late, period, scope, ask, recent=True)
    return Trend(end_s, found)


def _minutes(
    kpis: "Sequence[Kpi]", period: "Period", scope: "Scope | None", ask: "Ask", *, recent: bool
) -> dict[str, list[Pair]]:
    from hotline.buckets import By
    from hotline.queries import Question, answer

    found: dict[str, list[Pair]] = {kpi.name: [] for kpi in kpis}
    if kpis:
        question = Question(kpis=tuple(kpis), period=period, by=By.MINUTE, scope=scope, recent=recent)
        for result in answer(question, ask):
            found[result.kpi].append((result.numerator, result.denominator))
    return found
