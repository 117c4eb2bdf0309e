"""Taking a picture of a board: open its page, wait until all of it is drawn, and hold that."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dashboards.pictures import browser
from dashboards.pictures.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pictures.devtools import Page

WITHIN_S = 90.0
"""A page waits up to a minute for its numbers."""
HEIGHT_PX_MAX = 16_384
"""What Chromium can draw in one piece."""
_LOOKS_EVERY_S = 0.1
_LOOKING = (Path(__file__).parent / "looking.js").read_text(encoding="utf-8")
_SETTLED = (
    "document.fonts.ready.then(() => new Promise((on) => requestAnimationFrame(() => requestAnimationFrame(on))))"
)
_A4_IN = (11.69, 8.27)
_MARGIN_IN = 0.4
_PX_PER_IN = 96


@dataclass(frozen=True)
class Size:
    """Width and height in CSS pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Wanted:
    """What a picture is to show.

    `token` is sent to the server; `any_certificate` is for a server whose certificate was compared before; `whole`
    makes the picture as high as the page.
    """

    address: str
    size: Size
    program: str
    token: str | None = None
    any_certificate: bool = False
    whole: bool = False
    pdf: bool = False


@dataclass(frozen=True)
class Picture:
    """The bytes of a PNG or PDF; `failed` names each panel that had no answer, and why."""

    content: bytes
    size: Size
    failed: Sequence[tuple[str, str]]


def take(wanted: Wanted, within_s: float = WITHIN_S) -> Picture:
    """Take the picture. Raises PictureError, also when the board is not drawn in time."""
    return asyncio.run(_take(wanted, within_s))


async def _take(wanted: Wanted, within_s: float) -> Picture:
    host = urlsplit(wanted.address).hostname or ""
    try:
        async with asyncio.timeout(within_s), browser.running(wanted.program, host) as devtools:
            page = await devtools.page()
            await _open(page, wanted)
            seen = await _drawn(page, wanted.address)
            size = wanted.size
            if wanted.whole and not wanted.pdf:
                size = Size(size.width, min(HEIGHT_PX_MAX, max(size.height, int(seen["height"]))))
                await _resize(page, size)
                await _drawn(page, wanted.address)
            content = await (_pdf(page, size) if wanted.pdf else _png(page))
    except TimeoutError:
        raise PictureError(f"{wanted.address} was not drawn within {within_s:g} s: see hotline status") from None
    return Picture(content, size, [(one["panel"], one["why"]) for one in seen["failed"]])


async def _open(page: Page, wanted: Wanted) -> None:
    await page.ask("Network.enable")
    if wanted.any_certificate:
        await page.ask("Security.setIgnoreCertificateErrors", ignore=True)
    if wanted.token:
        await page.ask("Network.setExtraHTTPHeaders", headers={"Authorization": f"Bearer {wanted.token}"})
    await _resize(page, wanted.size)
    opened = await page.ask("Page.navigate", url=wanted.address)
    if why := opened.get("errorText"):
        raise PictureError(f"{wanted.address} cannot be opened ({why}): see hotline status")


async def _resize(page: Page, size: Size) -> None:
    await page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=size.width,
        height=size.height,
        deviceScaleFactor=1,
        mobile=False,
    )


async def _drawn(page: Page, address: str) -> dict[str, Any]:
    """Wait until everything is drawn. Raises PictureError for a page that says something else."""
    await page.evaluate(_SETTLED)
    while not (seen := await page.evaluate(_LOOKING))["drawn"]:
        if "refused" in seen:
            raise PictureError(f"{address} answers {seen['refused']}: {seen['said']}")
        if seen.get("chartless"):
            raise PictureError(f"{address} has no charts, for want of /static/charts.js: see log/web.log")
        await asyncio.sleep(_LOOKS_EVERY_S)
    await page.evaluate(_SETTLED)
    found: dict[str, Any] = seen
    return found


async def _png(page: Page) -> bytes:
    return base64.b64decode((await page.ask("Page.captureScreenshot", format="png"))["data"])


async def _pdf(page: Page, size: Size) -> bytes:
    """Print on A4, as wide as the page was drawn: charts do not change their size for paper."""
    width, height = _A4_IN
    margins = {f"margin{side}": _MARGIN_IN for side in ("Top", "Bottom", "Left", "Right")}
    scale = min(2.0, max(0.1, (width - 2 * _MARGIN_IN) * _PX_PER_IN / size.width))
    paper = {"paperWidth": width, "paperHeight": height, "scale": scale, **margins}
    return base64.b64decode((await page.ask("Page.printToPDF", printBackground=True, **paper))["data"])


def write(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    draft = file.with_name(f".{file.name}.new")
    draft.write_bytes(content)
    draft.replace(file)
