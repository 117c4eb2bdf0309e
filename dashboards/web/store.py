"""The store as web pages ask it: as the reader, few questions at a time, each text of a moment asked once."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from dashboards.web.errors import SaidError
from dashboards.words import Text
from hotline.queries import Statement
from hotline.settings import SettingsError, password

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from hotline.settings import Settings

AT_ONCE_MAX = 3
"""Questions that the engine is asked at a time: it has the pipeline to serve as well."""
NAMES_AT_ONCE_MAX = 1
"""Of those, beside the others, that ask which names can be chosen: a page waits for them, not for all other panels."""
ANSWER_S_MAX = 30.0
"""What a question may take, the wait for its turn included: a store that hangs is told of once for all questions."""
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


class StoreError(SaidError):
    """The store did not answer; the message says what it said, in its own words where it has some."""


@dataclass(frozen=True)
class Answer:
    """Columns by name with their types, and rows; instants are epoch seconds."""

    types: Mapping[str, str]
    rows: Sequence[Sequence[Any]]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.types)


@dataclass
class Store:
    """One ClickHouse, asked over a few connections; to be entered before it is asked."""

    settings: Settings
    asked: int = 0
    """Questions that were put to the engine."""
    _kept: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._turn = asyncio.Semaphore(AT_ONCE_MAX)
        self._turn_of_names = asyncio.Semaphore(NAMES_AT_ONCE_MAX)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),
            connector=aiohttp.TCPConnector(limit=AT_ONCE_MAX + NAMES_AT_ONCE_MAX + 1),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._kept.values():
            task.cancel()
        await self._session.close()

    def login(self) -> dict[str, str]:
        """Give the headers of the reader; its password is read anew each time. Raises StoreError without one."""
        try:
            key = password(self.settings, "reader")
        except SettingsError as error:
            raise StoreError(quoted(str(error))) from error
        return {"X-ClickHouse-User": self.settings.clickhouse_reader, "X-ClickHouse-Key": key}

    async def shared(self, sql: str) -> Answer:
        """Ask a text, together with all who ask the same within a second. Raises StoreError."""
        return await self._shared(sql, self._turn)

    async def names(self, sql: str) -> Answer:
        """Ask a text for names that can be chosen, as `shared` does but behind no panel. Raises StoreError."""
        return await self._shared(sql, self._turn_of_names)

    async def _shared(self, sql: str, turn: asyncio.Semaphore) -> Answer:
        if sql not in self._kept:
            task = self._kept[sql] = asyncio.create_task(self.run(Statement(sql), turn))
            task.add_done_callback(partial(self._release, sql, time.monotonic() + KEPT_S))
        return await asyncio.shield(self._kept[sql])

    def _release(self, sql: str, until_s: float, task: asyncio.Task[Answer]) -> None:
        """Keep what was answered for what is left of its time, whether anybody asks again or not."""
        if not task.cancelled():
            task.exception()  # perhaps all who asked are gone
        asyncio.get_running_loop().call_later(max(0.0, until_s - time.monotonic()), self._kept.pop, sql, None)

    async def run(self, statement: Statement, turn: asyncio.Semaphore | None = None) -> Answer:
        """Ask a statement once it is its turn, which is that of panels unless told otherwise. Raises StoreError."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX), turn or self._turn:
                self.asked += 1
                status, body = await self._post(statement)
        except TimeoutError as error:
            raise StoreError(
                Text(
                    f"ClickHouse did not answer within {ANSWER_S_MAX:g} s",
                    f"ClickHouse在{ANSWER_S_MAX:g}秒内没有应答",
                )
            ) from error
        if status != HTTPStatus.OK:
            said = body.decode(errors="replace").strip().partition("\n")[0][:_SHOWN_MAX]
            raise StoreError(quoted(said or f"status {status}"))
        return _answer(body, self.settings.clickhouse_url)

    async def _post(self, statement: Statement) -> tuple[int, bytes]:
        try:
            async with self._session.post(
                self.settings.clickhouse_url,
                params={**_FORMAT, **statement.arguments},
                data=statement.sql.encode(),
                headers=self.login(),
            ) as reply:
                return reply.status, await _whole(reply)
        except TimeoutError:
            raise
        except (OSError, aiohttp.ClientError) as error:
            raise unreached(error) from error


def quoted(words: str) -> Text:
    """Introduce what somebody said in words of their own."""
    return Text(words, f"数据库未能应答,原文为:{words}")


def unreached(error: Exception) -> StoreError:
    """The store could not be spoken with, for that reason."""
    why = error if str(error) else type(error).__name__
    return StoreError(Text(f"ClickHouse cannot be reached ({why})", f"无法连接ClickHouse({why})"))


def _answer(body: bytes, url: str) -> Answer:
    try:
        found = json.loads(body)
        return Answer({column["name"]: column["type"] for column in found["meta"]}, found["data"])
    except (ValueError, LookupError, TypeError) as error:
        said = repr(body[:40])
        raise StoreError(
            Text(f"what answers at {url} is no ClickHouse: {said}", f"{url}处应答的不是ClickHouse:{said}")
        ) from error


async def _whole(reply: aiohttp.ClientResponse) -> bytes:
    taken = bytearray()
    async for piece in reply.content.iter_chunked(1 << 16):
        taken += piece
        if len(taken) > ANSWER_BYTES_MAX:
            most = ANSWER_BYTES_MAX >> 20
            raise StoreError(Text(f"an answer of more than {most} MiB", f"应答超过{most} MiB"))
    return bytes(taken)
