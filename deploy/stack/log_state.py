"""What is told of the embedded broker's log."""

import msgspec


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """The log's number, its bytes and their bound, and how many changes were planned since the stack's start.

    `bytes` is what the broker's resident memory grew by since it began the log: known to who asks, not to who tells.
    """

    number: int | None = None
    bytes: int = 0
    bytes_max: int
    resident_bytes_at_start: int = 0
    changes: int = 0
