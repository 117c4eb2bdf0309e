"""Errors as ClickHouse words them, so that clients can tell one from another by its code."""

from __future__ import annotations

import re

# What the door itself refuses with; the engine's own errors bring their code and name along.
NAMES = {
    36: "BAD_ARGUMENTS",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    115: "UNKNOWN_SETTING",
    164: "READONLY",
    307: "TOO_MANY_BYTES",
    372: "SESSION_NOT_FOUND",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
}
_STATUS = {
    400: {6, 26, 27, 36, 38, 41, 42, 43, 44, 47, 53, 62, 69, 70, 73, 108, 115, 130, 349, 386, 456, 457},
    403: {164, 497, 516},
    404: {16, 46, 60, 81, 372},
    408: {159},
    413: {307},
    501: {48},
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
