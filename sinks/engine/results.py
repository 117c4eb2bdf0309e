"""Results on their way to a client: written by the engine into a file that has no name, so that memory stays bounded.

The engine opens ``/proc/self/fd/N`` of an unlinked file in the folder of bodies. A crash leaves nothing, a slow client
holds no statement open, and what fails halfway is still answered with the status of its error.
"""

from __future__ import annotations

import io
import os
import tempfile
import zlib
from typing import IO, TYPE_CHECKING, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from sinks.engine.bodies import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACK_BYTES_MIN = 1024


class Packer(Protocol):
    """What packs pieces one after the other."""

    def compress(self, data: bytes, /) -> bytes:
        """Pack a piece."""

    def flush(self) -> bytes:
        """End the packing."""


_PACKERS: dict[str, Callable[[], Packer]] = {
    "gzip": lambda: zlib.compressobj(1, wbits=31),
    "deflate": lambda: zlib.compressobj(1),
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
}


class Result:
    """The bytes of one result: `size` of them, in a file or in memory, read once from the beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0

    @classmethod
    def of(cls, body: bytes) -> Result:
        """Make a small one from memory."""
        result = cls(io.BytesIO(body))
        result.size = len(body)
        return result

    @classmethod
    def empty(cls, folder: Path | str) -> Result:
        """Make one for the engine to write to."""
        try:
            return cls(os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), "rb+", buffering=0))
        except OSError:  # a file system without nameless files
            return cls(tempfile.TemporaryFile(dir=folder, buffering=0))

    @property
    def path(self) -> str:
        """Where the engine writes to."""
        return f"/proc/self/fd/{self._file.fileno()}"

    def measure(self) -> None:
        """Take notice of what the engine wrote."""
        self.size = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)

    def read(self) -> bytes:
        """Read the next piece; b"" at the end."""
        return self._file.read(PIECE_BYTES)

    @property
    def file(self) -> IO[bytes]:
        """The file itself, for the kernel to send from."""
        return self._file

    def pieces(self) -> Iterator[bytes]:
        """Give the pieces one after the other."""
        while piece := self.read():
            yield piece

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def into_file(sql: str, path: str, result_format: str) -> str:
    """Write the statement so that its result goes to `path`; its own FORMAT clause is out already."""
    return f"{sql}\nINTO OUTFILE '{path}' APPEND FORMAT {result_format}"


def packing(accepted: str, size: int) -> str:
    """Choose how to pack `size` bytes, as the client likes it best; small results stay as they are, with ""."""
    offered = (part.split(";")[0].strip().lower() for part in accepted.split(","))
    name = next((name for name in offered if name == "lz4" or name in _PACKERS), "")
    return name if size >= PACK_BYTES_MIN else ""


def packed(result: Result, name: str) -> Iterator[bytes]:
    """Give the pieces of a result, packed; each piece is work, so it belongs into a thread."""
    if name == "lz4":
        return _framed(result)
    return _flushed(result, _PACKERS[name]()) if name else result.pieces()


def _flushed(result: Result, packer: Packer) -> Iterator[bytes]:
    for piece in result.pieces():
        if out := packer.compress(piece):
            yield out
    yield packer.flush()


def _framed(result: Result) -> Iterator[bytes]:
    with lz4.frame.LZ4FrameCompressor() as packer:
        yield packer.begin()
        for piece in result.pieces():
            yield packer.compress(piece)
        yield packer.flush()
