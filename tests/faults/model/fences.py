"""The fences: each a switch, and what it keeps out."""

from __future__ import annotations

from typing import Final

SET: Final = "set"
OLD_ROW: Final = "old row as emitted"
ACCEPT: Final = "next source"
OFFSET: Final = "offset"
TOKEN: Final = "token"  # noqa: S105 what ClickHouse calls it
PARTS: Final = "parts"
MARK: Final = "mark"
EPOCH: Final = "epoch"
SPOOL: Final = "spool"
BLOCK_ID: Final = "block_id"
DIGEST: Final = "digest"
CHAIN: Final = "chain"
REFUTED: Final = "refuted"
LOOK: Final = "look"
SPOOL_FIRST: Final = "spool first"
CONNECTION: Final = "connection"

FENCES: Final = {
    SET: "an event that is in its ticket's set is not counted again",
    OLD_ROW: "the sums lose what the row emitted before contributed, not what the set would give today",
    ACCEPT: "exactly the next source of a partition is taken, an earlier one dropped, a gap stops the line",
    OFFSET: "a worker whose output did not go where it was due ends: somebody else writes",
    TOKEN: "an insert that is repeated under its token adds nothing",
    PARTS: "an insert that is repeated after some of its parts were stored adds the others: tokens are told by part",
    MARK: "a batch ends by moving the mark; who starts goes on there",
    EPOCH: "an insert of a sink that has a successor does nothing",
    SPOOL: "a batch is durable before its first insert, and is finished as it is",
    BLOCK_ID: "the sink finds the input record at its mark with the block_id it had, or it is a fork; so does a worker",
    DIGEST: "the sink finds the output before its mark with the digest it had, or it is a fork",
    CHAIN: "an output names the output it was measured upon; after any other it is passed over",
    REFUTED: "a worker ends when the sink's mark names another output than it accepted there",
    LOOK: "a worker whose output the sink does not come to looks for it, and ends where another one stands, or none",
    SPOOL_FIRST: "a worker starts after the sink has finished its spool",
    CONNECTION: "a worker of a broker that keeps nothing ends with its connection, and so does what it had on its way",
}
"""Fence → what it does."""
AGAINST_CUT_TAILS: Final = frozenset({BLOCK_ID, DIGEST, CHAIN, REFUTED, LOOK})
"""Fences against a durable broker that loses records which it had acknowledged. Nothing else needs them."""
