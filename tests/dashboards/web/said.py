"""What `hotline kpi` says of the numbers that a board shows, by the keys of its panels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboards.words import UNNAMED, Lang
from hotline.buckets import By
from hotline.catalogue import ALL, Grain, Stock
from hotline.catalogue import kpi as find
from hotline.periods import Period
from hotline.queries import Question, Scope, answer, answer_from_rows
from hotline.windows import NOW, WINDOWS, span
from tests.dashboards.web.sites import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotline.catalogue import Kpi
    from hotline.queries import Result
    from tests.hotline.stored_rows import Stored


@dataclass(frozen=True)
class Said:
    """Answers at an instant, in epoch seconds, over a chosen window, with one scope chosen of some kinds."""

    city: Stored
    window: str
    at_s: int
    lang: Lang
    chosen: Mapping[str, str]

    def number(self, name: str, over: str, kind: str = ALL) -> str:
        """One number, of the city or of what is chosen."""
        scope = Scope(kind, self.chosen[kind]) if kind in self.chosen else None
        (found,) = self._answer(find(name), over, kind if scope else ALL, scope=scope)
        return written(name, found.value, self.lang)

    def by_scope(self, names: Sequence[str], over: str, kind: str) -> dict[str, list[str]]:
        """The numbers of each scope, or of the chosen one, in which anything counts, under the name it is shown by.

        A count of nothing is 0 there, and anything else has no value.
        """
        found: dict[str, dict[str, float | None]] = defaultdict(dict)
        for kpi in map(find, names):
            for one in self._answer(kpi, over, kind, split=kind):
                if one.scope and self.chosen.get(kind, one.scope.value) == one.scope.value:
                    found[one.scope.value or UNNAMED][kpi.name] = one.value
        nothing = {name: None if find(name).denominator else 0 for name in names}
        return {
            scope: [written(name, values.get(name, nothing[name]), self.lang) for name in names]
            for scope, values in found.items()
        }

    def line(self, name: str, kind: str, period: Period, by: By) -> dict[datetime, float | None]:
        """The values of the buckets of a period, of the city or of what is chosen, by the instant each begins at."""
        scope = Scope(kind, self.chosen[kind]) if kind in self.chosen else None
        question = Question(kpis=(find(name),), period=period, by=by, scope=scope)
        return {one.start: one.value for one in answer(question, self.city.reader.ask)}

    def _answer(self, kpi: Kpi, over: str, kind: str, **more: Any) -> list[Result]:
        """Ask the sums; of what they keep by the hour, recent minutes, or for a stock the rows."""
        by_hour, period, ask = kpi.grain(kind) is Grain.HOUR, self._period(over), self.city.reader.ask
        if by_hour and isinstance(kpi.numerator, Stock):
            return answer_from_rows(Question(kpis=(kpi,), period=period, of_rows=True, **more), ask)
        return answer(Question(kpis=(kpi,), period=period, recent=by_hour, **more), ask)

    def _period(self, over: str) -> Period:
        if over == "year":
            year = datetime.fromtimestamp(self.at_s, self.city.zone).year
            return Period(*(datetime(y, 1, 1, tzinfo=self.city.zone) for y in (year - 1, year)))
        name = {"window": self.window, NOW: WINDOWS[0].name}.get(over, over)
        (window,) = (one for one in WINDOWS if one.name == name)
        return Period.of(*span(window, self.at_s, self.city.zone), self.city.zone)
