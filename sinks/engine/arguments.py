"""What a request asks for beside its statement: settings, parameters, database, external tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinks.engine.accounts import Account
from sinks.engine.allowed import may_set
from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from sinks.engine.options import Options

# Of the transport: taken or ignored by the door, never a setting. Sessions are not kept: every request has its own.
_TRANSPORT = frozenset(
    {
        *("query", "database", "default_format", "query_id", "quota_key", "buffer_size", "wait_end_of_query"),
        *("user", "password"),
        *("session_id", "session_timeout", "session_check", "close_session", "client_protocol_version"),
        *("compress", "decompress", "stacktrace", "http_write_exception_in_output_format"),
    }
)
_OVERFLOW_MODES = ("timeout", "result", "read", "group_by", "sort", "join", "distinct", "set", "transfer")
# One block an insert, so that the block, and with it the deduplication, is a function of the body alone.
ONE_BLOCK = {
    "max_insert_threads": "1",
    "min_insert_block_size_rows": str(1 << 40),
    "min_insert_block_size_bytes": str(1 << 40),
    "max_insert_block_size": str(1 << 40),
    "input_format_parallel_parsing": "0",
    "async_insert": "0",
}
# What differs from a server's own defaults. Compiling expressions to machine code takes longer than most statements
# here run, and saves a large one little. Packing Arrow costs a third of writing it, which loopback does not give back;
# who is far away asks for HTTP compression, or sets the method.
_DEFAULTS = {
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
    "output_format_arrow_compression_method": "none",
}


@dataclass(frozen=True)
class External:
    """A table that came with the request: its name, file, format and structure (``a UInt32, b String``)."""

    name: str
    file: Path
    format: str
    structure: str


@dataclass(frozen=True)
class Arguments:
    """The query string and form fields of one request, sorted; `settings` in the order they are to be set."""

    database: str = ""
    query_id: str = ""
    format: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    externals: tuple[External, ...] = ()


def sort_arguments(
    given: Mapping[str, str], files: Mapping[str, Path], *, known: Collection[str], headers: Mapping[str, str]
) -> Arguments:
    """Sort what was given into its kinds; raises error 115 for what is no setting, 372 and 48 for what is not kept."""
    _refuse_unkept(given)
    externals = tuple(_external(name, file, given) for name, file in files.items())
    described = {f"{name}_{part}" for name in files for part in ("format", "structure", "types")}
    params = {key.removeprefix("param_"): value for key, value in given.items() if key.startswith("param_")}
    rest = {k: v for k, v in given.items() if not k.startswith("param_") and k not in _TRANSPORT | described}
    for key in rest:
        if key not in known:
            raise EngineError(115, f"Setting {key[:64]} is neither a builtin setting nor an argument of the protocol.")
    return Arguments(
        database=given.get("database") or headers.get("X-ClickHouse-Database", ""),
        query_id=given.get("query_id", ""),
        format=given.get("default_format") or headers.get("X-ClickHouse-Format", ""),
        settings=rest,
        params=params,
        externals=externals,
    )


def bounded(settings: Mapping[str, str], *, account: Account, changes: bool, options: Options) -> dict[str, str]:
    """Decide the settings of a session: what the client asked for, within the limits of its account.

    A reader can only lower a limit and ends read-only (raises error 497 for settings that are not on its list);
    `changes` is False for a request that must not change anything whoever asks: a GET of the writer may still set
    things for itself, as on a server (readonly = 2).
    """
    if account is Account.WRITER:
        limits = {"max_execution_time": str(options.writer_seconds_max)}
        return _DEFAULTS | limits | dict(settings) | ({} if changes else {"readonly": "2"})
    asked = {key: value for key, value in settings.items() if not _is_readonly(key, value)}
    for key in asked:
        if not may_set(key):
            raise EngineError(497, f"reader: Not enough privileges: the reader may not set {key[:64]}.")
    limits = {
        "max_execution_time": str(options.reader_seconds_max),
        "max_memory_usage": str(options.reader_bytes_max),
        "max_result_bytes": str(options.reader_result_bytes_max),
        "max_result_rows": str(options.reader_rows_max),
        "max_threads": str(options.reader_threads_max),
    }
    lowered = {key: _lower(key, asked.get(key, "0"), limit) for key, limit in limits.items()}
    throw = {f"{what}_overflow_mode": "throw" for what in _OVERFLOW_MODES}
    closed = {"allow_introspection_functions": "0", "allow_ddl": "0", "readonly": "1"}
    return _DEFAULTS | asked | lowered | throw | closed


def _is_readonly(key: str, value: str) -> bool:
    """Whether a client only says what holds anyway."""
    return key == "readonly" and value in {"1", "2"}


def _lower(key: str, wanted: str, limit: str) -> str:
    try:
        asked, most = float(wanted), float(limit)
    except ValueError as error:
        raise EngineError(36, f"{key} must be a number, not {wanted[:32]}.") from error
    if not asked > 0:
        return limit
    return wanted if not most or asked < most else limit


def _refuse_unkept(given: Mapping[str, str]) -> None:
    if given.get("session_check", "0") not in {"", "0"}:
        raise EngineError(372, "Sessions are not kept: every request has its own. Leave session_check out.")
    if any(given.get(key, "0") not in {"", "0"} for key in ("compress", "decompress")):
        raise EngineError(
            48,
            "compress=1 and decompress=1 are not supported: the engine does not write the blocks of ClickHouse's own "
            "compression. Use Accept-Encoding with enable_http_compression=1, and Content-Encoding.",
        )


def _external(name: str, file: Path, given: Mapping[str, str]) -> External:
    if not (name.isascii() and name.isidentifier()):
        raise EngineError(36, f"An external table cannot be called {name[:64]!r}; use letters, digits and underscores.")
    structure = given.get(f"{name}_structure", "")
    types = [part for part in given.get(f"{name}_types", "").split(",") if part]
    structure = structure or ", ".join(f"_{number} {kind}" for number, kind in enumerate(types, start=1))
    if not structure:
        raise EngineError(36, f"The external table {name} needs {name}_structure or {name}_types.")
    return External(name, file, given.get(f"{name}_format", "TabSeparated"), structure)
