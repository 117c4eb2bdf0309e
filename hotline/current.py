"""The values as they stand: what the records of `hotline.kpis` say together, for whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from hotline import ipc
from hotline.catalogue import ALL, Kpi, Quantile, Stock
from hotline.windows import NOW, WINDOWS

if TYPE_CHECKING:
    from hotline.live import Live, Position

_SPANS = frozenset(window.name for window in WINDOWS)


class Figure(NamedTuple):
    """One value and the two sums it was divided from, as published: `value` in the KPI's unit, None for no value."""

    numerator: int | None
    denominator: int | None
    value: float | int | None


@dataclass
class _Built:
    """Figures of one kind of scope, made of so many frames: scope → (KPI, window) → figure."""

    figures: dict[str, dict[tuple[str, str], Figure]] = field(default_factory=dict)
    frames: int = 0


class Current:
    """All values at one instant, merged from records in the order of their offsets. Not for several threads.

    A full record replaces everything; another one updates what it names. Before the first full one nothing is known.
    """

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        """Values of the last full record that had some, and of those since."""
        self._built: dict[str, _Built] = {}
        """By kind of scope; only of kinds that were asked for, since a record may have tens of thousands of values."""
        self._values_offset: int | None = None
        self.known = False
        """Whether there was a full record."""
        self.as_of_ms: int | None = None
        """The instant of all values, epoch milliseconds; None before the first record that counted."""
        self.newest_at: dict[str, int] = {}
        """Subject → epoch seconds of the newest event in the values."""
        self.positions: list[Position] = []

    def missing(self, record: Live) -> int | None:
        """Offset of the record that has the values of this one and was not taken; None when nothing is missing."""
        if not record.full or record.values or record.values_offset == self._values_offset:
            return None
        return record.values_offset

    def take(self, record: Live, offset: int) -> None:
        """Merge a record that stands at `offset`.

        A full one whose values are missing (see `missing`) makes everything unknown, since something is wrong then.
        """
        if record.full:
            self._take_full(record, offset)
        elif not self.known:
            return
        else:
            self._update(record)
        self.as_of_ms, self.newest_at, self.positions = record.as_of_ms, dict(record.newest_at), record.positions

    def forget_offsets(self) -> None:
        """Believe no offset from before: the log may be another one, or its writer."""
        self._values_offset = None

    def figure(self, kpi: Kpi, window: str, kind: str = ALL, scope: str = "") -> Figure | None:
        """The figure of a KPI; None where it is unknown, not filled, or not published by that window and kind of scope.

        What a full record leaves out of a scope is nothing: 0 for a count or a stock, no value for a ratio. A count of
        0 is no value either where the city's is none.
        """
        if not self.known or not is_published(kpi, window, kind):
            return None
        city = self._of(ALL).get("", {}).get((kpi.name, window))
        if city is None:  # of the city everything is published that has a value
            return None
        found = self._of(kind).get(scope, {}).get((kpi.name, window), Figure(0, 0 if kpi.denominator else None, None))
        if kpi.denominator is None and not found.numerator:
            return found._replace(value=None if city.value is None else 0)
        return found

    def scopes(self, kind: str) -> list[str]:
        """The scopes of that kind with anything to show, by name; "" is what was stated without one."""
        return sorted(self._of(kind))

    def ages_s(self, silent_s: float = 0.0) -> dict[str, float]:
        """Subject → seconds from its newest event to the instant of the values, and `silent_s` since then."""
        if self.as_of_ms is None:
            return {}
        return {subject: self.as_of_ms / 1000 - at_s + silent_s for subject, at_s in self.newest_at.items()}

    def _take_full(self, record: Live, offset: int) -> None:
        missing = self.missing(record)
        if record.values or missing is not None or record.values_offset is None:
            self._frames, self._built = [], {}
            self.known = missing is None
            self._values_offset = offset if self.known else None
        self._update(record)

    def _update(self, record: Live) -> None:
        if record.values:
            self._frames.append(ipc.decode(record.values))

    def _of(self, kind: str) -> dict[str, dict[tuple[str, str], Figure]]:
        """The figures of one kind of scope, brought up to the last record."""
        built = self._built.setdefault(kind, _Built())
        for frame in self._frames[built.frames :]:
            part = frame.filter(pl.col("scope_kind") == kind)
            keys = zip(part["scope"].to_list(), part["kpi"].to_list(), part["window"].to_list(), strict=True)
            sums = zip(*(part[name].to_list() for name in ("numerator", "denominator", "value")), strict=True)
            for (scope, kpi, window), (numerator, denominator, value) in zip(keys, sums, strict=True):
                figure = Figure(numerator, denominator, _plain(value, denominator))
                built.figures.setdefault(scope, {})[kpi, window] = figure
        built.frames = len(self._frames)
        return built.figures


def is_published(kpi: Kpi, window: str, kind: str = ALL) -> bool:
    """Whether live values have this KPI: no quantile, a stock at the instant only, all else over windows."""
    if isinstance(kpi.numerator, Quantile) or kpi.grain(kind) is None:
        return False
    return window == NOW if isinstance(kpi.numerator, Stock) else window in _SPANS


def _plain(value: float | None, denominator: int | None) -> float | int | None:
    """Counts and stocks are whole."""
    return int(value) if value is not None and denominator is None else value
