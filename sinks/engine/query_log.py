"""The query log: one line of JSON for every statement, in files that replace one another.

Values of parameters, passwords and the data of inserts are not in it.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

FILE_NAME = "queries.jsonl"
SQL_CHARACTERS_MAX = 4000
FILE_BYTES_MAX = 16 << 20
FILES_MAX = 4


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One statement: who asked what, and what it took. Times in milliseconds; `code` 0 is success."""

    at: datetime
    user: str
    client: str
    agent: str
    query_id: str
    query: str
    code: int = 0
    error: str = ""
    waited_ms: float = 0.0
    ran_ms: float = 0.0
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    result_rows: int = 0
    result_bytes: int = 0


class QueryLog:
    """Appends entries to ``queries.jsonl`` in `folder`; older ones are ``queries.jsonl.1`` and on."""

    def __init__(self, folder: Path) -> None:
        self._log = logging.getLogger("sinks.engine.queries")
        self._log.propagate = False
        self._log.setLevel(logging.INFO)
        handler = _OwnersFile(
            folder / FILE_NAME, maxBytes=FILE_BYTES_MAX, backupCount=FILES_MAX - 1, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._log.handlers = [handler]

    def write(self, entry: Entry) -> None:
        """Append one; a full disk must not fail the statement itself, so errors go to stderr by logging's own rule."""
        self._log.info(msgspec.json.encode(entry).decode())


def now() -> datetime:
    """Tell the moment a statement came in."""
    return datetime.now(UTC)


def shown(sql: bytes, data_at: int | None) -> str:
    """Give a statement for the log: without the data of an insert, which begins at `data_at`, and not endless."""
    text = (sql if data_at is None else sql[:data_at]).decode(errors="replace").strip()
    return text if len(text) <= SQL_CHARACTERS_MAX else text[:SQL_CHARACTERS_MAX] + "…"


class _OwnersFile(RotatingFileHandler):
    """A log that its owner alone can read."""

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT, 0o600))
        return super()._open()
