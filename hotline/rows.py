"""The rows that a call's or a ticket's events fold into: one struct a row, every KPI is declared over these fields."""

from __future__ import annotations

from datetime import datetime

import msgspec

FOLD_VERSION = 2
"""Raised whenever a fold gives another row for the same events."""


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """What every row carries. A missing scope name is "", so that a split adds up to its total."""

    source: str
    entity: str
    born_at: datetime
    version: int
    """Size of the event set, then the versions of fold, deadline rule and calendar: the higher row stands."""


class Call(Row, kw_only=True, frozen=True):
    """A call, as its events say."""

    line: str
    district: str
    operator_group: str
    direction: str
    operator: str | None
    caller: str | None
    offered_at: datetime | None
    queued_at: datetime | None
    answered_at: datetime | None
    abandoned_at: datetime | None
    """Null when anybody answered: a call has one outcome."""
    outcome: str | None
    """`answered` or `abandoned`; null while the caller waits."""
    outcome_at: datetime | None
    """answered_at or abandoned_at."""
    transferred_at: datetime | None
    ended_at: datetime | None
    lost_at: datetime | None
    wait_s: int | None
    """As the outcome's event states it, else outcome minus queueing (or offering), never below 0."""
    talk_s: int | None
    """As the end's event states it, else end minus answer, never below 0; null when nobody answered."""
    gave_up_after_s: int | None
    """wait_s of an abandoned call; the largest there is of an answered one, who never gave up."""
    transfers: int
    left_queue_at: datetime | None
    """When it stopped waiting: outcome, loss or end, never before it queued."""
    left_talk_at: datetime | None
    """When it stopped being talked: its end, never before the answer."""


class Ticket(Row, kw_only=True, frozen=True):
    """A ticket, as its events say."""

    line: str
    district: str
    department: str
    channel: str
    audience: str
    category: str
    nature: str
    operator_group: str
    call: str | None
    created_at: datetime | None
    """Null for a ticket known only by its snapshot."""
    answered_online_at: datetime | None
    answered_by: str | None
    dispatched_at: datetime | None
    """The first dispatch."""
    due_at: datetime | None
    """The last deadline that was stated; without one the rule's, for what was dispatched."""
    rule_version: int
    """Version of the rule that was asked for the deadline; 0 when none was."""
    calendar_version: int
    """Version of the calendar that was asked, for the deadline or for handling_workdays; 0 when none was."""
    returned_at: datetime | None
    returns: int
    first_handled_at: datetime | None
    handled_at: datetime | None
    """The last handling that stands: not followed by a reopening."""
    reopened_at: datetime | None
    """The first reopening."""
    reopenings: int
    merged_at: datetime | None
    merged_into: str | None
    closed_at: datetime | None
    """The last archiving that stands: not followed by a reopening."""
    asked_at: datetime | None
    rated_at: datetime | None
    """The last rating; the following four are its own."""
    rating_valid: bool | None
    satisfied: bool | None
    operator_satisfied: bool | None
    resolved: bool | None
    dispatched: bool
    handled: bool
    """A handling stands."""
    rated: bool
    has_deadline: bool
    late: bool
    """Handled after its deadline; no deadline is never late."""
    handling_s: int | None
    """Seconds from dispatch to handling; negative where the source says so."""
    handling_workdays: int | None
    """Working days after the day of dispatch, up to and including the day of handling, never below 0."""
    left_open_at: datetime | None
    """When it stopped being open: handled or merged, never before its dispatch."""
    overdue_at: datetime | None
    """due_at, if it was still open then."""
    left_overdue_at: datetime | None
    due_soon_at: datetime | None
    """One hour before due_at, if it was still open then."""
    left_due_soon_at: datetime | None
