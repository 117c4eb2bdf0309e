"""What is asked of the store, made from the one declaration of each KPI: statements with parameters, and the results.

Nothing here opens a connection: whoever asks brings an `Ask`, which runs a statement and returns its rows.
"""

from hotline.queries.behind import (
    Column,
    Listing,
    behind,
    behind_count,
    behind_row,
    condition,
    events_of,
    identity_of,
    listed,
)
from hotline.queries.coverage import unfilled
from hotline.queries.cutoff import answer_until, pick_until
from hotline.queries.identity import Identity, parse_identity
from hotline.queries.question import Among, Question, QuestionError, Scope, has_recent_minutes, parse_scope, pick
from hotline.queries.results import Result, answer, answer_from_rows
from hotline.queries.statement import Ask, Statement

__all__ = [
    "Among",
    "Ask",
    "Column",
    "Identity",
    "Listing",
    "Question",
    "QuestionError",
    "Result",
    "Scope",
    "Statement",
    "answer",
    "answer_from_rows",
    "answer_until",
    "behind",
    "behind_count",
    "behind_row",
    "condition",
    "events_of",
    "has_recent_minutes",
    "identity_of",
    "listed",
    "parse_identity",
    "parse_scope",
    "pick",
    "pick_until",
    "unfilled",
]
