"""The sums of one subject over every window, and all that ever came and left, at an instant that moves.

A window's total changes by what is added to it, by the minutes that enter it and by those that leave it; nothing is
ever summed anew. Single cells are kept by minute as far back as the longest window reaches, and all that lie ahead:
deadlines are known before they pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from hotline.catalogue import KPIS, Stock, measures
from hotline.windows import HOUR_S, MINUTE_S, RECENT_S, WINDOWS, span
from streams.roll.cells import NOTHING, Cells, together, width

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotline.subjects import Subject
    from streams.roll.scopes import I64

PIECES_MAX = 16
"""Pieces of a minute that are kept before they are added up."""
_EVER = (-(1 << 62), 1 << 62)
_Span = tuple[int, int]


class Rolling:
    """Totals by scope and measure; `at_s` only says where the windows stand, and may move either way."""

    def __init__(self, subject: Subject, zone: ZoneInfo, at_s: int) -> None:
        self.subject = subject
        self._zone = zone
        self._width = width(subject)
        self._stocks = _stocks(subject)
        self._minutes: dict[int, list[Cells]] = {}
        self._spans = self._spans_at(at_s)
        self._totals = np.zeros((len(WINDOWS) + 1, 64 * self._width), np.int64)
        self._kept_from = self._oldest()

    # -- changing --------------------------------------------------------------------------------------------------

    def add(self, cells: Cells) -> None:
        """Take in changes of the sums, of any minutes. Those before what is kept count in stocks only."""
        if not len(cells.at):
            return
        self._grow(int(cells.code.max()))
        for total, (start, end) in zip(self._totals, self._spans, strict=True):
            self._pour(total, cells.where((cells.at >= start) & (cells.at < end)))
        self._keep(cells.where(cells.at >= self._kept_from))

    def move(self, at_s: int) -> bool:
        """Let every window end with the minute of `at_s`; whether any moved."""
        spans = self._spans_at(at_s)
        if spans == self._spans:
            return False
        for total, old, new in zip(self._totals, self._spans, spans, strict=True):
            self._pour(total, self._between(_minus(new, old)))
            left = self._between(_minus(old, new))
            self._pour(total, left._replace(value=-left.value))
        self._spans = spans
        self._forget()
        return True

    # -- reading ---------------------------------------------------------------------------------------------------

    def totals(self, scopes: int) -> I64:
        """Sums by window (the stocks' last), scope and measure, of so many scopes."""
        self._grow(scopes * self._width - 1)
        return self._totals[:, : scopes * self._width].reshape(len(self._totals), scopes, self._width)

    def kept(self) -> tuple[int, Cells]:
        """From which instant on cells are kept, and all of them."""
        return self._kept_from, together([piece for pieces in self._minutes.values() for piece in pieces])

    def before(self) -> Cells:
        """What came and left before what is kept, as cells of the minute before it."""
        held = together([piece for minute, pieces in self._minutes.items() if minute < self._now for piece in pieces])
        total = self._totals[-1].copy()
        np.subtract.at(total, held.code, held.value)
        total *= np.tile(self._stocks, len(total) // self._width)
        code = np.flatnonzero(total)
        return Cells(np.full(len(code), self._kept_from - MINUTE_S), code, total[code])

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> int:
        return self._spans[-1][1]

    def _spans_at(self, at_s: int) -> list[_Span]:
        spans = [span(window, at_s, self._zone) for window in WINDOWS]
        return [*spans, (_EVER[0], spans[0][1])]

    def _oldest(self) -> int:
        return self._now - RECENT_S

    def _grow(self, code: int) -> None:
        size = self._totals.shape[1]
        if code >= size:
            more = max(size, (code // self._width + 1) * self._width - size)
            self._totals = np.pad(self._totals, ((0, 0), (0, more)))

    @staticmethod
    def _pour(total: I64, cells: Cells) -> None:
        np.add.at(total, cells.code, cells.value)

    def _keep(self, cells: Cells) -> None:
        if not len(cells.at):
            return
        order = np.argsort(cells.at, kind="stable")
        at = cells.at[order]
        minutes, starts = np.unique(at - at % MINUTE_S, return_index=True)
        for minute, places in zip(minutes.tolist(), np.split(order, starts[1:]), strict=True):
            pieces = self._minutes.setdefault(minute, [])
            pieces.append(cells.where(places))
            if len(pieces) > PIECES_MAX:
                pieces[:] = [_added_up(minute, pieces)]

    def _between(self, spans: list[_Span]) -> Cells:
        """Every cell of some spans."""
        minutes = (minute for part in spans for minute in self._minutes_in(part))
        return together([piece for minute in minutes for piece in self._minutes[minute]])

    def _minutes_in(self, part: _Span) -> Iterator[int]:
        start, end = part
        if (end - start) // MINUTE_S > len(self._minutes):
            return (minute for minute in self._minutes if start <= minute < end)
        return (minute for minute in range(start, end, MINUTE_S) if minute in self._minutes)

    def _forget(self) -> None:
        """Drop what is too old, an hour at a time."""
        oldest = self._oldest()
        if oldest - self._kept_from < HOUR_S:
            return
        for minute in [minute for minute in self._minutes if minute < oldest]:
            del self._minutes[minute]
        self._kept_from = oldest


def _stocks(subject: Subject) -> I64:
    """1 for each measure that a stock is made of."""
    of_stocks = {
        measure.column for kpi in KPIS.values() if isinstance(kpi.numerator, Stock) for measure in kpi.measures
    }
    return np.array([int(measure.column in of_stocks) for measure in measures(subject)], np.int64)


def _minus(one: _Span, other: _Span) -> list[_Span]:
    """The parts of one span that are not in another."""
    parts = [(one[0], min(one[1], other[0])), (max(one[0], other[1]), one[1])]
    return [part for part in parts if part[0] < part[1]]


def _added_up(minute: int, pieces: list[Cells]) -> Cells:
    cells = together(pieces)
    codes, place = np.unique(cells.code, return_inverse=True)
    values = np.zeros(len(codes), np.int64)
    np.add.at(values, place, cells.value)
    used = values != 0
    return Cells(np.full(int(used.sum()), minute), codes[used], values[used]) if used.any() else NOTHING
