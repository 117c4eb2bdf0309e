"""The fold, a whole frame of entities at a time."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from hotline.events import SATISFIED, SECONDS_MAX
from hotline.fold.rows import FOLD_VERSION
from hotline.fold.standing import ENTITY, standing
from hotline.subjects import CALLS, TICKETS, Subject

HOUR_S = 3600
_NULL = pl.lit(None)


def fold(subject: Subject, members: pl.DataFrame) -> pl.DataFrame:
    """Rows of all entities in `members`: a pure function of the set, whatever its order or repetitions.

    `members` has the subject's columns and `entity_key`, `event_key`, `digest`. The answer has a row an entity: the
    columns of the row's struct and `entity_key`, sorted by entity.
    """
    steps = _FOLDS[subject.name]
    events = standing(subject, members)
    size = members.lazy().group_by(ENTITY).agg(pl.struct("event_key", "revision", "digest").n_unique().alias("size"))
    if len(events) == len(members):  # nothing repeated, nothing revised: each event is a member
        size = events.lazy().group_by(ENTITY, maintain_order=True).agg(pl.len().alias("size"))
    return (
        steps(events.lazy())
        .join(size, on=ENTITY, how="left", maintain_order="left")
        .with_columns(version=pl.col("size").cast(pl.UInt64) * 2**24 + FOLD_VERSION * 2**16)
        .drop("size")
        .collect()
    )


def _is(*types: str) -> pl.Expr:
    return pl.col("type").is_in(types) if len(types) > 1 else pl.col("type") == types[0]


def _at(*types: str) -> pl.Expr:
    return pl.when(_is(*types)).then("occurred_at")


def _of(column: str, *types: str) -> pl.Expr:
    return pl.when(_is(*types)).then(column)


def _last(column: str) -> pl.Expr:
    return pl.col(column).last(ignore_nulls=True)


def _scopes(*names: str) -> list[pl.Expr]:
    return [_last(name).fill_null("") for name in names]


def _seconds(later: str, earlier: str) -> pl.Expr:
    return (pl.col(later) - pl.col(earlier)).dt.total_seconds()


def _not_before(start: str, end: pl.Expr) -> pl.Expr:
    """`end`, but never before `start`; null unless both are known."""
    return pl.when(pl.col(start).is_not_null() & end.is_not_null()).then(pl.max_horizontal(start, end))


def _calls(events: pl.LazyFrame) -> pl.LazyFrame:
    by_type = events.with_columns(
        offered_at=_at("call.offered"),
        queued_at=_at("call.queued"),
        answered_at=_at("call.answered"),
        abandoned_at=_at("call.abandoned"),
        transferred_at=_at("call.transferred"),
        ended_at=_at("call.ended"),
        lost_at=_at("call.lost"),
        answer_wait_s=_of("wait_s", "call.answered"),
        abandon_wait_s=_of("wait_s", "call.abandoned"),
    )
    firsts = ["offered_at", "queued_at", "answered_at", "abandoned_at", "transferred_at", "lost_at"]
    rows = by_type.group_by(ENTITY, maintain_order=True).agg(
        pl.col("source", "entity").first(),
        *_scopes("line", "district", "operator_group"),
        _last("direction").fill_null("inbound"),
        _last("operator"),
        _last("caller"),
        pl.col(firsts).min(),
        pl.col("ended_at").max(),
        pl.col("answer_wait_s", "abandon_wait_s").first(ignore_nulls=True),
        _last("talk_s"),
        transfers=pl.col("transferred_at").count().cast(pl.Int32),
    )
    answered = pl.col("answered_at").is_not_null()
    began = pl.coalesce("queued_at", "offered_at")
    stated_wait = pl.coalesce("stated_wait_s", _seconds("outcome_at", "began_at").clip(0)).cast(pl.Int32)
    return (
        rows.with_columns(
            abandoned_at=pl.when(~answered).then("abandoned_at"),
            outcome=pl.when(answered).then(pl.lit("answered")).when(pl.col("abandoned_at").is_not_null()).then(
                pl.lit("abandoned")
            ),
            outcome_at=pl.coalesce("answered_at", "abandoned_at"),
            stated_wait_s=pl.when(answered).then("answer_wait_s").otherwise("abandon_wait_s"),
            began_at=began,
        )
        .with_columns(
            wait_s=pl.when(pl.col("outcome_at").is_not_null()).then(stated_wait),
            talk_s=pl.when(answered).then(
                pl.coalesce("talk_s", _seconds("ended_at", "answered_at").clip(0)).cast(pl.Int32)
            ),
            gave_up_after_s=pl.when(answered).then(SECONDS_MAX).when(pl.col("abandoned_at").is_not_null()).then(stated_wait).cast(pl.Int32),
            left_queue_at=_not_before("queued_at", pl.coalesce("outcome_at", "lost_at", "ended_at")),
            left_talk_at=_not_before("answered_at", pl.col("ended_at")),
        )
        .drop("stated_wait_s", "began_at", "answer_wait_s", "abandon_wait_s")
    )


def _tickets(events: pl.LazyFrame) -> pl.LazyFrame:
    place = pl.int_range(pl.len(), dtype=pl.UInt32)
    by_type = events.with_columns(
        created_at=_at("ticket.created"),
        answered_online_at=_at("ticket.answered_online"),
        answered_by=_of("leg", "ticket.answered_online"),
        dispatch_at=_at("ticket.dispatched"),
        snapshot_dispatched_at=_of("dispatched_at", "ticket.snapshot"),
        returned_at=_at("ticket.returned"),
        first_handled_at=_at("ticket.handled"),
        reopened_at=_at("ticket.reopened"),
        merged_at=_at("ticket.merged"),
        closed_at=_at("ticket.closed"),
        asked_at=_at("survey.asked"),
        rated_at=_at("survey.rated"),
        handled_place=pl.when(_is("ticket.handled")).then(place),
        closed_place=pl.when(_is("ticket.closed")).then(place),
        reopened_place=pl.when(_is("ticket.reopened")).then(place),
        rated_place=pl.when(_is("survey.rated")).then(place),
    )
    firsts = [
        "created_at",
        "answered_online_at",
        "returned_at",
        "first_handled_at",
        "reopened_at",
        "merged_at",
        "asked_at",
    ]
    rated = [_rated("valid", "rating_valid"), _rated("rating"), _rated("operator_rating"), _rated("resolved")]
    rows = by_type.group_by(ENTITY, maintain_order=True).agg(
        pl.col("source", "entity").first(),
        *_scopes("line", "district", "department", "channel", "audience", "category", "nature", "operator_group"),
        _last("call"),
        pl.col(firsts).min(),
        pl.col("answered_by").first(ignore_nulls=True),
        _last("merged_into"),
        _last("due_at"),
        *rated,
        pl.col("rated_at").max(),
        dispatched_at=pl.coalesce(pl.col("dispatch_at").min(), pl.col("snapshot_dispatched_at").min()),
        returns=pl.col("returned_at").count().cast(pl.Int32),
        reopenings=pl.col("reopened_at").count().cast(pl.Int32),
        last_handled_at=pl.col("first_handled_at").max(),
        last_closed_at=pl.col("closed_at").max(),
        handled_place=pl.col("handled_place").max(),
        closed_place=pl.col("closed_place").max(),
        reopened_place=pl.col("reopened_place").max(),
    )
    return _ticket_outcomes(rows)


def _rated(column: str, name: str | None = None) -> pl.Expr:
    """`column` of the last rating, null included."""
    return pl.col(column).get(pl.col("rated_place").arg_max(), null_on_oob=True).alias(name or column)


def _ticket_outcomes(rows: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.duration(seconds=HOUR_S)
    left, due = pl.col("left_at"), pl.col("due_at")
    satisfied = pl.Series(SATISFIED)
    stands = [
        pl.when((pl.col(f"{what}_place") > pl.col("reopened_place")).fill_null(value=True))
        .then(f"last_{what}_at")
        .alias(f"{what}_at")
        for what in ("handled", "closed")
    ]
    return (
        rows.with_columns(
            *stands,
            satisfied=pl.col("rating").is_in(satisfied.implode()),
            operator_satisfied=pl.col("operator_rating").is_in(satisfied.implode()),
        )
        .with_columns(left_at=pl.min_horizontal("handled_at", "merged_at"))
        .with_columns(
            dispatched=pl.col("dispatched_at").is_not_null(),
            handled=pl.col("handled_at").is_not_null(),
            rated=pl.col("rated_at").is_not_null(),
            has_deadline=due.is_not_null(),
            late=(pl.col("handled_at") > due).fill_null(value=False),
            handling_s=_seconds("handled_at", "dispatched_at").cast(pl.Int32),
            left_open_at=_not_before("dispatched_at", left),
            overdue_at=pl.when((left > due).fill_null(value=True)).then("due_at"),
            left_overdue_at=pl.when(left > due).then("left_at"),
            due_soon_at=pl.when((left > due - hour).fill_null(value=True)).then(due - hour),
            left_due_soon_at=pl.when(left > due - hour).then(pl.min_horizontal("due_at", "left_at")).when(
                left.is_null()
            ).then("due_at"),
        )
        .drop("rating", "operator_rating", "left_at", "^last_.*$", "^.*_place$")
    )


_FOLDS: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {CALLS.name: _calls, TICKETS.name: _tickets}
