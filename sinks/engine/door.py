"""ClickHouse's HTTP protocol in front of the engine: from a request to a job, from its answer to a reply."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from sinks.engine.accounts import Account, Accounts
from sinks.engine.asked import Asked, printable
from sinks.engine.bodies import Cutter, Incoming
from sinks.engine.errors import EngineError
from sinks.engine.handshake import DISPLAY_NAME
from sinks.engine.preparing import Preparer
from sinks.engine.receive import receive
from sinks.engine.replies import PROGRESS, head, progress_line, refuse, send
from sinks.engine.session import Answer, Engine, Progress
from sinks.engine.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sinks.engine.options import Options
    from sinks.engine.query_log import QueryLog
    from sinks.engine.receive import Received

log = logging.getLogger(__name__)
_OK_PATHS = ("/ping", "/replicas_status")
_MEMORY_LIMIT = 241
_VANISHED = 209
_PROGRESS_MS_MIN = 50


class Door:
    """Answers requests. Each account has turns of its own: readers never hold up the writer (`options`)."""

    def __init__(
        self,
        engine: Engine,
        accounts: Accounts,
        incoming: Mapping[Account, Incoming],
        query_log: QueryLog,
        options: Options,
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._incoming = incoming
        self._query_log = query_log
        self._options = options
        self._prepare = Preparer(engine, options)
        waiting_max = options.waiting_max
        self._turns = {
            Account.READER: Turns(options.reader_pool, waiting_max=waiting_max, name="reader"),
            Account.WRITER: Turns(options.pool, waiting_max=waiting_max, name="writer"),
        }
        self._heavy = Turns(1, waiting_max=waiting_max, name="heavy")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request: health checks without a password, statements with one."""
        path, reads = request.path, request.method in {"GET", "HEAD"}
        if reads and (path in _OK_PATHS or (path == "/" and not request.query_string)):
            return web.Response(text="Ok.\n")
        asked = Asked(request, printable(request.query.get("query_id", "")) or str(uuid.uuid4()))
        try:
            return await self._answer(asked)
        except EngineError as error:
            return await self._refuse(asked, error)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            self._query_log.write(asked.entry(code=_VANISHED, error="the client went away, or took nothing any more"))
            raise
        except Exception:
            log.exception("a request failed inside the door")
            inside = EngineError(1001, "The request failed inside the engine's door; its log says where.")
            return await self._refuse(asked, inside)

    async def _answer(self, asked: Asked) -> web.StreamResponse:
        request = asked.request
        account = asked.account = self._accounts.check(request.headers, request.query)
        if request.path != "/":
            return web.Response(status=404, text=f"There is no handle {request.path[:64]}. Use / or /ping.\n")
        if request.method not in {"GET", "POST"}:
            raise EngineError(36, f"There is no {request.method} /; send statements with GET or POST.")
        readers = account is Account.READER
        sql_bytes_max = self._options.reader_sql_bytes_max if readers else self._options.sql_bytes_max
        field_bytes_max = self._options.reader_body_bytes_max if readers else self._options.body_bytes_max
        with self._incoming[account].request() as files:
            cutter = asked.cutter = Cutter(files, formats=self._engine.formats, sql_bytes_max=sql_bytes_max)
            received = await receive(request, files, cutter, field_bytes_max=field_bytes_max)
            async with self._reporting(asked, received.given):
                answer = await self._run(asked, received, cutter)
        try:
            return await self._send(asked, answer, received.given)
        finally:
            answer.result.close()

    async def _run(self, asked: Asked, received: Received, cutter: Cutter) -> Answer:
        """Run a statement when it is its turn; a reader's that needs more memory than most do runs again, alone."""
        account = asked.account or Account.READER
        work = partial(self._turn, asked, received, cutter)
        gone = partial(self._vanished, asked)
        try:
            return await self._turns[account].run(asked.asker, work, on_vanished=gone)
        except EngineError as error:
            if error.code != _MEMORY_LIMIT or account is Account.WRITER or asked.job is None:
                raise
        alone = partial(self._engine.run, asked.job, asked.writes_to)
        return await self._heavy.run(asked.asker, alone, on_vanished=gone)

    def _turn(self, asked: Asked, received: Received, cutter: Cutter) -> Answer:
        """Unpack, admit and run, away from the event loop."""
        asked.runs()
        received.unpack(cutter)
        account = asked.account or Account.READER
        prepared = self._prepare(asked, received, cutter, hidden=self._incoming[account].path)
        if isinstance(prepared, Answer):
            return prepared
        asked.job = prepared
        if account is Account.WRITER:
            return self._prepare.run_writers(prepared, asked.writes_to)
        limit = prepared.settings["max_memory_usage"]
        light = str(min(float(limit), self._options.light_bytes_max)).removesuffix(".0")
        lighter = replace(prepared, settings={**prepared.settings, "max_memory_usage": light})
        return self._engine.run(lighter, asked.writes_to)

    def _vanished(self, asked: Asked) -> None:
        """Stop what a reader who went away had asked for; what the writer began is finished."""
        if asked.account is Account.READER and asked.result:
            self._engine.cancel(asked.result)

    @asynccontextmanager
    async def _reporting(self, asked: Asked, given: Mapping[str, str]) -> AsyncIterator[None]:
        """Send lines of progress as headers while the statement runs, if the client asked for them."""
        if given.get("send_progress_in_http_headers", "0") in {"", "0"}:
            yield
            return
        reporter = asyncio.create_task(self._report(asked, given.get("http_headers_progress_interval_ms", "100")))
        try:
            yield
        finally:
            reporter.cancel()

    async def _report(self, asked: Asked, interval_ms: str) -> None:
        interval_s = max(int(interval_ms) if interval_ms.isdigit() else 100, _PROGRESS_MS_MIN) / 1000
        while True:
            await asyncio.sleep(interval_s)
            progress = await asyncio.to_thread(self._engine.progress, asked.result) if asked.result else None
            transport = asked.request.transport
            if progress is None or transport is None:
                continue
            version = asked.request.version
            line = progress_line(progress)
            first = "" if asked.begun else f"HTTP/{version.major}.{version.minor} 200 OK\r\n"
            transport.write(f"{first}{line}\r\n".encode())
            asked.begun = line

    async def _send(self, asked: Asked, answer: Answer, given: Mapping[str, str]) -> web.StreamResponse:
        headers = head(answer, self._common(asked))
        if given.get("send_progress_in_http_headers", "0") not in {"", "0"}:
            line = progress_line(Progress(answer.read_rows, answer.read_bytes, answer.read_rows, answer.elapsed_ns))
            if asked.begun:
                asked.begun = line
            else:
                headers[PROGRESS] = line.partition(": ")[2]
        packs = given.get("enable_http_compression", "0") not in {"", "0"}
        reply = await send(
            asked.request,
            answer,
            headers=headers,
            accepted=asked.request.headers.get("Accept-Encoding", "") if packs else "",
            begun=asked.begun,
            stall_seconds_max=self._options.stall_seconds_max,
        )
        self._query_log.write(asked.entry(answer=answer))
        return reply

    async def _refuse(self, asked: Asked, error: EngineError) -> web.StreamResponse:
        self._query_log.write(asked.entry(code=error.code, error=str(error)))
        return await refuse(asked.request, error, self._engine.version, self._common(asked), begun=asked.begun)

    def _common(self, asked: Asked) -> dict[str, str]:
        zone = printable(asked.request.query.get("session_timezone", "")) or self._engine.zone
        return {
            "X-ClickHouse-Query-Id": asked.query_id,
            "X-ClickHouse-Timezone": zone,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
        }
