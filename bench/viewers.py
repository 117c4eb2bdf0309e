"""The web board with viewers: how soon an event is on it, and what a viewer costs while a city lives.

    python -m bench.viewers [--viewers 200] [--events 100] [--seconds 30]

First tickets are created one by one, on a stack without other traffic, until the wall of a viewer counts each. Then a
city lives at its own pace: Chromium, which knows nothing yet, opens board after board, and the web's process is watched
with no viewer, one, and many of the same wall.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import polars as pl
import psutil
from playwright.async_api import Browser, async_playwright, expect

from bench.recovery import traffic
from cli.load import quiet_clients
from dashboards.pictures.browser import find
from dashboards.web import boards
from hotline.blocks import complete, pack
from hotline.subjects import SUBJECTS
from tests.e2e.sending import send_blocks
from tests.e2e.stacks import Hotline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

WALL = "hotline-wall"
SETTLE_S = 10.0
PATIENCE_MS = 60_000
TELL_FIRST_PAINT = """patience_ms => new Promise((told, never) => {
    setTimeout(() => never(new Error("nothing was painted")), patience_ms);
    new PerformanceObserver((seen) => {
        const [first] = seen.getEntriesByName("first-contentful-paint");
        if (first) told(first.startTime);
    }).observe({type: "paint", buffered: true});
})"""
"""Milliseconds until the first paint, of which a page may be told after it is filled."""


def main() -> None:
    """Print how soon events are on the board, and CPU and memory of the web's process by viewers."""
    parser = argparse.ArgumentParser(prog="python -m bench.viewers", description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", type=int, default=200, help="pages that are open at once (%(default)s)")
    parser.add_argument("--events", type=int, default=100, help="events that are timed (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each number of viewers is watched")
    given = parser.parse_args()
    quiet_clients()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made:
        hotline = Hotline(Path(made) / "d", HOTLINE_BOARDS="true")
        try:
            hotline.running()
            asyncio.run(_latency(hotline, given.events))
            with traffic(hotline, "1"):
                asyncio.run(_paints(hotline))
                asyncio.run(_viewers(hotline, (0, 1, given.viewers), given.seconds))
        finally:
            hotline.clean()


async def _latency(hotline: Hotline, events: int) -> None:
    """From before a ticket is sent until the wall of a viewer counts it."""
    (panel,) = (one["id"] for one in boards.read("Asia/Shanghai")[WALL].panels if one["title"].startswith("Tickets"))
    draw, told = random.Random(1), []
    async with aiohttp.ClientSession() as session:
        said = _events(session, hotline)
        for number in range(events):
            await asyncio.sleep(draw.uniform(0, 5))
            begun = time.monotonic()
            sending = asyncio.create_task(asyncio.to_thread(send_blocks, hotline, list(_ticket(number))))
            async for what in said:
                if what.get("id") == panel and what["content"]["tiles"][0]["text"] == f"{number + 1:,}":
                    break
            told.append(time.monotonic() - begun)
            await sending
    p50, p99 = (sorted(told)[math.ceil(q * events) - 1] for q in (0.5, 0.99))
    largest = f"largest of {events} {max(told):.2f} s"
    print(f"event → wall: p50 {p50:.2f} s, p99 {p99:.2f} s, {largest}; it is asked every 5 s")


def _ticket(number: int) -> Iterable[Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    event = {"type": "ticket.created", "source": "probe", "entity": f"t{number}", "born_at": now, "occurred_at": now}
    yield from pack(SUBJECTS["tickets"], complete(SUBJECTS["tickets"], pl.DataFrame([event])), 2)


async def _events(session: aiohttp.ClientSession, hotline: Hotline) -> AsyncIterator[dict[str, Any]]:
    async with session.get(
        f"{hotline.part('web')['address']}/d/{WALL}/events", timeout=aiohttp.ClientTimeout()
    ) as reply:
        async for line in reply.content:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


async def _paints(hotline: Hotline) -> None:
    """From asking for a page until something stands on it, and until each of its panels shows what it is about."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--no-proxy-server"])
        for uid in boards.read("Asia/Shanghai"):
            if not uid.endswith("-zh"):
                first, full = await _painted(chromium, f"{hotline.part('web')['address']}/d/{uid}")
                print(f"{uid:20} first paint {first:5.2f} s, every panel filled {full:5.2f} s")


async def _painted(chromium: Browser, address: str) -> tuple[float, float]:
    context = await chromium.new_context(viewport={"width": 1920, "height": 1080})  # a cache of its own
    page = await context.new_page()
    begun = time.monotonic()
    await page.goto(address)
    await expect(page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)
    full = time.monotonic() - begun
    first_ms = await page.evaluate(TELL_FIRST_PAINT, PATIENCE_MS)
    await context.close()
    return first_ms / 1000, full


async def _viewers(hotline: Hotline, numbers: Iterable[int], seconds: float) -> None:
    web, engine = (psutil.Process(hotline.pid(name)) for name in ("web", "engine"))
    for number in numbers:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            watching = [asyncio.create_task(_watch(session, hotline)) for _ in range(number)]
            await asyncio.sleep(SETTLE_S)
            before = [_cpu_s(web), _cpu_s(engine)]
            await asyncio.sleep(seconds)
            of_web, of_engine = ((_cpu_s(p) - was) / seconds for p, was in zip((web, engine), before, strict=True))
            heard = [await _ended(task) for task in watching]
        per_viewer = f", {min(heard)} to {max(heard)} messages each" if heard else ""
        print(
            f"{number:>4} viewers: web {of_web:6.2%} of a core, {web.memory_info().rss / 2**20:4.0f} MiB; "
            f"engine {of_engine:6.2%}{per_viewer}"
        )


async def _watch(session: aiohttp.ClientSession, hotline: Hotline) -> int:
    heard = 0
    try:
        async for _ in _events(session, hotline):
            heard += 1
    except asyncio.CancelledError:
        pass
    return heard


async def _ended(task: asyncio.Task[int]) -> int:
    task.cancel()
    return await task


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
