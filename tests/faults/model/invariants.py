"""What must hold: in every state, and where nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotline.accept import Accepted
from tests.faults.model.accepting import DROP, TAKE, after_source, judge_source
from tests.faults.model.database import block_stored, whole
from tests.faults.model.state import EVENTS_OF

if TYPE_CHECKING:
    from tests.faults.model.state import Database, State

COUNTED_TWICE = "counted twice"
SUMS_WRONG = "sums differ from rows"
ROWS_WRONG = "rows differ from events"
SOURCES_WRONG = "sources are not one after another"
STANDS = "the line stands"
LOST = "lost"
ACCOUNT_WRONG = "the account does not add up"
WRONG_NUMBERS = frozenset({COUNTED_TWICE, SUMS_WRONG, ROWS_WRONG, SOURCES_WRONG, LOST, ACCOUNT_WRONG})
"""All kinds but a line that stands: what is stored is wrong then, and nobody can see it."""


class Violation(NamedTuple):
    """What is wrong with a state."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def broken(state: State) -> Violation | None:
    """What is wrong whoever still works; None when nothing is. A batch that is in hand counts as stored."""
    database = state.database
    for batch in (state.spool, state.sink and state.sink.batch, state.zombie_sink and state.zombie_sink.batch):
        database = whole(database, batch)
    return _twice(database) or _sums(database) or _sources(database)


def unfinished(state: State) -> Violation | None:
    """What is missing where nothing moves any more."""
    database = state.database
    for block in state.blocks:
        if not block_stored(database, block):
            return Violation(STANDS, f"{block} is not stored and nothing moves")
        if not set(EVENTS_OF[block]) <= set(database.events):
            return Violation(LOST, f"{block} has its account, but of its events only {database.events} are stored")
    counted = sum(one.counted for one in database.accounts)
    if counted != len(database.events):
        return Violation(ACCOUNT_WRONG, f"{counted} counted, {len(database.events)} stored")
    return None


def _twice(database: Database) -> Violation | None:
    if len(set(database.events)) == len(database.events):
        return None
    return Violation(COUNTED_TWICE, f"the tables hold the events {' '.join(database.events)}")


def _sums(database: Database) -> Violation | None:
    """Whether the sums are not what the row that stands contributes, or that is not made of the events stored."""
    row = database.standing
    if database.sums != (((row, 1),) if row else ()):
        return Violation(SUMS_WRONG, f"{dict(database.sums)} where {row} stands")
    if (row[1] if row else "") != database.events:
        return Violation(ROWS_WRONG, f"{row} stands for the events {' '.join(database.events)}")
    return None


def _sources(database: Database) -> Violation | None:
    """Whether the sources stored do not follow each other by the rule to accept."""
    accepted = Accepted()
    for account in database.accounts:
        verdict = judge_source(accepted, account)
        if verdict != TAKE:
            how = "twice" if verdict == DROP else "without the one before it"
            return Violation(SOURCES_WRONG, f"{account.log}/{account.offset}/{account.first} is stored {how}")
        accepted = after_source(account)
    return None
