"""Errors as ClickHouse words them, so that clients can tell one from another by its code."""

from __future__ import annotations

import re

# What the door itself refuses with; the engine's own errors bring their code and name along.
NAMES = {
    36: "BAD_ARGUMENTS",
    48: "NOT_IMPLEMENTED",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    164: "READONLY",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    209: "SOCKET_TIMEOUT",
    307: "TOO_MANY_BYTES",
    372: "SESSION_NOT_FOUND",
    394: "QUERY_WAS_CANCELLED",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
}
# As a ClickHouse server maps them, and 500 for the rest. Five differ on purpose (docs/decisions/0014): 164 is a
# refusal, 307 a body too large, 202, 372 and 456 the caller's to mend. A server says 500, as if the fault were its own.
_STATUS = {
    400: {
        *(6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441),
        *(456, 675, 676),
    },
    403: {164, 192, 193, 497, 512, 516},
    404: {46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 372, 511},
    408: {159},
    413: {229, 307},
    429: {202},
    501: {48},
    503: {76, 209, 439},
}
STATUS = {code: status for status, codes in _STATUS.items() for code in codes}
_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_NESTED = re.compile(r"^(Code: \d+\. DB::Exception: )\1")
_INNER_TAIL = re.compile(r" \([A-Z_]+\) \(version [^)]*\)\.(?= \([A-Z_]+\)$)")


class EngineError(Exception):
    """A refusal with ClickHouse's error `code` and a sentence that names the thing and the remedy."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        super().__init__(f"Code: {code}. DB::Exception: {sentence} ({NAMES[code]})")

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS.get(self.code, 500)


class QueryFailedError(EngineError):
    """What the engine itself said about a statement, without the places where it keeps request bodies."""

    def __init__(self, text: str, *, hidden: str) -> None:
        said = text.strip().replace(hidden, "request-body")
        found = _CODE.search(said)
        self.code = int(found[1]) if found else 1001
        said = _INNER_TAIL.sub("", _NESTED.sub(r"\1", said))
        Exception.__init__(self, said if found else f"Code: 1001. DB::Exception: {said} (STD_EXCEPTION)")
