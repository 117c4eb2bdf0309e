"""A ratio as it stood at an earlier cut-off: no sum tells what was still so then, the events do.

Which rows are asked about, and their scopes, is as known now. What they had reached is read from the events that stand,
by the rule of the fold, as far as they happened before the cut-off.
"""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

from hotline.catalogue import ALL, CUTOFFS, Cutoff, Kpi, scope_kinds
from hotline.names import DATABASE
from hotline.queries.question import Question, QuestionError
from hotline.queries.results import Result, results_of
from hotline.queries.statement import (
    Statement,
    during,
    grouped,
    rows_scope,
    rows_table,
    scope_column,
    where,
)
from hotline.queries.totals import cells

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hotline.queries.statement import Ask

_ENTITY = "born_at, source, entity"


def pick_until(names: Iterable[str]) -> list[Kpi]:
    """Find the KPIs as of a cut-off, by their own names or by those of the KPIs as known now. Raises QuestionError."""
    return [_pick(name) for name in dict.fromkeys(names)]


def answer_until(question: Question, cutoff: datetime, ask: Ask) -> list[Result]:
    """Answer from the events that happened before an aware instant, as `answer` does from the sums.

    A bucket that begins at or after the cut-off has nothing to divide by. Raises QuestionError when that is the whole
    period, or when the answer would be too long.
    """
    if cutoff.timestamp() <= question.period.start_s:
        begins = question.period.start.isoformat()
        raise QuestionError(f"the cut-off {cutoff.isoformat()} is before the period begins, {begins}: name a later one")
    return [
        result for kpi in question.kpis for result in _answer(dataclasses.replace(question, kpis=(kpi,)), cutoff, ask)
    ]


def _answer(question: Question, cutoff: datetime, ask: Ask) -> Iterable[Result]:
    (kpi,) = question.kpis
    spans = question.spans()
    rows = ask(_statement(kpi, question, cutoff))
    reached, asked = cells(rows, [span.start_s for span in spans], 2, split=question.split is not None)
    pairs = {scope: list(zip(reached[scope], asked[scope], strict=True)) for scope in reached}
    return results_of(question, kpi, spans, pairs)


def _pick(name: str) -> Kpi:
    found = CUTOFFS.get(name) or CUTOFFS.get(f"{name}_until")
    if found is None:
        known = [kpi.removesuffix("_until") for kpi in CUTOFFS]
        near = difflib.get_close_matches(name, known, 3, 0.0) or known
        raise QuestionError(f"{name} is not kept as of a cut-off: --until goes with {', '.join(near)}")
    return found


def _statement(kpi: Kpi, question: Question, cutoff: datetime) -> Statement:
    if kpi.denominator is None or kpi.cutoff is None:
        raise TypeError(f"{kpi.name} has no cut-off: read it with answer")
    at = kpi.denominator.at.name
    chosen = where(
        Statement(kpi.denominator.sql_where),
        during(at, question.period),
        Statement(f"{at} < fromUnixTimestamp({{until:Int64}})", {"until": int(cutoff.timestamp())}),
        rows_scope(question),
    )
    rows = f"{rows_table(kpi.subject)} WHERE {chosen.sql}"
    scopes = ", ".join(kind for kind in scope_kinds(kpi.subject) if kind != ALL)
    table = (
        f"(SELECT *, reached_at > undone_at AS reached FROM (SELECT {_ENTITY}, {at}, {scopes} FROM {rows}) AS asked "  # noqa: S608  names of ours
        f"LEFT JOIN ({_reached(kpi, kpi.cutoff, rows)}) AS known USING ({_ENTITY}))"
    )
    values = ["countIf(reached)", "count()"]
    everything = Statement("true", chosen.parameters)
    return grouped(question, everything, table=table, at=at, who=scope_column(question), values=values)


def _reached(kpi: Kpi, cutoff: Cutoff, rows: str) -> str:
    """Write SQL: when an entity last reached the state before the cut-off, and when that was last undone; else 1970.

    Of equal times the undoing is later, as the ranks of the types say.
    """
    members = f"{DATABASE}.{kpi.subject.events_table} WHERE ({_ENTITY}) IN (SELECT {_ENTITY} FROM {rows})"  # noqa: S608
    # An event is its sender's id, or its type and time where there is none; the largest revision, then digest, stands.
    event = "id, if(isNull(id), toString(type), ''), if(isNull(id), toUnixTimestamp(occurred_at), 0)"
    standing = (
        f"SELECT {_ENTITY}, argMax((toString(type), occurred_at), (revision, digest)) AS stands "  # noqa: S608
        f"FROM {members} GROUP BY {_ENTITY}, {event}"
    )
    return (
        f"SELECT {_ENTITY}, maxIf(stands.2, stands.1 = '{cutoff.reached}') AS reached_at, "  # noqa: S608
        f"maxIf(stands.2, stands.1 = '{cutoff.undone}') AS undone_at FROM ({standing}) "
        f"WHERE stands.2 < fromUnixTimestamp({{until:Int64}}) GROUP BY {_ENTITY}"
    )
