"""Pages of numbers as a browser gets them: over HTTP, from the whole application and a real store."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree import ElementTree as ET

from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from dashboards.web import server
from tests.dashboards.web import sites

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hotline.settings import Settings

    Get = Callable[[str], Awaitable["Reply"]]

Seen = TypeVar("Seen")


class Reply(sites.Reply):
    @property
    def page(self) -> Page:
        found = Page()
        found.feed(self.text)
        return found


def visit(settings: Settings, visitor: Callable[[Get], Awaitable[Seen]]) -> Seen:
    """Let a visitor get pages; addresses go out as they are written."""

    async def visited() -> Seen:
        async with TestClient(TestServer(server.make(settings), host="127.0.0.1")) as client:

            async def get(path: str) -> Reply:
                async with client.get(URL(path, encoded=True)) as reply:
                    return Reply(reply.status, reply.headers, await reply.read())

            return await visitor(get)

    return asyncio.run(visited())


def fetch(settings: Settings, *paths: str) -> list[Reply]:
    """Get several pages at once."""

    async def visitor(get: Get) -> list[Reply]:
        return await asyncio.gather(*map(get, paths))

    return visit(settings, visitor)


@dataclass
class Page(HTMLParser):
    """What stands on a page: its tags, the texts of its tables, and where its links lead."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._cell: str | None = None
        self._href, self._words = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._cell = ""
        elif tag == "a":
            self._href, self._words = given["href"] or "", ""

    def handle_data(self, data: str) -> None:
        self.text += data
        self._words += data
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self.tables[-1][-1].append(self._cell)
            self._cell = None
        elif tag == "a":
            self.links.setdefault(self._words, self._href)


def read_csv(reply: Reply) -> list[list[str]]:
    assert reply.text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(reply.text[1:])))


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)


def read_xlsx(reply: Reply, sheet: int = 1) -> list[list[Any]]:
    """Cells as they are typed: texts, numbers, booleans, wall clocks; None where there is none."""
    with zipfile.ZipFile(io.BytesIO(reply.body)) as book:
        assert not [name for name in book.namelist() if "vba" in name.lower() or "externalLink" in name]
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314  made a moment ago
    assert tree.find(f".//{_MAIN}f") is None, "a formula"
    assert tree.find(f".//{_MAIN}hyperlink") is None, "a link"
    return [_cells(row) for row in tree.iter(f"{_MAIN}row")]


def _cells(row: ET.Element) -> list[Any]:
    found: dict[int, Any] = {}
    for cell in row.iter(f"{_MAIN}c"):
        letters = cell.attrib["r"].rstrip("0123456789")
        place = sum((ord(letter) - 64) * 26**power for power, letter in enumerate(reversed(letters))) - 1
        found[place] = _value(cell)
    return [found.get(place) for place in range(max(found, default=-1) + 1)]


def _value(cell: ET.Element) -> Any:
    if cell.get("t") == "inlineStr":
        return "".join(cell.itertext())
    value = cell.findtext(f"{_MAIN}v") or ""
    if cell.get("t") == "b":
        return value == "1"
    if cell.get("s"):
        return (_EPOCH + timedelta(seconds=round(float(value) * 86_400))).replace(tzinfo=None)
    return float(value)
