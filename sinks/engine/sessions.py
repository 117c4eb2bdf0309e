"""Sessions of the engine: made ready for one statement, and kept for the next where nothing can stay behind in them.

A reader's session ends read-only and takes no SET, USE or table, so that it is after a statement what it was before.
Sessions with parameters or external tables, and all of the writer's, end with their statement.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sinks.engine.tokens import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from sinks.engine.session import Job

KEPT_MAX = 8
_CLOSING = ("allow_ddl", "readonly")  # set last: nothing can be set or made after them


class Sessions:
    """Opens sessions with `connect()` and keeps at most `KEPT_MAX` of them open for later."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._kept: deque[tuple[Hashable, Any]] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def session(self, job: Job) -> Iterator[Any]:
        """Give a session that is ready for `job`; one in which something failed is not used again."""
        key = _key(job)
        connection = self._take(key) if key else None
        if connection is None:
            connection = self._open(job)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._give_back(key, connection)

    def close(self) -> None:
        """Close those that are kept."""
        with self._lock:
            while self._kept:
                self._kept.pop()[1].close()

    def _open(self, job: Job) -> Any:
        connection = self._connect()
        try:
            _prepare(connection, job)
        except BaseException:
            connection.close()
            raise
        return connection

    def _take(self, key: Hashable) -> Any | None:
        with self._lock:
            for kept in self._kept:
                if kept[0] == key:
                    self._kept.remove(kept)
                    return kept[1]
        return None

    def _give_back(self, key: Hashable, connection: Any) -> None:
        surplus = connection
        if key:
            with self._lock:
                self._kept.append((key, connection))
                surplus = self._kept.popleft()[1] if len(self._kept) > KEPT_MAX else None
        if surplus is not None:
            surplus.close()


def _key(job: Job) -> Hashable:
    """Tell which jobs a session is ready for; None for a session that ends with its job."""
    if job.params or job.externals or not job.readonly:
        return None
    return job.database, tuple(sorted(job.settings.items()))


def _prepare(connection: Any, job: Job) -> None:
    """Bring a session to the state that the statement is to find: database, settings, tables; closed at last."""
    if job.database:
        quoted = job.database.replace("\\", "\\\\").replace("`", "\\`")
        connection.query(f"USE `{quoted}`")
    closing = dict(job.settings)
    if job.externals:
        _set(connection, {key: value for key, value in closing.items() if key not in _CLOSING})
        closing = {key: value for key, value in closing.items() if key in _CLOSING}
    for table in job.externals:
        source = f"file({literal(str(table.file))}, {literal(table.format)}, {literal(table.structure)})"
        connection.query(f"CREATE TEMPORARY TABLE `{table.name}` AS SELECT * FROM {source}")  # noqa: S608 literals
    _set(connection, closing)


def _set(connection: Any, settings: Mapping[str, str]) -> None:
    if settings:
        connection.query("SET " + ", ".join(f"{key} = {literal(value)}" for key, value in settings.items()))
