"""What became of blocks: their verdicts, as the sink stored them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hotline.marks import LOGS_SQL, logs
from hotline.measured import Verdicts
from hotline.names import ACCOUNTS_TABLE, DATABASE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from clickhouse_connect.driver.client import Client


class Slice(NamedTuple):
    """What is stored of a slice of a block, in one of its sendings."""

    block_id: str
    log: int
    offset: int
    final: bool
    counted: int
    seen: int
    revised: int
    dead: int
    reasons: dict[str, int]


_SLICES = (
    f"SELECT {', '.join(Slice._fields)} FROM {DATABASE}.{ACCOUNTS_TABLE} "  # noqa: S608 names of ours
    "WHERE block_id IN {blocks:Array(String)} ORDER BY block_id, log, offset"
)


def stored_verdicts(client: Client, blocks: Collection[str]) -> dict[str, Verdicts]:
    """Return the first stored verdicts of the events of those of the blocks that are stored whole, by block id."""
    rows = client.query(_SLICES, parameters={"blocks": list(blocks)}).result_rows
    slices = (Slice(*row) for row in rows)
    accounts = ((block, first_stored(mine)) for block, mine in groupby(slices, lambda one: one.block_id))
    return {block: verdicts for block, verdicts in accounts if verdicts}


def first_stored(slices: Iterable[Slice]) -> Verdicts | None:
    """Return what the events of one block did first, from its slices in order; None before a sending is stored whole.

    A block that was sent twice has an account a sending, a row a slice. What an event did is its first stored verdict.
    Slices of a sending that a broker's death broke off are stored as well: what they counted or revised is only "seen"
    in the next sending, whose slices may be cut elsewhere, and what was dead is dead again. So up to the first sending
    that is whole (its last slice is stored), counted and revised add up, dead is that sending's, and the rest was seen.
    """
    counted = revised = 0
    for _, group in groupby(slices, lambda one: (one.log, one.offset)):
        sending = list(group)
        counted += sum(one.counted for one in sending)
        revised += sum(one.revised for one in sending)
        if any(one.final for one in sending):
            return _whole(sending, counted, revised)
    return None


def _whole(sending: Iterable[Slice], counted: int, revised: int) -> Verdicts:
    reasons, read, dead = Counter[str](), 0, 0
    for one in sending:
        reasons.update(one.reasons)
        read += one.counted + one.seen + one.revised + one.dead
        dead += one.dead
    seen = read - dead - counted - revised
    return Verdicts(counted=counted, seen=seen, revised=revised, dead=dead, reasons=dict(reasons))


def current_logs(client: Client) -> dict[str, int]:
    """Current log number by topic."""
    return logs(client.query(LOGS_SQL).result_rows)


class Account(msgspec.Struct, kw_only=True):
    """The sum of many blocks' verdicts. read = counted + seen + revised + dead when nothing is missing."""

    read: int = 0
    counted: int = 0
    seen: int = 0
    revised: int = 0
    dead: int = 0
    reasons: dict[str, int] = {}

    def add(self, verdicts: Verdicts) -> None:
        """Take in the verdicts of one more block."""
        self.counted += verdicts.counted
        self.seen += verdicts.seen
        self.revised += verdicts.revised
        self.dead += verdicts.dead
        for reason, count in verdicts.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + int(count)

    @property
    def adds_up(self) -> bool:
        """Whether every event read has its verdict."""
        return self.read == self.counted + self.seen + self.revised + self.dead
