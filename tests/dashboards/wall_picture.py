"""The README's picture: the wall at one moment of a simulated city, which is the same city every time.

`make picture` runs this: it writes docs/pictures/wall.png, and beside it what that shows.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import re
import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp
import polars as pl
from aiohttp import web

from dashboards.pictures.asking import page
from dashboards.pictures.browser import find
from dashboards.pictures.taking import Size, Wanted, take, write
from dashboards.web import server
from hotline import ipc
from hotline.blocks import complete
from hotline.contributions import contributions
from hotline.fold import fold, with_keys
from hotline.names import COVERED_DAYS_TABLE, DATABASE
from hotline.subjects import CALLS, SUBJECTS, Subject
from producers.simulator.city import CITY
from producers.simulator.day import day
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from clickhouse_connect.driver.client import Client

    from hotline.settings import Settings

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "wall.png"
SHOWN = PICTURE.with_suffix(".json")
UID = "hotline-wall"
SIZE = Size(1600, 900)
AT = datetime(2026, 3, 11, 17, 40, 20, tzinfo=ZoneInfo(CITY.zone))
"""A Wednesday, when the deadlines of the day are just over."""
SEED, SCALE = 2, 0.2
DAYS_BEFORE = {"calls": (0, 1, 7), "tickets": tuple(range(15))}
"""Calls of today, of the night and of a week before; tickets until the first are long closed."""


@contextmanager
def seeded(folder: Path) -> Iterator[Settings]:
    """Give an engine that holds the city as it was at `AT`: what the wall is made of, and nothing else."""
    with engine(folder, CITY.zone) as settings, migrated(settings) as client:
        for subject in SUBJECTS.values():
            _store(client, subject)
        yield settings


def _store(client: Client, subject: Subject) -> None:
    dates = [AT.date() - timedelta(days=days) for days in DAYS_BEFORE[subject.name]]
    city = CITY.scaled(CITY.tickets_per_day * SCALE, CITY.calls_per_day * SCALE)
    lives = pl.concat([day(city, date, SEED)[subject.name] for date in dates])
    known = lives.filter(pl.col("occurred_at").dt.epoch("s") <= int(AT.timestamp()))
    rows = fold(subject, with_keys(subject, complete(subject, known)))
    sums = contributions(subject, rows, rows.clear(), CITY.zone).sums
    _insert(client, subject.sums_table, sums.filter(pl.col("scope_kind") == "all"))
    _insert(client, COVERED_DAYS_TABLE, pl.DataFrame({"subject": [subject.name] * len(dates), "day": dates}))
    if subject is CALLS:
        here = pl.lit(0, pl.UInt16).alias("partition")
        _insert(client, subject.rows_table, rows.drop("entity_key").with_columns(here))


def _insert(client: Client, table: str, frame: pl.DataFrame) -> None:
    settings = {"max_partitions_per_insert_block": 0}
    client.raw_insert(f"{DATABASE}.{table}", frame.columns, ipc.encode(frame), fmt="ArrowStream", settings=settings)


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """Serve boards at the moment `AT`, which does not pass, for the clock of the store neither; gives the address."""
    app = server.make(settings, clock=AT.timestamp)
    app[server.BOARDS] = {uid: replace(board, json=_asking_at(board.json)) for uid, board in app[server.BOARDS].items()}
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _asking_at(board: dict[str, Any]) -> dict[str, Any]:
    """The board, whose statements take `AT` for now."""
    found: dict[str, Any] = json.loads(json.dumps(board).replace("now()", f"toDateTime({int(AT.timestamp())})"))
    return found


async def shown(base: str) -> dict[str, Any]:
    """What the wall shows, as its page is told: panel → texts of its tiles, or the summary of its chart."""
    async with aiohttp.ClientSession() as session, session.get(page(base, UID, [], theme="dark", kiosk=True)) as reply:
        text = await reply.text()
    found = re.search(r'<script type="application/json" id="first">(.*?)</script>', text)
    assert found, text[:500]
    first = json.loads(found[1])
    assert first["tick"]["failed"] == {}
    titles = dict(re.findall(r'<h2 id="t(\d+)">(?:<a [^>]*>)?([^<]*)', text))
    content = {str(panel["id"]): panel["content"] for panel in first["panels"]}
    panels = {html.unescape(title): _texts(content[key]) for key, title in titles.items()}
    return {"board": UID, "at": AT.isoformat(), "panels": panels}


def _texts(content: dict[str, Any]) -> Any:
    if "tiles" in content:
        return [" ".join(filter(None, (tile.get("sign"), tile["text"]))) for tile in content["tiles"]]
    return {"summary": content["summary"], "points": len(content["rows"])}


def digest(picture: bytes) -> str:
    """What ties a picture to what stands beside it."""
    return hashlib.sha256(picture).hexdigest()


async def _draw(settings: Settings) -> tuple[bytes, dict[str, Any]]:
    async with served(settings) as base:
        said = await shown(base)
        wanted = Wanted(page(base, UID, [], theme="dark", kiosk=True), SIZE, find())
        return (await asyncio.to_thread(take, wanted)).content, said


def main() -> None:
    """Write the picture, and what it shows."""
    with tempfile.TemporaryDirectory() as folder, seeded(Path(folder)) as settings:
        content, said = asyncio.run(_draw(settings))
    write(PICTURE, content)
    SHOWN.write_text(json.dumps({**said, "picture": digest(content)}, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
