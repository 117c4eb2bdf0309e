"""The engine as the sink sees it: guarded inserts under tokens, its epoch, marks and log numbers."""

from __future__ import annotations

import logging
import secrets
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from hotline import filled
from hotline.marks import MARKS_SQL, Mark, Partition, marks
from hotline.settings import SettingsError
from sinks.connecting import connect
from sinks.inserting import EPOCHS, Column, columns_of, highest_epoch, send
from sinks.logs import current_logs, follow_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from clickhouse_connect.driver.client import Client

    from hotline.filled import Columns
    from hotline.settings import Settings
    from sinks.inserting import Insert

log = logging.getLogger("sinks.writer")
T = TypeVar("T")

BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.1, 5.0
AWAY = (ClickHouseError, HTTPError, OSError, SettingsError)
"""What an absent, starting or failing engine shows as."""


class FencedError(RuntimeError):
    """Another sink took a higher epoch: this one is a zombie and must end."""


class StoppedError(RuntimeError):
    """The process was told to stop while it waited for the engine."""


class ColumnsError(RuntimeError):
    """An output brings columns that its table cannot take."""


class Store:
    """A connection that comes back: every call waits for the engine as long as it takes, unless told to stop."""

    def __init__(self, settings: Settings, stop: threading.Event, *, on_trouble: Callable[[str | None], None]) -> None:
        """`on_trouble` hears what is wrong with the engine, and None when it answers again."""
        self._settings = settings
        self._stop = stop
        self._on_trouble = on_trouble
        self._client: Client | None = None
        self._connecting = threading.Lock()
        self._types: dict[str, dict[str, Column]] = {}
        self.epoch = 0

    def take_epoch(self) -> int:
        """Take the next epoch, read back: of two sinks that take one at once each gets its own."""
        claim = secrets.token_hex(16)
        while not self.epoch:
            epoch = self.highest_epoch() + 1
            self.retry(partial(_claim, epoch=epoch, claim=claim))
            found = self.retry(partial(_claims, epoch=epoch))
            self.epoch = epoch if found == [claim] else 0
        return self.epoch

    def highest_epoch(self) -> int:
        """Return the highest epoch that any sink took."""
        return self.retry(highest_epoch)

    def marks(self) -> dict[Partition, Mark]:
        """Return all marks."""
        return self.retry(lambda client: marks(client.query(MARKS_SQL).result_rows))

    def current_logs(self) -> dict[str, int]:
        """Return the number of each topic's log."""
        return self.retry(current_logs)

    def follow_fork(self, topics: Collection[str]) -> None:
        """Give topics whose logs are not the ones they were their next numbers."""
        self.retry(partial(follow_fork, topics=topics))

    def logs_changed(self, known: dict[str, int]) -> bool:
        """Tell whether a topic has another log than `known` says; an engine that does not answer tells nothing."""
        try:
            return current_logs(self._connected()) != known
        except AWAY:
            return False

    def check(self, table: str, columns: tuple[str, ...]) -> None:
        """Raise ColumnsError unless a table has all of these columns and these hold all of its sort key."""
        if not set(columns) <= self._columns(table).keys():
            self.forget_columns()  # a migration may have come meanwhile
        known = self._columns(table)
        strange = [name for name in columns if name not in known]
        absent = [name for name, column in known.items() if column.in_key and name not in columns]
        if strange or absent:
            raise ColumnsError(
                f"an output for the table {table} has unknown columns {strange} and lacks {absent}: "
                "apply the migrations of this version, then start the sink again"
            )

    def columns(self, table: str) -> Collection[str]:
        """Name the columns of a table, as they were when they were last asked for."""
        return self._columns(table).keys()

    def forget_columns(self) -> None:
        """Ask for the columns of tables again before they are used."""
        self._types.clear()

    def claimed(self) -> Columns:
        """Return which columns of sums are filled, or being filled."""
        return self.retry(lambda client: filled.columns(client.query(filled.CLAIMED_SQL).result_rows))

    def insert(self, insert: Insert) -> int:
        """Insert unless another sink took over; rows written, those of a repetition included."""
        columns = self._columns(insert.table)
        return self.retry(
            lambda client: send(client, insert, columns, self.epoch),
            what=f"insert of {insert.rows} rows into {insert.table}",
        )

    def ensure_epoch(self) -> None:
        """Raise FencedError when another sink took over."""
        highest = self.highest_epoch()
        if highest > self.epoch:
            raise FencedError(f"another sink took epoch {highest}, this one has {self.epoch}: it must end")

    def retry(self, action: Callable[[Client], T], *, what: str = "question", whose: str = "engine") -> T:
        """Do it, again and again until the engine answers, or `whose` it is. Raises StoppedError when told to stop."""
        wait_s, said = BACKOFF_FIRST_S, ""
        while True:
            try:
                result = action(self._connected())
            except AWAY as error:
                reason = f"{what}: {_first_line(error)}"
                if reason != said:
                    log.warning("the %s does not take it, trying again: %s", whose, reason)
                    self._on_trouble(reason)
                said = reason
                self._disconnect()
            else:
                if said:
                    log.warning("the %s takes it again", whose)
                    self._on_trouble(None)
                return result
            if self._stop.wait(wait_s):
                raise StoppedError(f"stopped while waiting for the {whose} ({said})")
            wait_s = min(wait_s * 2, BACKOFF_MAX_S)

    def _columns(self, table: str) -> dict[str, Column]:
        if table not in self._types:
            self._types[table] = self.retry(partial(columns_of, table=table))
        return self._types[table]

    def _connected(self) -> Client:
        with self._connecting:
            if self._client is None:
                self._client = connect(self._settings)
            return self._client

    def _disconnect(self) -> None:
        with self._connecting:
            if self._client is not None:
                self._client.close()
            self._client = None


def _claim(client: Client, epoch: int, claim: str) -> None:
    client.insert(
        EPOCHS,
        [[epoch, claim]],
        column_names=["epoch", "claim"],
        settings={"insert_deduplication_token": f"epoch/{epoch}", "async_insert": 0},
    )


def _claims(client: Client, epoch: int) -> list[str]:
    found = client.query(f"SELECT claim FROM {EPOCHS} WHERE epoch = {{epoch:UInt64}}", parameters={"epoch": epoch})  # noqa: S608
    return [str(row[0]) for row in found.result_rows]


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}"
