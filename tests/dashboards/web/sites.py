"""A web server of boards in this process, with a clock that tests set, plain requests to it, and what pages say."""

from __future__ import annotations

import asyncio
import html
import http.client
import json
import re
import resource
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from dashboards import look
from dashboards.macros import ALL_VALUE
from dashboards.web import boards, server
from dashboards.web.shown import Field, Writer
from deploy.ports import free_port
from hotline.catalogue import KPIS
from tests.dashboards.conftest import BORN_AT, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dashboards.words import Lang
    from hotline.settings import Settings

WEB = boards.read(ZONE)
LOCAL = ZoneInfo(ZONE)
AT = int(BORN_AT.timestamp()) + 90_000
"""When it is on the pages whose clock stands: the city of the tests has had a day."""
PATIENCE_S = 60.0


@dataclass
class Clock:
    """Epoch seconds that begin at `start` and pass `speed` times as fast as real ones."""

    start: float = field(default_factory=time.time)
    speed: float = 1.0
    _begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> float:
        return self.start + (time.monotonic() - self._begun) * self.speed


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """A server that runs in a thread of its own."""

    port: int
    app: web.Application
    runner: web.AppRunner
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        return got(self.port, path, method, body, **headers)

    def stop(self) -> None:
        """End the server at once, its streams cut off."""
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(PATIENCE_S)

    def put(self, uid: str, panel: int, content: Any) -> None:
        """Let every feed of a board say that a panel shows this."""
        for feed in (found for found, _ in self.app[server.FEEDS].running.values() if found.board.uid == uid):
            self.loop.call_soon_threadsafe(feed.put, panel, content)

    def still(self, path: str) -> dict[int, Any]:
        """What a page shows once everything was asked: panel → content."""
        return still(self.port, path)

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """What a stream says but its beats, one (name, what) after the other."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        line.request("GET", path)
        reply = line.getresponse()
        assert reply.status == http.client.OK, reply.read()[:400]
        try:
            yield _said(reply)
        finally:
            line.close()


def got(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
    """What a server on this machine answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        line.request(method, path, body, named)
        reply = line.getresponse()
        return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    finally:
        line.close()


def still(port: int, path: str) -> dict[int, Any]:
    """What a page shows once everything was asked: panel → content."""
    page = got(port, path + ("&" if "?" in path else "?") + "still")
    assert page.status == http.client.OK, page.text[:400]
    first = embedded(page.text, "first")
    assert first["tick"]["failed"] == {}
    return {said["id"]: said["content"] for said in first["panels"]}


def written(name: str, value: float | None, lang: Lang) -> str:
    """A value of a KPI as a page writes it."""
    unit = KPIS[name].unit
    field = Field(unit=look.unit(unit, lang), decimals=look.decimals(unit))
    return Writer(lang, ZoneInfo("UTC")).text(value, field)


def _said(reply: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    while line := reply.readline().decode().rstrip("\n"):
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            if name != "beat":
                yield name, json.loads(value)
            reply.readline()
        elif kind == "retry":
            reply.readline()


def embedded(page: str, name: str) -> Any:
    """The JSON that a page carries."""
    _, _, rest = page.partition(f'<script type="application/json" id="{name}">')
    return json.loads(rest.partition("</script>")[0])


@contextmanager
def site(settings: Settings, *, token: str | None = None, clock: Clock | None = None, port: int = 0) -> Iterator[Site]:
    """Serve until the block ends."""
    loop = asyncio.new_event_loop()
    app = server.make(settings, token=token, clock=clock or Clock())
    runner = server.runner(app)
    chosen = port or free_port()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", chosen, reuse_address=True).start()

    def wait(doing: Any) -> None:
        asyncio.run_coroutine_threadsafe(doing, loop).result(PATIENCE_S)

    wait(start())
    try:
        yield Site(chosen, app, runner, loop)
    finally:
        wait(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


def numbers_in(what: Any) -> list[str]:
    """The KPIs to whose pages something leads."""
    return re.findall(r"/numbers/(\w+)[/?]", what if isinstance(what, str) else json.dumps(what))


def texts(content: dict[str, Any]) -> list[str]:
    return [tile["text"] for tile in content["tiles"]]


def choosable(text: str) -> dict[str, set[str]]:
    """The names that a page offers, by variable."""
    found: dict[str, set[str]] = {}
    for name, value in re.findall(r'<input type="checkbox" name="var-(\w+)" value="([^"]*)"', text):
        found.setdefault(name, set()).add(html.unescape(value))
    return {name: values - {ALL_VALUE} for name, values in found.items()}


def unread(running: Site, path: str, takes_bytes: int = 0) -> socket.socket:
    """A connection that asks and never reads; `takes_bytes` is what the system takes for it meanwhile."""
    line = socket.socket()
    if takes_bytes:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
    line.connect(("127.0.0.1", running.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return line


def wait(until: Any, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not until():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def viewers(running: Site) -> int:
    found: int = json.loads(running.get("/health").body)["viewers"]
    return found


def resident_kib() -> int:
    """What this process has in memory at this instant."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


def otherwise(given: Settings, **changed: Any) -> Settings:
    """The same settings but for some."""
    same = {name: getattr(given, name) for name in given.__struct_fields__}
    return type(given)(**same | changed)


def away(given: Settings) -> Settings:
    """The same settings with a store that is not there."""
    return otherwise(given, clickhouse_url="http://127.0.0.1:9")
