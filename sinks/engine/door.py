"""ClickHouse's HTTP protocol in front of the engine: from a request to a job, from its answer to a reply."""

from __future__ import annotations

import asyncio
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from aiohttp import BodyPartReader, web

from sinks.engine.accounts import Account, Accounts
from sinks.engine.admission import admit, refuse_outside
from sinks.engine.arguments import ONE_BLOCK, Arguments, bounded, sort_arguments
from sinks.engine.bodies import PIECE_BYTES, Cutter, Files, Incoming, unpacked
from sinks.engine.errors import EngineError
from sinks.engine.inserts import is_insert, reading_from
from sinks.engine.replies import answered, packed, refused
from sinks.engine.session import Engine, Job, result_format

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sinks.engine.options import Options
    from sinks.engine.session import Answer

T = TypeVar("T")

log = logging.getLogger(__name__)
_OK_PATHS = ("/", "/ping", "/replicas_status")


class Door:
    """Answers requests; at most `options.pool` statements of an account run at a time, others wait.

    Each account has turns of its own: slow readers never hold up the writer.
    """

    def __init__(self, engine: Engine, accounts: Accounts, incoming: Incoming, options: Options) -> None:
        self._engine = engine
        self._accounts = accounts
        self._incoming = incoming
        self._options = options
        self._turns = {account: ThreadPoolExecutor(options.pool, thread_name_prefix=account) for account in Account}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer any request: health checks without a password, statements with one."""
        if request.method in {"GET", "HEAD"} and request.path in _OK_PATHS and not request.query_string:
            return web.Response(text="Ok.\n")
        common = {
            "X-ClickHouse-Query-Id": _printable(request.query.get("query_id", "")) or str(uuid.uuid4()),
            "X-ClickHouse-Timezone": _printable(request.query.get("session_timezone", "")) or self._engine.zone,
            "X-ClickHouse-Server-Display-Name": "embedded",
        }
        try:
            return await self._statement(request, common)
        except EngineError as error:
            return refused(error, self._engine.version, common)
        except Exception:
            log.exception("a request failed inside the door")
            inside = EngineError(1001, "The request failed inside the engine's door; its log says where.")
            return refused(inside, self._engine.version, common)

    async def _statement(self, request: web.Request, common: dict[str, str]) -> web.Response:
        account = self._accounts.check(request.headers)
        if request.method not in {"GET", "POST"} or request.path != "/":
            raise EngineError(36, f"There is no {request.method} {request.path[:64]}; POST statements to /.")
        accepted = request.headers.get("Accept-Encoding", "")
        if request.query.get("enable_http_compression", "0") in {"", "0"}:
            accepted = ""
        with self._incoming.request() as files:
            given = dict(request.query)
            cutter = Cutter(files, formats=self._engine.formats, sql_bytes_max=self._options.sql_bytes_max)
            tables = await self._receive(request, files, cutter, given, account)
            arguments = sort_arguments(given, tables, known=self._engine.settings, headers=request.headers)
            job = self._job(cutter, arguments, account, changes=request.method == "POST")
            answer, (body, encoding) = await self._in_turn(account, lambda: _run(self._engine, job, accepted))
        return answered(answer, body, encoding, common)

    async def _receive(
        self, request: web.Request, files: Files, cutter: Cutter, given: dict[str, str], account: Account
    ) -> dict[str, Path]:
        """Take the body in: forms fill `given` and give tables, everything else goes through the cutter."""
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        form = request.content_type == "multipart/form-data"
        if form and encoding != "identity":
            raise EngineError(48, "A form with Content-Encoding is not supported; send it unpacked.")
        tables = await self._form(request, files, given) if form else {}
        cutter.statement(given.get("query", "").encode())
        if encoding != "identity":
            await self._in_turn(account, await self._unpacking(request, encoding, files, cutter))
        elif not form:
            while piece := await request.content.readany():
                cutter.feed(piece)
        cutter.finish()
        return tables

    async def _unpacking(self, request: web.Request, encoding: str, files: Files, cutter: Cutter) -> Callable[[], None]:
        """Keep the packed body in a file; unpacking it is left to a turn, away from the event loop."""
        with files.new() as spool:
            while piece := await request.content.readany():
                spool.write(piece)

        def feed() -> None:
            for piece in unpacked(spool.path, encoding):
                cutter.feed(piece)

        return feed

    async def _form(self, request: web.Request, files: Files, given: dict[str, str]) -> dict[str, Path]:
        tables: dict[str, Path] = {}
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                raise EngineError(36, "A part of the form has no name.")
            if part.filename is None:
                given[part.name] = await self._field(part)
                continue
            with files.new() as spool:
                while piece := await part.read_chunk(PIECE_BYTES):
                    spool.write(piece)
            tables[part.name] = spool.path
        return tables

    async def _field(self, part: BodyPartReader) -> str:
        value = bytearray()
        while piece := await part.read_chunk(PIECE_BYTES):
            value += piece
            if len(value) > self._options.body_bytes_max:
                raise EngineError(
                    307, f"The field {part.name} is over the limit of {self._options.body_bytes_max} bytes."
                )
        return value.decode(errors="replace")

    def _job(self, cutter: Cutter, arguments: Arguments, account: Account, *, changes: bool) -> Job:
        functions = self._engine.table_functions
        sql = admit(cutter.sql, account=account, table_functions=functions)
        if account is Account.READER:
            for table in arguments.externals:
                refuse_outside(table.structure.encode(), table_functions=functions)
        settings = bounded(arguments.settings, account=account, changes=changes, options=self._options)
        insert = is_insert(sql)
        return Job(
            sql=self._reading(sql, cutter),
            format="Null" if insert else result_format(sql, asked=arguments.format, formats=self._engine.formats),
            hidden=self._incoming.path,
            database=arguments.database,
            settings={**settings, **ONE_BLOCK} if insert and cutter.spool else settings,
            params=arguments.params,
            externals=arguments.externals,
        )

    def _reading(self, sql: bytes, cutter: Cutter) -> str:
        if cutter.spool and cutter.clause:
            return reading_from(sql, cutter.clause, file=cutter.spool.path, empty=not cutter.spool.size)
        try:
            return sql.decode()
        except UnicodeDecodeError as error:
            raise EngineError(62, f"Syntax error: the statement is not UTF-8 at byte {error.start}.") from error

    async def _in_turn(self, account: Account, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._turns[account], work)


def _run(engine: Engine, job: Job, accepted: str) -> tuple[Answer, tuple[bytes, str]]:
    """Run and pack in the same turn, away from the event loop."""
    answer = engine.run(job)
    return answer, packed(answer.body, accepted)


def _printable(text: str) -> str:
    """Keep what may stand in a header: visible ASCII, 128 characters of it."""
    return "".join(c for c in text if c.isascii() and c.isprintable())[:128]
