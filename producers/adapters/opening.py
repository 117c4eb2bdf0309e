"""From a path, standard input or a stream to unpacked bytes; the content says how they are packed, not the name."""

from __future__ import annotations

import codecs
import io
import sys
import tempfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from producers.adapters.errors import TruncatedError, UnreadableError
from producers.adapters.growing import Growing

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"
PIECE_BYTES = 256 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP_BITS = zlib.MAX_WBITS | 16
_ZSTD_FEED_BYTES = 4096
"""zstd may unpack a few bytes to 128 KiB, so it is fed little at a time."""


class Input:
    """A file read once from its start. `position` counts bytes as they lie on disk, `head` is the unpacked start."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.name = name
        self.position = 0
        self._stream = stream
        self._place = stream.tell() if stream.seekable() else None
        self._start = self._take(4)
        self._pieces = filter(None, self._unpacked())
        try:
            self.head = next(self._pieces, b"")
        except TruncatedError as error:
            raise UnreadableError(name, error.reason, "Fetch the file again.") from error
        if not self.head:
            raise UnreadableError(name, "the file is empty", "Check the path and how the file was made.")
        if self.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise UnreadableError(name, "the text is UTF-16", "Convert it to UTF-8 first.")

    def pieces(self) -> Iterator[bytes]:
        """Give the unpacked content, once. Raises TruncatedError where it ends too early.

        Of a file that grows an empty piece says that nothing more is there for now.
        """
        yield self.head
        for piece in self._pieces:
            yield piece
            if isinstance(self._stream, Growing) and self._stream.caught_up:
                yield b""

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Give the unpacked content as a file that can seek: itself, or a copy on disk that is removed after."""
        if self._place is not None and not self._start.startswith((_GZIP, _ZSTD)):
            self.position = self._stream.seek(0, io.SEEK_END) - self._place
            self._stream.seek(self._place)
            yield self._stream
            return
        with tempfile.TemporaryFile() as copy:
            for piece in self.pieces():
                copy.write(piece)
            copy.seek(0)
            yield copy

    def _take(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except OSError as error:
            raise TruncatedError(self.name, f"reading failed at byte {self.position} ({error.strerror})") from error
        self.position += len(piece)
        return piece

    def _packed(self) -> Iterator[bytes]:
        yield self._start
        while piece := self._take(PIECE_BYTES):
            yield piece

    def _unpacked(self) -> Iterator[bytes]:
        if self._start.startswith(_GZIP):
            return self._gunzipped()
        if self._start.startswith(_ZSTD):
            return self._unzstd()
        return self._packed()

    def _gunzipped(self) -> Iterator[bytes]:
        """Every member of a gzip file, zeros after a member left out (padding to a block of a tape)."""
        member = zlib.decompressobj(_GZIP_BITS)
        for piece in self._packed():
            rest = piece
            while rest := rest.lstrip(b"\0") if member.eof else rest:
                if member.eof:
                    member = zlib.decompressobj(_GZIP_BITS)
                before = member.copy()
                try:
                    yield member.decompress(rest, PIECE_BYTES)
                except zlib.error as error:
                    yield _until_damage(before, rest)
                    raise TruncatedError(self.name, f"the gzip data is damaged before byte {self.position}") from error
                rest = member.unused_data if member.eof else member.unconsumed_tail
        yield member.flush()
        if not member.eof:
            raise TruncatedError(self.name, f"the gzip data ends too early, at byte {self.position}")

    def _unzstd(self) -> Iterator[bytes]:
        import zstandard

        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            for piece in self._packed():
                for start in range(0, len(piece), _ZSTD_FEED_BYTES):
                    rest = piece[start : start + _ZSTD_FEED_BYTES]
                    while rest:
                        if frame.eof:
                            frame = zstandard.ZstdDecompressor().decompressobj()
                        yield frame.decompress(rest)
                        rest = frame.unused_data if frame.eof else b""
        except zstandard.ZstdError as error:
            raise TruncatedError(self.name, f"the zstd data is damaged before byte {self.position}") from error
        if not frame.eof:
            raise TruncatedError(self.name, f"the zstd data ends too early, at byte {self.position}")


def _until_damage(member: zlib._Decompress, packed: bytes) -> bytes:
    """Unpack byte by byte: zlib gives nothing of a piece that holds an error."""
    unpacked = bytearray()
    with suppress(zlib.error):
        for place in range(len(packed)):
            unpacked += member.decompress(packed[place : place + 1])
    return bytes(unpacked)


@contextmanager
def opened(file: str | Path | IO[bytes], origin: str | None) -> Iterator[Input]:
    """Open the file as an Input; closed at the end, unless it is the caller's stream. Raises UnreadableError."""
    if not isinstance(file, (str, Path)):
        yield Input(file, origin or str(getattr(file, "name", "stream")))
    elif str(file) == STDIN:
        yield Input(sys.stdin.buffer, origin or "stdin")
    else:
        with _opened_path(Path(file), origin or str(file)) as stream:
            yield Input(stream, origin or str(file))


def _opened_path(path: Path, name: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnreadableError(name, reason, "Check the path and its permissions.") from error
    except ValueError as error:  # a path with a NUL
        raise UnreadableError(name, str(error), "Check the path.") from error
