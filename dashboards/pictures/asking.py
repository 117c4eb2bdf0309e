"""Which page a picture is of: the board's address with what the reader chose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dashboards.pictures.errors import PictureError
from dashboards.pictures.taking import HEIGHT_PX_MAX, Size

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH_PX_MIN = 200


def read_size(text: str) -> Size:
    """Read WIDTHxHEIGHT in pixels. Raises PictureError."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    size = Size(*map(int, found.groups())) if found else None
    if size is None or not all(WIDTH_PX_MIN <= side <= HEIGHT_PX_MAX for side in (size.width, size.height)):
        raise PictureError(
            f"the size is {text!r}: write WIDTHxHEIGHT in pixels, such as 1920x1080, "
            f"each from {WIDTH_PX_MIN} to {HEIGHT_PX_MAX}"
        )
    return size


def read_variables(given: Iterable[str]) -> list[tuple[str, str]]:
    """Read NAME=VALUE of each. Raises PictureError."""
    pairs = [one.partition("=") for one in given]
    for name, equals, value in pairs:
        if not name or not equals:
            raise PictureError(f"--var {name}{equals}{value}: write NAME=VALUE, such as line=12345")
    return [(f"var-{name}", value) for name, _, value in pairs]


def page(base: str, uid: str, chosen: Iterable[tuple[str, str | None]], *, theme: str, kiosk: bool) -> str:
    """The address of a board as it stands at one moment; what is None is as the board opens."""
    given = [("still", ""), ("theme", theme), ("kiosk", "" if kiosk else None), *chosen]
    return f"{base}/d/{uid}?{urlencode([(name, value) for name, value in given if value is not None])}"
