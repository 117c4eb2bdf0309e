"""chDB in this process: one engine on one folder, and a session of its own for every request."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sinks.engine.errors import EngineError, QueryFailedError
from sinks.engine.native import header_block
from sinks.engine.options import MIB
from sinks.engine.tokens import literal, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinks.engine.arguments import External
    from sinks.engine.options import Options

STORE = "store"
_CLOSING = ("allow_ddl", "readonly")  # set last: nothing can be set or made after them
_ROWS_WORDS = (b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN", b"EXISTS", b"FROM")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One statement and the session it runs in; `hidden` is what its errors must not show."""

    sql: str
    format: str
    hidden: str
    database: str = ""
    settings: Mapping[str, str]
    params: Mapping[str, str]
    externals: tuple[External, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result's bytes, its format ("" for a statement without a result) and counts of rows and bytes."""

    body: bytes
    format: str
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    elapsed_ns: int


class Engine:
    """The engine on `options.data`; opening it sets this process's working folder and time zone."""

    def __init__(self, options: Options) -> None:
        os.environ["TZ"] = options.zone  # where chDB takes the server's zone from; it must stand before the import
        time.tzset()
        os.chdir(options.data)  # a relative path cannot hold characters that a connection string would misread
        from chdb import ChdbError
        from chdb.state.sqlitelike import connect

        self._connect = connect
        self._failure = ChdbError
        # The first connection gives the server its configuration and keeps it alive; others name only the path.
        self._root = connect(f"{STORE}?{_server_arguments(options)}")
        self.version = self._words("SELECT version()")[0]
        self.zone = self._words("SELECT timezone()")[0]
        if self.zone != options.zone:
            raise ValueError(f"the zone {options.zone} is not known to the engine, which took {self.zone}")
        self.settings = frozenset(self._words("SELECT name FROM system.settings"))
        self.formats = {name.lower(): name for name in self._words("SELECT name FROM system.formats")}
        self.table_functions = frozenset(self._words("SELECT name FROM system.table_functions"))

    def run(self, job: Job) -> Answer:
        """Run one statement in a session that ends with it; blocks. Raises QueryFailedError."""
        started = time.perf_counter_ns()
        connection = self._connect(STORE)
        try:
            _prepare(connection, job)
            result = connection.query(job.sql, job.format, params=dict(job.params))
            body = bytes(result.bytes())
            if not body and job.format == "Native":
                body = _empty_native(connection, job)
            return _answer(result, body, job, time.perf_counter_ns() - started)
        except (RuntimeError, self._failure) as error:
            raise QueryFailedError(str(error), hidden=job.hidden) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Close the engine; sessions still running keep it open until they end."""
        self._root.close()

    def _words(self, sql: str) -> list[str]:
        return str(self._root.query(sql, "TSVRaw").bytes().decode()).split()


def result_format(sql: bytes, *, asked: str, formats: Mapping[str, str]) -> str:
    """Find the format of the statement's result: the one it names at its end, else `asked`, else TabSeparated.

    Raises error 73 for a format the engine does not have.
    """
    named = _named_format(sql)
    wanted = named[1] if named else asked or "TabSeparated"
    known = formats.get(wanted.lower())
    if known is None:
        raise EngineError(73, f"Unknown format {wanted[:64]}.")
    return known


def _named_format(sql: bytes) -> tuple[int, str] | None:
    """Place and name of the FORMAT clause that ends a query."""
    last = deque((token for token in tokens(sql) if not token.depth), maxlen=2)
    if len(last) == 2 and last[0].is_(b"FORMAT") and last[1].kind == "word":
        return last[0].start, last[1].text.decode()
    return None


def _prepare(connection: Any, job: Job) -> None:
    """Bring a session to the state that the statement is to find: database, settings, tables; closed at last."""
    if job.database:
        quoted = job.database.replace("\\", "\\\\").replace("`", "\\`")
        connection.query(f"USE `{quoted}`")
    _set(connection, {key: value for key, value in job.settings.items() if key not in _CLOSING})
    for table in job.externals:
        source = f"file({literal(str(table.file))}, {literal(table.format)}, {literal(table.structure)})"
        connection.query(f"CREATE TEMPORARY TABLE `{table.name}` AS SELECT * FROM {source}")  # noqa: S608 literals
    _set(connection, {key: value for key, value in job.settings.items() if key in _CLOSING})


def _set(connection: Any, settings: Mapping[str, str]) -> None:
    if settings:
        connection.query("SET " + ", ".join(f"{key} = {literal(value)}" for key, value in settings.items()))


def _empty_native(connection: Any, job: Job) -> bytes:
    """Describe the columns of a query that gave no rows; other statements stay empty."""
    sql = job.sql.encode()
    first = next((token for token in tokens(sql) if token.text != b"("), None)
    if first is None or not first.is_(b"SELECT", b"WITH"):
        return b""
    named = _named_format(sql)
    query = (sql[: named[0]] if named else sql).decode()
    described = connection.query(f"DESCRIBE TABLE ({query}\n)", "JSONCompact", params=dict(job.params))
    return header_block((row[0], row[1]) for row in json.loads(described.bytes())["data"])


def _answer(result: Any, body: bytes, job: Job, elapsed_ns: int) -> Answer:
    return Answer(
        body=body,
        format=job.format if body or _has_result(job.sql) else "",
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        result_rows=0 if result.rows_written() else result.rows_read(),
        elapsed_ns=elapsed_ns,
    )


def _has_result(sql: str) -> bool:
    first = next((token for token in tokens(sql.encode()) if token.text != b"("), None)
    return first is not None and first.is_(*_ROWS_WORDS)


def _server_arguments(options: Options) -> str:
    """Server settings as chDB takes them, in the connection string: few threads and small caches for two cores."""
    return "&".join(
        f"{key}={value}"
        for key, value in {
            "max_server_memory_usage": options.memory_bytes_max,
            "mark_cache_size": 64 * MIB,
            "uncompressed_cache_size": 0,
            "background_pool_size": 2,
            "background_schedule_pool_size": 2,
            "max_thread_pool_size": 200,
        }.items()
    )
