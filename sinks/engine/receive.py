"""Taking a request in: its body goes to files as it comes, never whole into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import BodyPartReader
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from sinks.engine.bodies import PIECE_BYTES, Cutter, Files, unpacked
from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import web

# A client that went away, a form that is none, a broken chunk: all mean that the body is not what was announced.
_NOT_WHOLE = (ConnectionError, ClientPayloadError, HttpProcessingError, ValueError)


@dataclass
class Received:
    """What came with a request: arguments of address and form, external tables by name, a body still packed."""

    given: dict[str, str]
    tables: dict[str, Path] = field(default_factory=dict)
    packed: Path | None = None
    encoding: str = "identity"

    def unpack(self, cutter: Cutter) -> None:
        """Give the packed body to the cutter, if there is one; blocks, so it belongs into a turn."""
        for piece in unpacked(self.packed, self.encoding) if self.packed else ():
            cutter.feed(piece)
        cutter.finish()


async def receive(request: web.Request, files: Files, cutter: Cutter, *, field_bytes_max: int) -> Received:
    """Take the whole request in; `Received.unpack` must follow. Raises error 36 for a body that is not whole."""
    received = Received(dict(request.query), encoding=request.headers.get("Content-Encoding", "identity").lower())
    try:
        await _take(request, files, cutter, received, field_bytes_max=field_bytes_max)
    except _NOT_WHOLE as error:
        raise EngineError(36, f"The body did not arrive whole: {error}.") from error
    return received


async def _take(
    request: web.Request, files: Files, cutter: Cutter, received: Received, *, field_bytes_max: int
) -> None:
    form = request.content_type == "multipart/form-data"
    if form and received.encoding != "identity":
        raise EngineError(48, "A form with Content-Encoding is not supported; send it unpacked.")
    if form:
        await _take_form(request, files, received, field_bytes_max=field_bytes_max)
    cutter.statement(received.given.get("query", "").encode())
    if received.encoding != "identity":
        received.packed = await _spooled(_pieces(request), files)
    elif not form:
        async for piece in _pieces(request):
            cutter.feed(piece)


async def _take_form(request: web.Request, files: Files, received: Received, *, field_bytes_max: int) -> None:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or not part.name:
            raise EngineError(36, "A part of the form has no name.")
        if part.filename is None:
            received.given[part.name] = await _text(part, bytes_max=field_bytes_max)
        else:
            received.tables[part.name] = await _spooled(_chunks(part), files)


async def _text(part: BodyPartReader, *, bytes_max: int) -> str:
    value = bytearray()
    async for piece in _chunks(part):
        value += piece
        if len(value) > bytes_max:
            raise EngineError(307, f"The field {part.name} is over the limit of {bytes_max} bytes.")
    return value.decode(errors="replace")


async def _spooled(pieces: AsyncIterator[bytes], files: Files) -> Path:
    with files.new() as spool:
        async for piece in pieces:
            spool.write(piece)
    return spool.path


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    while piece := await request.content.readany():
        yield piece


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(PIECE_BYTES):
        yield piece
