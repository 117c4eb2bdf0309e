"""What a KPI is: its sums, and everything a reader must be told about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from hotline.catalogue.algebra import CatalogueError, Field, Grain, Measure, Test
from hotline.rows import Row
from hotline.subjects import CALLS, TICKETS, Subject


class Unit(enum.Enum):
    """What a value counts. `scale` turns numerator over denominator into it."""

    SHARE = ("share", 1)
    COUNT = ("count", 1)
    SECONDS = ("seconds", 1)
    DAYS = ("days", 86_400)
    WORKDAYS = ("working days", 1)

    def __init__(self, label: str, scale: int) -> None:
        self.label = label
        self.scale = scale


class Better(enum.Enum):
    """Which direction is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True)
class Stock:
    """How many are inside at an instant: all that came minus all that left, over all time."""

    came: Measure
    left: Measure


@dataclass(frozen=True)
class Quantile:
    """The smallest value with at least `part`/`whole` of all values at or below it.

    Not additive: SQL over rows only.
    """

    name: str
    value: Field
    part: int
    whole: int
    where: tuple[Test, ...]
    at: Field

    @property
    def row(self) -> type[Row]:
        """The struct of the rows it ranks."""
        return self.value.row

    @property
    def sql_where(self) -> str:
        """The condition on rows, its instant's and its value's presence included."""
        return " AND ".join(
            [f"isNotNull({self.at.name})", f"isNotNull({self.value.name})", *(test.sql for test in self.where)]
        )


@dataclass(frozen=True)
class Cutoff:
    """How events tell what a row had reached at an earlier instant: types of the event that reaches, and undoes it.

    `undone` ranks after `reached`. Not additive: SQL over events only.
    """

    reached: str
    undone: str


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One published number.

    A ratio has a numerator and a denominator over the same rows at the same instant (`across_instants` declares the one
    exception); a count has no denominator; a stock and a quantile stand alone as numerator.
    """

    name: str
    name_zh: str
    title: str
    formula: str
    formula_zh: str
    numerator: Measure | Stock | Quantile
    denominator: Measure | None = None
    unit: Unit
    better: Better = Better.NEITHER
    target: float | None = None
    published_as: str = ""
    source: str = ""
    across_instants: bool = False
    cutoff: Cutoff | None = None
    """Its numerator as of a cut-off that is asked for; None for all that is known."""

    def __post_init__(self) -> None:
        if self.denominator is None:
            if self.unit is Unit.SHARE:
                raise CatalogueError(f"{self.name}: a share needs a denominator=")
            return
        if not isinstance(self.numerator, Measure):
            raise CatalogueError(f"{self.name}: a {type(self.numerator).__name__} takes no denominator")
        if self.numerator.row is not self.denominator.row:
            raise CatalogueError(f"{self.name}: numerator and denominator count different rows")
        if self.numerator.at != self.denominator.at and not self.across_instants:
            raise CatalogueError(
                f"{self.name}: the numerator counts at {self.numerator.at.name}, the denominator at "
                f"{self.denominator.at.name}; use one instant, or declare across_instants=True"
            )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The sums it is read from; none for a quantile."""
        if isinstance(self.numerator, Stock):
            return (self.numerator.came, self.numerator.left)
        if isinstance(self.numerator, Quantile):
            return ()
        return (self.numerator, *([self.denominator] if self.denominator else []))

    @property
    def stock(self) -> Stock:
        """What came and what left, of a KPI that is a stock. Raises CatalogueError for another."""
        if not isinstance(self.numerator, Stock):
            raise CatalogueError(f"{self.name} is no stock")
        return self.numerator

    @property
    def row(self) -> type[Row]:
        """The struct of the rows it counts."""
        return self.numerator.came.row if isinstance(self.numerator, Stock) else self.numerator.row

    @property
    def subject(self) -> Subject:
        """The sub-system it speaks of."""
        return CALLS if self.row.__name__ == "Call" else TICKETS

    def grain(self, kind: str) -> Grain | None:
        """The finest stored grain for a scope kind; None when it is not kept.

        Quantiles read rows: any kind, any span.
        """
        if isinstance(self.numerator, Quantile):
            return Grain.MINUTE
        if any(kind not in measure.grains for measure in self.measures):
            return None
        return max(measure.grains[kind] for measure in self.measures)

    def value(self, numerator: int | None, denominator: int | None) -> float | int | None:
        """The published value: None, never zero, when there was nothing to divide by, or to rank.

        Of two sums; for a quantile of the ranked value and how many were ranked. Whole seconds stay whole.
        """
        if numerator is None:
            return None
        if isinstance(self.numerator, Quantile):
            return (numerator if self.unit.scale == 1 else numerator / self.unit.scale) if denominator else None
        if self.denominator is None:
            return numerator
        return numerator / denominator / self.unit.scale if denominator else None

    def meets_target(self, value: float) -> bool:
        """Whether a value is as good as its target, or better. Raises ValueError without a target."""
        if self.target is None:
            raise ValueError(f"{self.name} has no target")
        return value >= self.target if self.better is Better.HIGHER else value <= self.target


def counted(name: str, name_zh: str, title: str, numerator: Measure, words: tuple[str, str], *, source: str) -> Kpi:
    """A KPI that is one count; `words` are its formula in English and Chinese."""
    return Kpi(
        name=name,
        name_zh=name_zh,
        title=title,
        formula=words[0],
        formula_zh=words[1],
        numerator=numerator,
        unit=Unit.COUNT,
        source=source,
    )
