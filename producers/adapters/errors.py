"""What can be wrong with a whole file. A wrong line is no error: it is a row with a problem."""

from __future__ import annotations


class AdapterError(ValueError):
    """Something about a file or an adapter that its user can put right; the message says how."""


class UnknownAdapterError(AdapterError):
    """No adapter has this name."""


class UnreadableError(AdapterError):
    """Nothing in the file can be read by this adapter; raised before any batch."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(f"{name}: {reason}. {remedy}")


class TruncatedError(AdapterError):
    """The file ends too early or is damaged; all whole lines before that point were read."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}; the whole lines before that were read. Fetch the file again and load it")
        self.name, self.reason = name, reason
