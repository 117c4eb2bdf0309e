"""The fold, a whole frame of entities at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from hotline.events import SATISFIED, SECONDS_MAX
from hotline.fold.lives import Lives, Places
from hotline.fold.standing import ENTITY, standing
from hotline.fold.versions import SIZE_UNIT, folded_by
from hotline.subjects import CALLS, TICKETS, Subject
from hotline.working_time import NO_WORKING_TIME, WorkingTime, with_working_time

HOUR_S = 3600
"""A ticket falls due soon when its deadline is this near."""


def fold(subject: Subject, members: pl.DataFrame, working: WorkingTime = NO_WORKING_TIME) -> pl.DataFrame:
    """Rows of all entities in `members`: a pure function of the set, whatever its order or repetitions.

    `members` has the subject's columns and `entity_key`, `event_key`, `digest`. The answer has a row an entity: the
    columns of the row's struct and `entity_key`. `working` gives deadlines that are not stated, and working days.
    """
    stand = standing(subject, members)
    lives = Lives(subject, stand)
    named = [lives.take(name, lives.any()).alias(name) for name in (*ENTITY, "source", "entity")]
    rows = _FOLDS[subject.name](lives, working).with_columns(*named, lives.sizes.alias("size"))
    if len(stand.events) < len(members):  # some members are repeated, or revised by others: those count, too
        member = pl.struct("event_key", "revision", "digest")
        size = members.lazy().group_by(ENTITY).agg(member.n_unique().alias("size"))
        rows = rows.drop("size").join(size, on=ENTITY, how="left", maintain_order="left")
    version = pl.col("size").cast(pl.UInt64) * SIZE_UNIT + folded_by(subject, working)
    return rows.with_columns(version=version).drop("size").collect()


def _firsts(lives: Lives, kinds: dict[str, str]) -> dict[str, pl.Series]:
    return {column: lives.at(lives.first(kind)) for column, kind in kinds.items()}


def _last_stated(lives: Lives, *columns: str) -> dict[str, pl.Series]:
    return {column: lives.take(column, lives.last_saying(column)) for column in columns}


def _scopes(lives: Lives, *names: str) -> dict[str, pl.Series]:
    return {name: values.fill_null("") for name, values in _last_stated(lives, *names).items()}


def _seconds(later: str, earlier: str) -> pl.Expr:
    return (pl.col(later) - pl.col(earlier)).dt.total_seconds()


def _not_before(start: str, end: pl.Expr) -> pl.Expr:
    """`end`, but never before `start`; null unless both are known."""
    return pl.when(pl.col(start).is_not_null() & end.is_not_null()).then(pl.max_horizontal(start, end))


def _calls(lives: Lives) -> pl.LazyFrame:
    kinds = ("offered", "queued", "answered", "abandoned", "transferred", "lost")
    rows = pl.LazyFrame(
        {
            **_scopes(lives, "line", "district", "operator_group"),
            **_last_stated(lives, "direction", "operator", "caller", "talk_s"),
            **_firsts(lives, {f"{kind}_at": f"call.{kind}" for kind in kinds}),
            "ended_at": lives.at(lives.last("call.ended")),
            "transfers": lives.count("call.transferred"),
            "answer_wait_s": lives.take("wait_s", lives.first_saying("wait_s", "call.answered")),
            "abandon_wait_s": lives.take("wait_s", lives.first_saying("wait_s", "call.abandoned")),
        }
    )
    return _call_outcomes(rows)


def _call_outcomes(rows: pl.LazyFrame) -> pl.LazyFrame:
    answered, abandoned = pl.col("answered_at").is_not_null(), pl.col("abandoned_at").is_not_null()
    stated_wait = pl.when(answered).then("answer_wait_s").otherwise("abandon_wait_s")
    waited = _seconds("outcome_at", "began_at").clip(0)
    talked = _seconds("ended_at", "answered_at").clip(0)
    outcome = pl.when(answered).then(pl.lit("answered")).when(abandoned).then(pl.lit("abandoned"))
    return (
        rows.with_columns(
            direction=pl.col("direction").fill_null("inbound"),
            abandoned_at=pl.when(~answered).then("abandoned_at"),
            outcome=outcome,
            outcome_at=pl.coalesce("answered_at", "abandoned_at"),
            began_at=pl.coalesce("queued_at", "offered_at"),
        )
        .with_columns(
            wait_s=pl.when(answered | abandoned).then(pl.coalesce(stated_wait, waited).cast(pl.Int64)),
            talk_s=pl.when(answered).then(pl.coalesce("talk_s", talked).cast(pl.Int64)),
        )
        .with_columns(
            gave_up_after_s=pl.when(answered).then(pl.lit(SECONDS_MAX, pl.Int64)).when(abandoned).then("wait_s"),
            left_queue_at=_not_before("queued_at", pl.coalesce("outcome_at", "lost_at", "ended_at")),
            left_talk_at=_not_before("answered_at", pl.col("ended_at")),
        )
        .drop("began_at", "answer_wait_s", "abandon_wait_s")
    )


def _tickets(lives: Lives, working: WorkingTime) -> pl.LazyFrame:
    kinds = ("created", "answered_online", "returned", "reopened", "merged")
    names = ("line", "district", "department", "channel", "audience", "category", "nature", "operator_group")
    rated = lives.last("survey.rated")
    dispatched = lives.at(lives.first("ticket.dispatched"))
    rows = pl.LazyFrame(
        {
            **_scopes(lives, *names),
            **_last_stated(lives, "call", "merged_into", "due_at"),
            **_firsts(lives, {f"{kind}_at": f"ticket.{kind}" for kind in kinds}),
            "first_handled_at": lives.at(lives.first("ticket.handled")),
            "asked_at": lives.at(lives.first("survey.asked")),
            "answered_by": lives.take("leg", lives.first_saying("leg", "ticket.answered_online")),
            "dispatched_at": _snapshot_if_null(lives, dispatched),
            "returns": lives.count("ticket.returned"),
            "reopenings": lives.count("ticket.reopened"),
            "handled_at": lives.at(_unless_reopened(lives, "ticket.handled")),
            "closed_at": lives.at(_unless_reopened(lives, "ticket.closed")),
            "rated_at": lives.at(rated),
            "rating_valid": lives.take("valid", rated),
            "resolved": lives.take("resolved", rated),
            "satisfied": lives.take("rating", rated).is_in(list(SATISFIED)),
            "operator_satisfied": lives.take("operator_rating", rated).is_in(list(SATISFIED)),
        }
    )
    return _ticket_outcomes(with_working_time(rows, working))


def _unless_reopened(lives: Lives, kind: str) -> Places:
    """The last event of that type, unless a reopening follows it."""
    last = lives.last(kind)
    return np.where(last > lives.last("ticket.reopened"), last, -1)


def _snapshot_if_null(lives: Lives, dispatched: pl.Series) -> pl.Series:
    """The earliest dispatch that snapshots speak of, for tickets without a dispatch of their own."""
    moved_in = lives.earliest("dispatched_at", "ticket.snapshot")
    return dispatched if moved_in is None else dispatched.zip_with(dispatched.is_not_null(), moved_in)


def _ticket_outcomes(rows: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.duration(seconds=HOUR_S)
    left, due = pl.col("left_at"), pl.col("due_at")
    soon = due - hour
    return (
        rows.with_columns(left_at=pl.min_horizontal("handled_at", "merged_at"))
        .with_columns(
            dispatched=pl.col("dispatched_at").is_not_null(),
            handled=pl.col("handled_at").is_not_null(),
            rated=pl.col("rated_at").is_not_null(),
            has_deadline=due.is_not_null(),
            late=(pl.col("handled_at") > due).fill_null(value=False),
            handling_s=_seconds("handled_at", "dispatched_at").cast(pl.Int64),
            left_open_at=_not_before("dispatched_at", left),
            overdue_at=pl.when((left > due).fill_null(value=True)).then("due_at"),
            left_overdue_at=pl.when(left > due).then("left_at"),
            due_soon_at=pl.when((left > soon).fill_null(value=True)).then(soon),
            left_due_soon_at=pl.when(left > soon)
            .then(pl.min_horizontal("due_at", "left_at"))
            .when(left.is_null())
            .then("due_at"),
        )
        .drop("left_at")
    )


_FOLDS: dict[str, Callable[[Lives, WorkingTime], pl.LazyFrame]] = {
    CALLS.name: lambda lives, _: _calls(lives),
    TICKETS.name: _tickets,
}
