"""Rows of a long list as they come, batch by batch: an export holds one batch, however many rows there are."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from dashboards.web.store import ANSWER_S_MAX, StoreError, quoted, unreached
from dashboards.words import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dashboards.web.store import Store
    from hotline.queries import Statement

    Batches = AsyncGenerator[list[list[Any]], None]

PIECE_BYTES, BATCH_BYTES = 1 << 16, 1 << 18
_FORMAT = {"default_format": "JSONCompactEachRow", "output_format_json_quote_64bit_integers": "0"}
_SAID_MAX = 300
_ROWS = msgspec.json.Decoder(list[Any])


async def streamed(store: Store, statement: Statement) -> Batches:
    """Ask a statement and give its rows in batches. Raises StoreError."""
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S_MAX, sock_read=ANSWER_S_MAX),
                headers=store.login(),
                trust_env=False,
            ) as session,
            session.post(
                store.settings.clickhouse_url, params={**_FORMAT, **statement.arguments}, data=statement.sql.encode()
            ) as reply,
        ):
            if reply.status != HTTPStatus.OK:
                raise StoreError(quoted(_said(await reply.content.read(_SAID_MAX)) or f"status {reply.status}"))
            async for lines in _lines(reply):
                yield _read(lines)
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        raise unreached(error) from error


async def _lines(reply: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Whole lines, some thousand at a time; an answer that breaks off says so in a line that is no row."""
    taken = bytearray()
    async for piece in reply.content.iter_chunked(PIECE_BYTES):
        taken += piece
        end = taken.rfind(b"\n") + 1
        if end >= BATCH_BYTES:
            yield bytes(taken[:end])
            del taken[:end]
    if taken:
        yield bytes(taken)


def _read(lines: bytes) -> list[list[Any]]:
    try:
        return _ROWS.decode_lines(lines)
    except msgspec.DecodeError as error:
        said = _said(lines[-_SAID_MAX:])
        raise StoreError(Text(f"the answer broke off: {said}", f"应答中断:{said}")) from error


def _said(text: bytes) -> str:
    return text.decode(errors="replace").strip().partition("\n")[0]
