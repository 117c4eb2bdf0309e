"""Answers and refusals as a ClickHouse server sends them: status, headers, packed bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sinks.engine.errors import EngineError
    from sinks.engine.session import Answer

PACK_BYTES_MIN = 1024
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lambda raw: bytes(lz4.frame.compress(raw)),
    "zstd": lambda raw: zstandard.ZstdCompressor(level=1).compress(raw),
    "gzip": lambda raw: gzip.compress(raw, 1),
    "deflate": lambda raw: zlib.compress(raw, 1),
}
_TYPES = {"TabSeparated": "text/tab-separated-values", "CSV": "text/csv", "JSON": "application/json"}


def packed(body: bytes, accepted: str) -> tuple[bytes, str]:
    """Pack `body` as the client likes it best, with the name of the packing; small ones stay as they are, with ""."""
    offered = (part.split(";")[0].strip().lower() for part in accepted.split(","))
    name = next((name for name in offered if name in _PACKERS), "")
    return (_PACKERS[name](body), name) if name and len(body) >= PACK_BYTES_MIN else (body, "")


def answered(answer: Answer, body: bytes, encoding: str, common: Mapping[str, str]) -> web.Response:
    """Answer a statement that ran; its counts go into the summary as text, as a server writes them."""
    counts = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": answer.result_rows,
        "result_bytes": len(answer.body),
        "elapsed_ns": answer.elapsed_ns,
    }
    headers = dict(common)
    headers["X-ClickHouse-Summary"] = json.dumps({name: str(count) for name, count in counts.items()})
    headers["Content-Type"] = _content_type(answer.format)
    if answer.format:
        headers["X-ClickHouse-Format"] = answer.format
    if encoding:
        headers["Content-Encoding"] = encoding
    return web.Response(body=body, headers=headers)


def refused(error: EngineError, version: str, common: Mapping[str, str]) -> web.Response:
    """Answer a statement that was refused or failed: its sentence as text, its code in a header."""
    headers = {**common, "X-ClickHouse-Exception-Code": str(error.code), "Content-Type": "text/plain; charset=UTF-8"}
    if error.code == 516:
        headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    return web.Response(status=error.status, body=f"{error} (version {version})\n".encode(), headers=headers)


def _content_type(result_format: str) -> str:
    family = next((family for family in _TYPES if result_format.startswith(family)), "")
    if family:
        return f"{_TYPES[family]}; charset=UTF-8"
    return "application/octet-stream" if result_format else "text/plain; charset=UTF-8"
