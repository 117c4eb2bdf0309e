"""Request bodies on their way to disk: read in pieces, unpacked, cut into statement and data, within bounds."""

from __future__ import annotations

import gzip
import shutil
import uuid
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Self, cast

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from sinks.engine.errors import EngineError
from sinks.engine.inserts import DataClause, data_clause, is_insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

PIECE_BYTES = 1 << 20
VALUES_TEXT_BYTES_MAX = 64 << 10  # rows in the text of VALUES; longer ones are read from a file like any data
_OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {
    "gzip": lambda path: cast("IO[bytes]", gzip.open(path)),  # noqa: SIM115 the caller closes it
    "lz4": lambda path: cast("IO[bytes]", lz4.frame.open(path)),
    "zstd": lambda path: cast(
        "IO[bytes]", zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
    ),
}


class Incoming:
    """The folder of bodies under way; whatever a crash left in it is removed when it is opened."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        self.path = str(folder)
        self._folder = folder
        self._bytes_max = bytes_max

    @contextmanager
    def request(self) -> Iterator[Files]:
        """Files of one request: gone when the block is left, whatever happened."""
        files = Files(self._folder, bytes_max=self._bytes_max)
        try:
            yield files
        finally:
            files.remove()


class Files:
    """The files of one request, of `bytes_max` bytes together, packed or unpacked."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._made: list[Path] = []

    def new(self) -> Spool:
        """Make an empty file to write to."""
        path = self._folder / uuid.uuid4().hex
        self._made.append(path)
        return Spool(path, bytes_max=self._bytes_max)

    def remove(self) -> None:
        """Remove all of them; those that are gone already do not matter."""
        for path in self._made:
            path.unlink(missing_ok=True)


class Spool:
    """A file being written; raises error 307 when it grows past its bound."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self.path = path
        self.size = 0
        self._bytes_max = bytes_max
        self._out = path.open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()

    def write(self, piece: bytes | memoryview) -> None:
        """Append a piece."""
        self.size += len(piece)
        if self.size > self._bytes_max:
            raise EngineError(307, f"The body is over the limit of {self._bytes_max} bytes; send it in parts.")
        view = memoryview(piece)
        while view:
            view = view[self._out.write(view) :]


def unpacked(path: Path, encoding: str) -> Iterator[bytes]:
    """Read a packed file in pieces, never whole; raises error 36 for broken bytes, 48 for an unknown packing."""
    try:
        if encoding == "deflate":
            yield from _inflated(path)
            return
        opener = _OPENERS.get(encoding)
        if opener is None:
            raise EngineError(
                48, f"Content-Encoding {encoding} is not supported; use lz4, zstd, gzip, deflate or none."
            )
        with opener(path) as packed:
            while piece := packed.read(PIECE_BYTES):
                yield piece
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise EngineError(36, f"The body is not whole {encoding}: {error}.") from error


def _inflated(path: Path) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    with path.open("rb") as packed:
        while piece := packed.read(PIECE_BYTES):
            while piece:
                yield inflate.decompress(piece, PIECE_BYTES)
                piece = inflate.unconsumed_tail
    yield inflate.flush()


class Cutter:
    """Takes a body in pieces and tells its statement, kept in memory, from its data, kept in a file."""

    def __init__(self, files: Files, *, formats: Mapping[str, str], sql_bytes_max: int) -> None:
        self.sql = b""
        self.clause: DataClause | None = None
        self.spool: Spool | None = None
        self._files = files
        self._formats = formats
        self._sql_bytes_max = sql_bytes_max

    def statement(self, sql: bytes) -> None:
        """Take the statement that stood in the address of the request; the body is its data, if it takes any."""
        if sql:
            self.feed(sql)
            self._cut(whole=True)

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        if self.spool is not None:
            self.spool.write(piece)
            return
        self.sql += piece
        self._cut(whole=False)
        if self.spool is None and len(self.sql) > self._sql_bytes_max:
            raise EngineError(307, f"The statement is over the limit of {self._sql_bytes_max} bytes.")

    def finish(self) -> None:
        """Say that the body is at its end."""
        if self.spool is None:
            self._cut(whole=True)
        else:
            self.spool.__exit__(None, None, None)

    def _cut(self, *, whole: bool) -> None:
        if self.spool is not None or not is_insert(self.sql):
            return
        self.clause = data_clause(self.sql, formats=self._formats, whole=whole)
        if self.clause is None or (self.clause.format == "Values" and len(self.sql) <= VALUES_TEXT_BYTES_MAX):
            return
        self.spool = self._files.new()
        self.spool.write(self.sql[self.clause.data :])
        self.sql = self.sql[: self.clause.end]
