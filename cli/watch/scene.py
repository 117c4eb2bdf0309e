"""Everything that one picture of the board is made of."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cli.watch.contents import SCREENS, ScreenName
from cli.watch.listening import Phase
from cli.watch.pipeline import Health
from cli.watch.trend import Trend
from hotline.current import Current, Figure
from hotline.queries import Scope

TREND_OLD_S = 300
"""A trend that ends so long before the figures is none of their last hour."""


@dataclass(frozen=True)
class Scene:
    """The values and what is known about them; `silent_s` is the time since values were last published."""

    current: Current
    phase: Phase
    silent_s: float
    trend: Trend | None
    health: Health | None
    zone: ZoneInfo
    scope: Scope | None = None

    @property
    def as_of(self) -> datetime | None:
        """The instant of the values in the hotline's zone."""
        at_ms = self.current.as_of_ms
        return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, self.zone)

    @property
    def last_hour(self) -> Trend | None:
        """The trend, unless it is of another hour: ClickHouse may be away, or a replay may be fast."""
        at_ms = self.current.as_of_ms
        if self.trend is None or at_ms is None or abs(at_ms / 1000 - self.trend.end_s) > TREND_OLD_S:
            return None
        return self.trend

    def figure(self, name: str, window: str) -> Figure | None:
        """A figure of the board's own scope; a stock's at the instant, whatever the window."""
        from hotline.catalogue import ALL, KPIS

        kind, value = (self.scope.kind, self.scope.value) if self.scope else (ALL, "")
        return self.current.figure(KPIS[name], own_window(name, window), kind, value)


def own_window(name: str, window: str) -> str:
    """The window in which a KPI is published: a stock has none but the instant."""
    from hotline.catalogue import KPIS, Stock
    from hotline.windows import NOW

    return NOW if isinstance(KPIS[name].numerator, Stock) else window


def subject_of(screen: ScreenName) -> str:
    """The subject that a screen of figures speaks of."""
    from cli.watch.contents import kpis_of

    return kpis_of(SCREENS[screen].names)[0].subject.name
