"""The sums of one subject over every window, and all that ever came and left, at an instant that moves.

A window's total changes by what is added to it, by the minutes that enter it and by those that leave it; nothing is
ever summed anew. Single cells are kept by minute as far back as the longest window reaches, and all that lie ahead:
deadlines are known before they pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from hotline.catalogue import KPIS, Stock, measures
from hotline.periods import day_start_s
from hotline.windows import HOUR_S, MINUTE_S, RECENT_S, WINDOWS, span
from streams.roll.cells import Cells, together, width
from streams.roll.scopes import I64

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotline.subjects import Subject

PIECES_MAX = 16
"""Pieces of a minute that are kept before they are added up."""
_EVER = (-(1 << 62), 1 << 62)
_Span = tuple[int, int]
_I32 = npt.NDArray[np.int32]
_Piece = tuple[_I32, I64]
"""Codes and values of cells of one minute."""


class Held(NamedTuple):
    """The cells of one subject: by minute from an instant on, and what came and left before, by code."""

    kept_from: int
    before: I64
    minutes: Mapping[int, tuple[_Piece, ...]]

    def cells(self) -> Cells:
        """All of it as cells; what came before stands in the minute before the instant."""
        code = np.flatnonzero(self.before)
        parts = [Cells(np.full(len(code), self.kept_from - MINUTE_S), code, self.before[code])]
        parts += [_as_cells(minute, piece) for minute, pieces in self.minutes.items() for piece in pieces]
        return together(parts)


class Rolling:
    """Totals by scope and measure; `at_s` only says where the windows stand, and may move either way."""

    def __init__(self, subject: Subject, zone: ZoneInfo, at_s: int) -> None:
        self.subject = subject
        self._zone = zone
        self._width = width(subject)
        self._stocks = _stocks(subject)
        self._minutes: dict[int, list[_Piece]] = {}
        self._spans = self._spans_at(at_s)
        self._totals = np.zeros((len(WINDOWS) + 1, 64 * self._width), np.int64)
        self._before = np.zeros(self._totals.shape[1], np.int64)
        self._kept_from = self._oldest()

    # -- changing --------------------------------------------------------------------------------------------------

    def add(self, cells: Cells) -> None:
        """Take in changes of the sums, of any minutes. Those before what is kept count in stocks only."""
        if not len(cells.at):
            return
        self._grow(int(cells.code.max()))
        for total, (start, end) in zip(self._totals, self._spans, strict=True):
            _pour(total, cells.where((cells.at >= start) & (cells.at < end)))
        kept = cells.at >= self._kept_from
        self._keep(cells.where(kept))
        self._let_go(cells.where(~kept))

    def move(self, at_s: int) -> bool:
        """Let every window end with the minute of `at_s`; whether any moved."""
        spans = self._spans_at(at_s)
        if spans == self._spans:
            return False
        for total, old, new in zip(self._totals, self._spans, spans, strict=True):
            for code, value in self._between(_minus(new, old)):
                np.add.at(total, code, value)
            for code, value in self._between(_minus(old, new)):
                np.subtract.at(total, code, value)
        self._spans = spans
        self._forget()
        return True

    # -- reading ---------------------------------------------------------------------------------------------------

    def totals(self, scopes: int) -> I64:
        """Sums by window (the stocks' last), scope and measure, of so many scopes."""
        self._grow(scopes * self._width - 1)
        return self._totals[:, : scopes * self._width].reshape(len(self._totals), scopes, self._width)

    def covered(self, newest_at: int | None) -> list[bool]:
        """Of each window (the stocks' last) whether a day of it is covered: the newest event's or an earlier one."""
        if newest_at is None:
            return [False] * len(self._spans)
        day = datetime.fromtimestamp(newest_at, self._zone).date()
        end = day_start_s(day + timedelta(days=1), self._zone)
        return [start < end for start, _ in self._spans]

    def columns_read(self, at: pl.Series) -> list[str]:
        """Columns of sums at these instants that can change anything; no names are all.

        Of a load of old times only the stocks' are: a third of the work.
        """
        if at.is_empty() or at.dt.epoch("s").max() >= self._kept_from:  # type: ignore[operator]
            return []
        of_stocks = [m.column for m, counts in zip(measures(self.subject), self._stocks, strict=True) if counts]
        return ["scope_kind", "scope", "at", *of_stocks]

    def held(self) -> Held:
        """What a snapshot needs; arrays of cells never change, so another thread may take its time with it."""
        return Held(self._kept_from, self._before.copy(), {minute: tuple(of) for minute, of in self._minutes.items()})

    # -- inside ----------------------------------------------------------------------------------------------------

    def _spans_at(self, at_s: int) -> list[_Span]:
        spans = [span(window, at_s, self._zone) for window in WINDOWS]
        return [*spans, (_EVER[0], spans[0][1])]

    def _oldest(self) -> int:
        return self._spans[-1][1] - RECENT_S

    def _grow(self, code: int) -> None:
        size = self._totals.shape[1]
        if code >= size:
            more = max(size, (code // self._width + 1) * self._width - size)
            self._totals = np.pad(self._totals, ((0, 0), (0, more)))
            self._before = np.pad(self._before, (0, more))

    def _keep(self, cells: Cells) -> None:
        if not len(cells.at):
            return
        order = np.argsort(cells.at, kind="stable")
        at = cells.at[order]
        minutes, starts = np.unique(at - at % MINUTE_S, return_index=True)
        for minute, places in zip(minutes.tolist(), np.split(order, starts[1:]), strict=True):
            pieces = self._minutes.setdefault(minute, [])
            pieces.append((cells.code[places].astype(np.int32), cells.value[places]))
            if len(pieces) > PIECES_MAX:
                pieces[:] = [_added_up(pieces)]

    def _let_go(self, cells: Cells) -> None:
        """Keep of cells only what the stocks need."""
        _pour(self._before, cells._replace(value=cells.value * self._stocks[cells.code % self._width]))

    def _between(self, spans: list[_Span]) -> Iterator[_Piece]:
        """Every cell of some spans."""
        for part in spans:
            for minute in self._minutes_in(part):
                yield from self._minutes[minute]

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
            for piece in self._minutes.pop(minute):
                self._let_go(_as_cells(minute, piece))
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


def _pour(total: I64, cells: Cells) -> None:
    np.add.at(total, cells.code, cells.value)


def _as_cells(minute: int, piece: _Piece) -> Cells:
    code, value = piece
    return Cells(np.full(len(code), minute), code.astype(np.int64), value)


def _added_up(pieces: list[_Piece]) -> _Piece:
    codes, place = np.unique(np.concatenate([code for code, _ in pieces]), return_inverse=True)
    values = np.zeros(len(codes), np.int64)
    np.add.at(values, place, np.concatenate([value for _, value in pieces]))
    used = values != 0
    return codes[used], values[used]
