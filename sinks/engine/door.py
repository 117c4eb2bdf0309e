"""ClickHouse's HTTP protocol in front of the engine: from a request to a job, from its answer to a reply."""

from __future__ import annotations

import asyncio
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from sinks.engine.accounts import Account, Accounts
from sinks.engine.admission import admit, refuse_outside
from sinks.engine.arguments import ONE_BLOCK, Arguments, bounded, sort_arguments
from sinks.engine.bodies import Cutter, Incoming
from sinks.engine.errors import EngineError
from sinks.engine.inserts import is_insert, reading_from
from sinks.engine.receive import receive
from sinks.engine.replies import answered, packed, refused
from sinks.engine.session import Engine, Job, result_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinks.engine.options import Options
    from sinks.engine.receive import Received
    from sinks.engine.session import Answer

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
        with self._incoming.request() as files:
            cutter = Cutter(files, formats=self._engine.formats, sql_bytes_max=self._options.sql_bytes_max)
            received = await receive(request, files, cutter, field_bytes_max=self._options.body_bytes_max)
            turn = partial(self._turn, received, cutter, account, headers=request.headers, method=request.method)
            answer, body, encoding = await asyncio.get_running_loop().run_in_executor(self._turns[account], turn)
        return answered(answer, body, encoding, common)

    def _turn(
        self, received: Received, cutter: Cutter, account: Account, *, headers: Mapping[str, str], method: str
    ) -> tuple[Answer, bytes, str]:
        """Unpack, admit, run and pack, away from the event loop: the answer, its bytes and their packing."""
        received.unpack(cutter)
        arguments = sort_arguments(received.given, received.tables, known=self._engine.settings, headers=headers)
        answer = self._engine.run(self._job(cutter, arguments, account, changes=method == "POST"))
        wanted = received.given.get("enable_http_compression", "0") not in {"", "0"}
        return answer, *packed(answer.body, headers.get("Accept-Encoding", "") if wanted else "")

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


def _printable(text: str) -> str:
    """Keep what may stand in a header: visible ASCII, 128 characters of it."""
    return "".join(c for c in text if c.isascii() and c.isprintable())[:128]
