"""What must hold: in every state, and where nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.accept import Accepted
from tests.faults.model.accepting import DROP, TAKE, after_source, judge_source
from tests.faults.model.database import block_stored, whole
from tests.faults.model.state import EVENTS_OF

if TYPE_CHECKING:
    from tests.faults.model.state import Database, State


def broken(state: State) -> str | None:
    """What is wrong with a state, whoever still works; None when nothing is. The batch in the spool counts as stored."""
    database = whole(state.database, state.spool)
    if len(set(database.events)) < len(database.events):
        return f"counted twice: the tables hold the events {database.events}"
    if wrong := sums_wrong(database):
        return wrong
    return sources_wrong(database)


def sums_wrong(database: Database) -> str | None:
    """Whether the sums are not the contributions of the row that stands, or that is not made of the events stored."""
    row = database.standing
    if database.sums != (((row, 1),) if row else ()):
        return f"sums differ from rows: {database.sums} for {row}"
    if (row[1] if row else "") != database.events:
        return f"rows differ from events: {row} for {database.events}"
    return None


def sources_wrong(database: Database) -> str | None:
    """Whether the sources stored are not exactly one after another."""
    accepted = Accepted()
    for account in database.accounts:
        verdict = judge_source(accepted, account)
        if verdict != TAKE:
            word = "twice" if verdict == DROP else "without the one before it"
            return f"sources: {account.log}/{account.offset}/{account.first} is stored {word}"
        accepted = after_source(account)
    return None


def unfinished(state: State) -> str | None:
    """What is missing where nothing moves any more."""
    database = state.database
    for block in state.blocks:
        if not block_stored(database, block):
            return f"the line stands and {block} is not stored"
        if not set(EVENTS_OF[block]) <= set(database.events):
            return f"lost: of {block} only {database.events} is stored"
    counted = sum(one.counted for one in database.accounts)
    if counted != len(database.events):
        return f"account: {counted} counted, {len(database.events)} stored"
    return None
