"""What became of blocks: their verdicts, as the sink stored them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.marks import LOGS_SQL, logs
from hotline.measured import Verdicts
from hotline.names import ACCOUNTS_TABLE, DATABASE

if TYPE_CHECKING:
    from collections.abc import Collection

    from clickhouse_connect.driver.client import Client

# A block that was sent twice has an account a sending, a row a slice, in order of logs and offsets of its partition.
# What an event did is its first stored verdict. Slices of a sending that a broker's death broke off are stored as well:
# what they counted or revised is only "seen" in the next sending, whose slices may be cut elsewhere, and what was dead
# is dead again. So up to the first sending that is whole (its last slice is stored), counted and revised add up, dead
# is that sending's, and the rest was seen.
_FIRST_STORED = f"""
SELECT block_id, (
    sum(counted_), argMax(all_ - dead_, at) - sum(counted_) - sum(revised_), sum(revised_), argMax(dead_, at),
    argMax(reasons_, at)
) AS first
FROM (
    SELECT *, max(whole) OVER (PARTITION BY block_id) AS any,
           minIf(at, whole) OVER (PARTITION BY block_id) AS first_whole
    FROM (
        SELECT block_id, (log, offset) AS at, max(final) AS whole, toInt64(sum(counted)) AS counted_,
               toInt64(sum(revised)) AS revised_, toInt64(sum(dead)) AS dead_, sumMap(reasons) AS reasons_,
               counted_ + revised_ + dead_ + toInt64(sum(seen)) AS all_
        FROM {DATABASE}.{ACCOUNTS_TABLE}
        WHERE block_id IN {{blocks:Array(String)}}
        GROUP BY block_id, topic, partition, log, offset
    )
)
WHERE any AND at <= first_whole
GROUP BY block_id
"""  # noqa: S608 names of ours


def stored_verdicts(client: Client, blocks: Collection[str]) -> dict[str, Verdicts]:
    """Return the first stored verdicts of the events of those of the blocks that are stored whole, by block id."""
    found = client.query(_FIRST_STORED, parameters={"blocks": list(blocks)}).result_rows
    return {
        str(block): Verdicts(counted=counted, seen=seen, revised=revised, dead=dead, reasons=dict(reasons))
        for block, (counted, seen, revised, dead, reasons) in found
    }


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
