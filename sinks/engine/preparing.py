"""From a request that has come in to the job that runs: arguments, admission, settings, format, data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinks.engine.accounts import Account
from sinks.engine.admission import Admitted, Gate
from sinks.engine.allowed import Functions
from sinks.engine.arguments import ONE_BLOCK, bounded, sort_arguments
from sinks.engine.errors import EngineError
from sinks.engine.handshake import handshake_block, handshake_sql, is_handshake
from sinks.engine.inserts import reading_from
from sinks.engine.results import Result
from sinks.engine.session import Answer, Engine, Job, result_format
from sinks.engine.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from sinks.engine.arguments import Arguments
    from sinks.engine.asked import Asked
    from sinks.engine.bodies import Cutter
    from sinks.engine.options import Options
    from sinks.engine.receive import Received


class Preparer:
    """Makes jobs; all of it blocks."""

    def __init__(self, engine: Engine, options: Options) -> None:
        self._engine = engine
        self._options = options
        functions = Functions(engine.functions(), engine.combinators())
        self._gate = Gate(engine.parse, functions, Tables(options.databases, engine.table), engine.formats)

    def __call__(self, asked: Asked, received: Received, cutter: Cutter, *, hidden: str) -> Job | Answer:
        """Make the job of a request, or the answer itself where no statement has to run; raises EngineError."""
        headers, account = asked.request.headers, asked.account or Account.READER
        arguments = sort_arguments(received.given, received.tables, known=self._engine.settings, headers=headers)
        if is_handshake(cutter.sql):
            greeting = self._greeting(arguments, received)
            if greeting is not None:
                return greeting
            admitted = self._gate.admit_own(handshake_sql())
        else:
            admitted = self._gate.admit(cutter.sql, arguments, account=account)
        changes = asked.request.method == "POST"
        wanted = {**arguments.settings, **admitted.settings}
        settings = bounded(wanted, account=account, changes=changes, options=self._options)
        return self._job(admitted, cutter, arguments, settings, readonly=account is Account.READER, hidden=hidden)

    def run_writers(self, job: Job, on_file: Callable[[str], None]) -> Answer:
        """Run a job of the writer; what was judged of tables that it may change is judged anew."""
        if not job.shape.tables:
            return self._engine.run(job, on_file)
        self._gate.forget()
        try:
            return self._engine.run(job)
        finally:
            self._gate.forget()

    def _greeting(self, arguments: Arguments, received: Received) -> Answer | None:
        given = received.given.get("client_protocol_version", "0")
        revision = int(given) if given.isdigit() else 0
        if not revision or arguments.format.lower() != "native":
            return None
        block = handshake_block(self._engine.version, self._engine.zone, revision=revision)
        return Answer(
            result=Result.of(block),
            format="Native",
            read_rows=1,
            read_bytes=1,
            written_rows=0,
            written_bytes=0,
            result_rows=1,
            elapsed_ns=0,
        )

    def _job(
        self,
        admitted: Admitted,
        cutter: Cutter,
        arguments: Arguments,
        settings: dict[str, str],
        *,
        readonly: bool,
        hidden: str,
    ) -> Job:
        formats, insert = self._engine.formats, admitted.shape.insert
        return Job(
            sql=_reading(admitted.sql, cutter),
            shape=admitted.shape,
            format="Null" if insert else result_format(admitted.format, asked=arguments.format, formats=formats),
            hidden=hidden,
            readonly=readonly,
            database=arguments.database,
            settings={**settings, **ONE_BLOCK} if insert and cutter.spool else settings,
            params=arguments.params,
            externals=arguments.externals,
        )


def _reading(sql: bytes, cutter: Cutter) -> str:
    if cutter.spool and cutter.clause:
        return reading_from(sql, cutter.clause, file=cutter.spool.path, empty=not cutter.spool.size)
    try:
        return sql.decode()
    except UnicodeDecodeError as error:
        raise EngineError(62, f"Syntax error: the statement is not UTF-8 at byte {error.start}.") from error
