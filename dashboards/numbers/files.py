"""Files of the rows behind a number, sent as they are made: one batch of rows in memory, one file at a time."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dashboards.numbers import says
from dashboards.numbers.exports import BOM, ROWS_MAX, Workbook, csv_text
from dashboards.numbers.listed import count, listing
from dashboards.numbers.streamed import PIECE_BYTES, streamed
from dashboards.web.keys import STORE
from dashboards.web.store import StoreError
from dashboards.words import kind_label, kpi_formula, kpi_title

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from dashboards.numbers.address import Address
    from dashboards.numbers.counted import Counted
    from dashboards.web.store import Store
    from hotline.queries import Listing

    Batches = AsyncGenerator[list[Sequence[Any]], None]

AT_ONCE_MAX = 2
"""Files that are made at a time, each for another client; the others wait."""
STALL_S_MAX = 10.0
"""A reader who takes nothing for so long is cut off: others wait."""
FILE_S_MAX = 300.0
"""A file that is not through by then is given up."""
_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_log = logging.getLogger(__name__)


async def csv(request: web.Request, address: Address, counted: Counted) -> web.StreamResponse:
    """Send the rows as CSV; its last line says so when there are more. Raises StoreError before anything is sent."""
    store = request.app[STORE]
    listed, total = listing(counted, address, rows=ROWS_MAX), await count(counted, store)
    async with aclosing(_records(listed, counted, store)) as batches:
        first: list[Sequence[Any]] = await anext(batches, [])
        reply = await _begun(request, _headers(address, counted, "csv", _CSV))
        head: list[Sequence[Any]] = [[column.name for column in listed.columns]]
        await _send(request, reply, (BOM + csv_text(head + first)).encode())
        try:
            async for batch in batches:
                await _send(request, reply, csv_text(batch).encode())
        except StoreError as error:
            raise broken_off(request, error) from error
    if total > ROWS_MAX:
        await _send(request, reply, csv_text([[_cut(address)]]).encode())
    await reply.write_eof()
    return reply


async def xlsx(request: web.Request, address: Address, counted: Counted) -> web.StreamResponse:
    """Send the rows as a workbook, whose second sheet says what they are. Raises StoreError before anything is sent."""
    with tempfile.TemporaryDirectory(prefix="hotline-rows-") as folder:
        file = Path(folder) / "rows.xlsx"
        await _write_workbook(file, address, counted, request.app[STORE])
        reply = await _begun(request, _headers(address, counted, "xlsx", _XLSX))
        with file.open("rb") as written:
            while piece := await asyncio.to_thread(written.read, PIECE_BYTES):
                await _send(request, reply, piece)
    await reply.write_eof()
    return reply


async def _write_workbook(file: Path, address: Address, counted: Counted, store: Store) -> None:
    listed, total = listing(counted, address, rows=ROWS_MAX), await count(counted, store)
    titles = (says.said("rows", address.lang), says.said("file_about", address.lang))
    async with aclosing(_records(listed, counted, store)) as batches:
        book = Workbook(file, titles)
        try:
            book.head([column.name for column in listed.columns])
            async for batch in batches:
                await asyncio.to_thread(book.add, batch)
            book.about(_about(address, counted, total))
        finally:  # its own files are open until then
            await asyncio.to_thread(book.close)


async def _records(listed: Listing, counted: Counted, store: Store) -> Batches:
    async with aclosing(streamed(store, listed.statement)) as batches:
        async for batch in batches:
            yield [list(record.values()) for record in listed.records(batch, counted.period.zone)]


async def _begun(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
    reply = web.StreamResponse(headers=headers)
    await reply.prepare(request)
    return reply


async def _send(request: web.Request, reply: web.StreamResponse, piece: bytes) -> None:
    try:
        async with asyncio.timeout(STALL_S_MAX):
            await reply.write(piece)
    except TimeoutError as error:
        raise broken_off(request, error) from error


def broken_off(request: web.Request, error: Exception) -> ConnectionAbortedError:
    """Close the connection, so that half a file is not taken for a whole one."""
    _log.warning("a file of rows was broken off: %s", str(error) or type(error).__name__)
    if request.transport is not None:
        request.transport.abort()
    return ConnectionAbortedError("a file of rows was broken off")


def _headers(address: Address, counted: Counted, ending: str, kind: str) -> dict[str, str]:
    """The name is made of ours alone: the KPI and the period."""
    period = counted.period
    name = f"{address.kpi.name}-{period.start:%Y%m%dT%H%M}-{period.end:%Y%m%dT%H%M}.{ending}"
    return {
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _about(address: Address, counted: Counted, total: int) -> Iterator[tuple[str, Any]]:
    kpi, lang = address.kpi, address.lang
    yield kpi.name, kpi_title(kpi).of(lang)
    yield says.said("formula", lang), kpi_formula(kpi).of(lang)
    yield says.said("period", lang), says.period(kpi, address.over, counted.period, lang)
    yield says.said("zone", lang), counted.period.zone.key
    names = ", ".join(address.titles)
    yield says.said("scopes", lang), f"{kind_label(address.kind).of(lang)}{': ' if names else ''}{names}"
    yield says.said("rows", lang), total
    yield says.said("address", lang), address.link()
    if total > ROWS_MAX:
        yield "", _cut(address)


def _cut(address: Address) -> str:
    return says.said("file_cut", address.lang, rows=says.count(ROWS_MAX))
