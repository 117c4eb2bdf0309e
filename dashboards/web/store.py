"""The store as web pages ask it: as the reader, few questions at a time, each text of a moment asked once."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from hotline.queries import Statement
from hotline.settings import SettingsError, password

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from hotline.settings import Settings

AT_ONCE_MAX = 3
"""Questions that the engine is asked at a time: it has the pipeline to serve as well."""
ANSWER_S_MAX = 30.0
ANSWER_BYTES_MAX = 32 << 20
KEPT_S = 1.0
"""An answer serves all who ask the same text within that time."""
_SHOWN_MAX = 300
_FORMAT = {
    "default_format": "JSONCompact",
    "wait_end_of_query": "1",
    "output_format_json_quote_64bit_integers": "0",
    "date_time_output_format": "unix_timestamp",
}


class StoreError(Exception):
    """The store did not answer; the message says what it said."""


@dataclass(frozen=True)
class Answer:
    """Columns by name with their types, and rows; instants are epoch seconds."""

    types: Mapping[str, str]
    rows: Sequence[Sequence[Any]]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.types)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]


@dataclass
class Store:
    """One ClickHouse, asked over a few connections; to be entered before it is asked."""

    settings: Settings
    asked: int = 0
    """Questions that were put to the engine."""
    _kept: dict[str, tuple[float, asyncio.Task[Answer]]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._turn = asyncio.Semaphore(AT_ONCE_MAX)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX),
            connector=aiohttp.TCPConnector(limit=AT_ONCE_MAX + 1),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, task in self._kept.values():
            task.cancel()
        await self._session.close()

    async def shared(self, sql: str) -> Answer:
        """Ask a text, together with all who ask the same within a second. Raises StoreError."""
        now = time.monotonic()
        for old in [text for text, (since, task) in self._kept.items() if task.done() and now - since > KEPT_S]:
            del self._kept[old]
        since, task = self._kept.get(sql, (0.0, None))
        if task is None or (task.done() and now - since > KEPT_S):
            task = asyncio.create_task(self.run(Statement(sql)))
            self._kept[sql] = (now, task)
        return await asyncio.shield(task)

    async def run(self, statement: Statement) -> Answer:
        """Ask a statement once it is its turn. Raises StoreError."""
        async with self._turn:
            self.asked += 1
            status, body = await self._post(statement)
        if status != HTTPStatus.OK:
            said = body.decode(errors="replace").strip().partition("\n")[0][:_SHOWN_MAX]
            raise StoreError(said or f"status {status}")
        found = json.loads(body)
        return Answer({column["name"]: column["type"] for column in found["meta"]}, found["data"])

    async def _post(self, statement: Statement) -> tuple[int, bytes]:
        try:
            headers = {
                "X-ClickHouse-User": self.settings.clickhouse_reader,
                "X-ClickHouse-Key": password(self.settings, "reader"),
            }
            async with self._session.post(
                self.settings.clickhouse_url,
                params={**_FORMAT, **statement.arguments},
                data=statement.sql.encode(),
                headers=headers,
            ) as reply:
                return reply.status, await _whole(reply)
        except SettingsError as error:
            raise StoreError(str(error)) from error
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise StoreError(f"ClickHouse cannot be reached ({error or type(error).__name__})") from error


async def _whole(reply: aiohttp.ClientResponse) -> bytes:
    taken = bytearray()
    async for piece in reply.content.iter_chunked(1 << 16):
        taken += piece
        if len(taken) > ANSWER_BYTES_MAX:
            raise StoreError(f"an answer of more than {ANSWER_BYTES_MAX >> 20} MiB")
    return bytes(taken)
