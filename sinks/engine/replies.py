"""Answers and refusals as a ClickHouse server sends them: status, headers, bytes in pieces."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING

from aiohttp import web

from sinks.engine.results import Result, packed, packing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinks.engine.errors import EngineError
    from sinks.engine.session import Answer, Progress

WHOLE_BYTES_MAX = 64 << 10
"""Answers up to this size go out in one piece, headers and all."""
_PORTION_BYTES = 4 << 20  # within the time to stall: a slower client is as good as gone
_TYPES = {"TabSeparated": "text/tab-separated-values", "CSV": "text/csv", "JSON": "application/json"}
PROGRESS = "X-ClickHouse-Progress"


class Reply(web.StreamResponse):
    """An answer whose head may have been begun already, by `begun` (lines of progress)."""

    begun = ""
    _send_headers_immediately = False  # head and first piece in one packet

    async def _write_headers(self) -> None:
        if not self.begun or self._payload_writer is None:
            await super()._write_headers()
            return
        await self._payload_writer.write_headers(
            self.begun, self._headers
        )  # one more line takes the first line's place
        if self._send_headers_immediately:
            self._payload_writer.send_headers()


def head(answer: Answer, common: Mapping[str, str]) -> dict[str, str]:
    """Headers of a statement that ran; its counts go into the summary as text, as a server writes them."""
    counts = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": answer.result_rows,
        "result_bytes": answer.result.size,
        "elapsed_ns": answer.elapsed_ns,
    }
    headers = dict(common)
    headers["X-ClickHouse-Summary"] = _json(counts)
    headers["Content-Type"] = _content_type(answer.format)
    if answer.format:
        headers["X-ClickHouse-Format"] = answer.format
    return headers


def progress_line(progress: Progress) -> str:
    """Write one header line that tells how far a statement is."""
    counts = {
        "read_rows": progress.read_rows,
        "read_bytes": progress.read_bytes,
        "total_rows_to_read": progress.total_rows,
        "elapsed_ns": progress.elapsed_ns,
    }
    return f"{PROGRESS}: {_json(counts)}"


async def send(
    request: web.Request,
    answer: Answer,
    *,
    headers: Mapping[str, str],
    accepted: str,
    begun: str,
    stall_seconds_max: float,
) -> web.StreamResponse:
    """Send an answer in pieces. A client that takes nothing for `stall_seconds_max` is cut off."""
    encoding = packing(accepted, answer.result.size)
    reply = Reply(headers={**headers, **({"Content-Encoding": encoding} if encoding else {})})
    reply.begun = begun
    if not encoding:
        reply.content_length = answer.result.size
    pieces = packed(answer.result, encoding)
    await reply.prepare(request)
    if answer.result.size <= WHOLE_BYTES_MAX:
        await reply.write_eof(b"".join(pieces))
        return reply
    loop = asyncio.get_running_loop()
    if not encoding and isinstance(answer.result.file, io.FileIO):
        await _send_file(request, reply, answer.result, seconds_max=stall_seconds_max)
        return reply
    while piece := await loop.run_in_executor(None, next, pieces, b""):
        await _write(request, reply, piece, stall_seconds_max)
    await asyncio.wait_for(reply.write_eof(), stall_seconds_max)
    return reply


async def _send_file(request: web.Request, reply: Reply, result: Result, *, seconds_max: float) -> None:
    """Let the kernel send the file, so that its bytes never come into this process."""
    loop, at = asyncio.get_running_loop(), 0
    await reply.write(b"")  # the head
    while at < result.size:
        if request.transport is None:
            raise ConnectionResetError("the client went away")
        portion = min(_PORTION_BYTES, result.size - at)
        sending = loop.sendfile(request.transport, result.file, at, portion)
        try:
            at += await asyncio.wait_for(sending, seconds_max)
        except TimeoutError:
            request.transport.abort()
            raise
    await reply.write_eof()


async def _write(request: web.Request, reply: Reply, piece: bytes, seconds_max: float) -> None:
    try:
        await asyncio.wait_for(reply.write(piece), seconds_max)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise


async def refuse(
    request: web.Request, error: EngineError, version: str, common: Mapping[str, str], *, begun: str
) -> web.StreamResponse:
    """Answer a statement that was refused or failed: its sentence as text, its code in a header."""
    headers = {**common, "X-ClickHouse-Exception-Code": str(error.code), "Content-Type": "text/plain; charset=UTF-8"}
    if error.code == 516:
        headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    body = f"{error} (version {version})\n".encode()
    reply = Reply(status=error.status, headers=headers)
    reply.begun = begun
    reply.content_length = len(body)
    await reply.prepare(request)
    await reply.write_eof(body)
    return reply


def _json(counts: Mapping[str, int]) -> str:
    return json.dumps({name: str(count) for name, count in counts.items()}, separators=(",", ":"))


def _content_type(result_format: str) -> str:
    family = next((family for family in _TYPES if result_format.startswith(family)), "")
    if family:
        return f"{_TYPES[family]}; charset=UTF-8"
    return "application/octet-stream" if result_format else "text/plain; charset=UTF-8"
