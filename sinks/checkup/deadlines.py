"""Tickets without the deadline that the rule gives them, because the calendar does not know the year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.names import DATABASE
from hotline.subjects import TICKETS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ROWS = f"{DATABASE}.{TICKETS.rows_table}"
_LEFT = (
    "SELECT count(), argMin(concat(source, '/', entity), (dispatched_at, entity)), "  # noqa: S608 names of ours
    f"toString(toDate(min(dispatched_at))) FROM {_ROWS} FINAL "
    "WHERE rule_version > 0 AND isNull(due_at)"
)


class WithoutDeadline(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and the one that was dispatched first, on which local day."""

    count: int
    example: str
    dispatched_on: str


def without_deadline(client: Client) -> WithoutDeadline | None:
    """Find the tickets that the rule was asked for and that have no deadline; None when there are none.

    The fold asks for what is dispatched, states no deadline and fits a term; only a calendar that does not reach as far
    leaves such a row without one.
    """
    if not client.command(f"EXISTS TABLE {_ROWS}"):  # nothing was ever stored
        return None
    ((count, example, day),) = client.query(_LEFT).result_rows
    return WithoutDeadline(count=int(count), example=str(example), dispatched_on=str(day)) if count else None
