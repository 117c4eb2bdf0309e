"""Working time on rows of tickets: a deadline by the rule where none was stated, and the working days of a handling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hotline.columns import TIME
from hotline.working_time.calendar import Calendar
from hotline.working_time.clocks import I64
from hotline.working_time.days import Mask
from hotline.working_time.deadlines import NO_TERM, deadlines_s
from hotline.working_time.hours import UNKNOWN
from hotline.working_time.rule import Rule


@dataclass(frozen=True, eq=False)
class WorkingTime:
    """The calendar and the rule of one deployment; both are parameters of the fold."""

    calendar: Calendar | None = None
    rule: Rule | None = None

    @property
    def calendar_version(self) -> int:
        """The calendar's version, 0 for none."""
        return self.calendar.version if self.calendar else 0

    @property
    def rule_version(self) -> int:
        """The rule's version, 0 for none."""
        return self.rule.version if self.rule else 0


NO_WORKING_TIME = WorkingTime()


def with_working_time(rows: pl.LazyFrame, working: WorkingTime) -> pl.LazyFrame:
    """Rows of tickets with `due_at` filled, `handling_workdays`, `rule_version` and `calendar_version`.

    A stated deadline stands. By the rule only what was dispatched has one, and only where a term fits; where the
    calendar does not reach it is null, with the versions that were asked. Working days are those after the day of
    dispatch, up to and including the day of handling. Versions are 0 where nothing was asked.
    """
    if working.calendar is None:
        return rows.with_columns(
            handling_workdays=pl.lit(None, pl.Int64), rule_version=_version(0), calendar_version=_version(0)
        )
    frame = rows.collect()
    dispatched, handled = (frame[name].is_not_null().to_numpy() for name in ("dispatched_at", "handled_at"))
    measured, asked = dispatched & handled, np.zeros(len(frame), bool)
    columns = [_workdays(frame, working.calendar, measured)]
    if working.rule is not None:
        asked, due_at = _deadlines(frame, working.calendar, working.rule, dispatched)
        columns.append(due_at)
    columns.append(pl.Series("rule_version", asked * working.rule_version, pl.Int64))
    columns.append(pl.Series("calendar_version", (asked | measured) * working.calendar_version, pl.Int64))
    return frame.lazy().with_columns(columns)


def _version(number: int) -> pl.Expr:
    return pl.lit(number, pl.Int64)


def _workdays(frame: pl.DataFrame, calendar: Calendar, measured: Mask) -> pl.Series:
    places = np.flatnonzero(measured)
    from_s, to_s = (_epoch_s(frame[name])[places] for name in ("dispatched_at", "handled_at"))
    found = np.full(len(frame), UNKNOWN)
    found[places] = calendar.workdays(from_s, to_s)
    return _known("handling_workdays", found)


def _deadlines(frame: pl.DataFrame, calendar: Calendar, rule: Rule, dispatched: Mask) -> tuple[Mask, pl.Series]:
    """Which tickets the rule was asked about, and all deadlines, those that were stated among them."""
    stated = frame["due_at"]
    places = np.flatnonzero(dispatched & stated.is_null().to_numpy())
    term = _terms(frame.select("nature", "category")[places], rule)
    places, term = places[term != NO_TERM], term[term != NO_TERM]
    receipt = pl.coalesce("created_at", "dispatched_at") if rule.receipt == "created" else pl.col("dispatched_at")
    receipt_s = _epoch_s(frame[places].select(receipt).to_series())
    found = _epoch_s(stated, UNKNOWN).copy()
    found[places] = deadlines_s(rule, calendar, receipt_s, term)
    asked = np.zeros(len(frame), bool)
    asked[places] = True
    return asked, (_known("due_at", found) * 1000).cast(TIME)


def _terms(scopes: pl.DataFrame, rule: Rule) -> I64:
    """The place of the term that fits each ticket, NO_TERM for none; every pair of names is looked at once."""
    pairs = scopes.unique()
    places = [rule.term_of(nature, category) for nature, category in pairs.iter_rows()]
    found = pairs.with_columns(pl.Series("term", [NO_TERM if at is None else at for at in places], pl.Int64))
    return scopes.join(found, on=scopes.columns, how="left", maintain_order="left")["term"].to_numpy()


def _epoch_s(times: pl.Series, absent: int = 0) -> I64:
    return times.dt.epoch("s").fill_null(absent).to_numpy()


def _known(name: str, values: I64) -> pl.Series:
    """The values with null for UNKNOWN."""
    series = pl.Series(name, values, pl.Int64)
    return series.set(series == UNKNOWN, None)
