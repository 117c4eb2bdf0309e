"""chDB in this process: one engine on one folder, and a session of its own for every request."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sinks.engine.allowed import Function
from sinks.engine.errors import EngineError, QueryFailedError
from sinks.engine.native import header_block
from sinks.engine.options import MIB
from sinks.engine.results import Result, into_file
from sinks.engine.sessions import Sessions
from sinks.engine.tables import Stored
from sinks.engine.tokens import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sinks.engine.arguments import External
    from sinks.engine.options import Options
    from sinks.engine.shapes import Shape

STORE = "store"
_PARSED = "EXPLAIN AST "
_POSITION = re.compile(r"(position |, col )(\d+)")
_SYNTAX = 62


@dataclass(frozen=True, kw_only=True)
class Job:
    """One statement and the session it runs in; `hidden` is what its errors must not show.

    `shape` says what kind of statement it is, `readonly` whether its session can be used again afterwards.
    """

    sql: str
    shape: Shape
    format: str
    hidden: str
    readonly: bool
    database: str = ""
    settings: Mapping[str, str]
    params: Mapping[str, str]
    externals: tuple[External, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result's bytes, its format ("" for a statement without a result) and counts of rows and bytes."""

    result: Result
    format: str
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    elapsed_ns: int


@dataclass(frozen=True)
class Progress:
    """How far a running statement is; 0 `total_rows` where that is not known."""

    read_rows: int
    read_bytes: int
    total_rows: int
    elapsed_ns: int


class Engine:
    """The engine on `options.data`; opening it sets this process's working folder and time zone."""

    def __init__(self, options: Options) -> None:
        os.environ["TZ"] = options.zone  # where chDB takes the server's zone from; it must stand before the import
        time.tzset()
        os.chdir(options.data)  # a relative path cannot hold characters that a connection string would misread
        from chdb import ChdbError
        from chdb.state.sqlitelike import connect

        self._failure = ChdbError
        self._one = threading.Lock()
        self._results = str(options.data)
        # The first connection gives the server its configuration and keeps it alive; others name only the path.
        self._root = connect(f"{STORE}?{_server_arguments(options)}")
        self._sessions = Sessions(lambda: connect(STORE))
        self.version = self._words("SELECT version()")[0]
        self.zone = self._words("SELECT timezone()")[0]
        if self.zone != options.zone:
            raise ValueError(f"the zone {options.zone} is not known to the engine, which took {self.zone}")
        self.settings = frozenset(self._words("SELECT name FROM system.settings"))
        self.formats = {name.lower(): name for name in self._words("SELECT name FROM system.formats")}

    def run(self, job: Job, on_file: Callable[[str], None] = lambda _: None) -> Answer:
        """Run one statement; blocks. Raises QueryFailedError.

        `on_file` is told where its result goes to, by which `cancel` and `progress` know it.
        """
        started = time.perf_counter_ns()
        result = Result.empty(self._results) if job.shape.filed else None
        try:
            if result is not None:
                on_file(result.path)
            with self._sessions.session(job) as session:
                counts = session.query(_filed(job, result), job.format, params=dict(job.params))
                kept = _kept(result, counts, session, job)
            return _answer(counts, kept, job, time.perf_counter_ns() - started)
        except (RuntimeError, self._failure) as error:
            if result is not None:
                result.close()
            raise self._failed(error, job) from error

    def parse(self, sql: str, params: Mapping[str, str]) -> str:
        """Print the tree of a statement as the engine's parser sees it; nothing of it runs. Raises QueryFailedError."""
        try:
            printed: bytes = self._ask(_PARSED + sql, "TSVRaw", params).bytes()
            return printed.decode(errors="replace")  # a literal may hold any bytes
        except (RuntimeError, self._failure) as error:
            text = _POSITION.sub(lambda found: f"{found[1]}{int(found[2]) - len(_PARSED)}", str(error))
            raise QueryFailedError(text, hidden=_PARSED) from error

    def functions(self) -> list[Function]:
        """List the engine's own functions and those that somebody made."""
        sql = "SELECT name, categories, alias_to, is_aggregate, origin = 'System' FROM system.functions"
        return [Function(a, b, c, bool(d), bool(e)) for a, b, c, d, e in self._rows(sql)]

    def combinators(self) -> list[str]:
        """List the endings that make another aggregate function of one (If, Array, State …)."""
        return self._words("SELECT name FROM system.aggregate_function_combinators")

    def table(self, database: str, name: str) -> Stored | None:
        """Find a table; None when there is none of that name."""
        sql = "SELECT engine, as_select FROM system.tables WHERE database = {database:String} AND name = {name:String}"
        found = self._rows(sql, {"database": _escaped(database), "name": _escaped(name)})
        return Stored(*found[0]) if found else None

    def cancel(self, path: str) -> None:
        """Stop the statement whose result goes to `path` if it still runs; it then fails with error 394."""
        self._ask(f"KILL QUERY WHERE {_writes_to(path)} ASYNC", "Null")

    def progress(self, path: str) -> Progress | None:
        """Tell how far the statement is whose result goes to `path`; None when it does not run."""
        counts = "read_rows, read_bytes, total_rows_approx, toUInt64(elapsed * 1e9)"
        found = self._rows(f"SELECT {counts} FROM system.processes WHERE {_writes_to(path)}")  # noqa: S608 literals
        return Progress(*map(int, found[0])) if found else None

    def close(self) -> None:
        """Close the engine; sessions still running keep it open until they end."""
        self._sessions.close()
        self._root.close()

    def _failed(self, error: Exception, job: Job) -> EngineError:
        """Word an error as of the statement that was sent, without the file that was put into it."""
        failed = QueryFailedError(str(error), hidden=job.hidden)
        if failed.code == _SYNTAX:
            try:
                self.parse(job.sql, job.params)
            except EngineError as plain:
                return plain
        return failed

    def _words(self, sql: str) -> list[str]:
        return str(self._ask(sql, "TSVRaw").bytes().decode()).split()

    def _ask(self, sql: str, format: str, params: Mapping[str, str] | None = None) -> Any:  # noqa: A002  chDB's word
        """Ask on the first connection: one thread at a time, for its parameters are those of whoever came last."""
        with self._one:
            return self._root.query(sql, format, params=dict(params or {}))

    def _rows(self, sql: str, params: Mapping[str, str] | None = None) -> list[list[Any]]:
        found = self._ask(sql, "JSONCompact", params)
        rows: list[list[Any]] = json.loads(found.bytes())["data"]
        return rows


def result_format(named: str, *, asked: str, formats: Mapping[str, str]) -> str:
    """Choose the format of a result: the one that the statement names, else `asked`, else TabSeparated.

    Raises error 73 for a format the engine does not have.
    """
    wanted = named or asked or "TabSeparated"
    known = formats.get(wanted.lower())
    if known is None:
        raise EngineError(73, f"Unknown format {wanted[:64]}.")
    return known


def _filed(job: Job, result: Result | None) -> str:
    return into_file(job.sql, result.path, job.format) if result else job.sql


def _kept(result: Result | None, counts: Any, connection: Any, job: Job) -> Result:
    """Take what the engine wrote; an empty Native result becomes the block that names its columns."""
    if result is None:
        return Result.of(bytes(counts.bytes()))
    result.measure()
    if result.size or job.format != "Native":
        return result
    result.close()
    described = connection.query(f"DESCRIBE TABLE ({job.sql}\n)", "JSONCompact", params=dict(job.params))
    return Result.of(header_block((row[0], row[1]) for row in json.loads(described.bytes())["data"]))


def _writes_to(path: str) -> str:
    return f"match(query, {literal(into_file('', path, '[A-Za-z]+$'))})"


def _escaped(text: str) -> str:
    """Write a value as a parameter takes it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _answer(counts: Any, result: Result, job: Job, elapsed_ns: int) -> Answer:
    return Answer(
        result=result,
        format=job.format if result.size or job.shape.rows else "",
        read_rows=counts.storage_rows_read(),
        read_bytes=counts.storage_bytes_read(),
        written_rows=counts.rows_written(),
        written_bytes=counts.bytes_written(),
        result_rows=0 if counts.rows_written() else counts.rows_read(),
        elapsed_ns=elapsed_ns,
    )


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
