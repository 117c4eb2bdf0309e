"""The commands about the web board of the running stack: take a picture of a board, open one."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import Lang, RefusedError, load_settings
from cli.boards.choosing import chosen
from cli.failures import DIFFERS
from cli.opening import may_open, open_in_browser
from cli.options import Data, Json
from cli.output import print_data, print_json, say

if TYPE_CHECKING:
    from dashboards.choosing import Chosen
    from dashboards.pictures.taking import Picture
    from deploy.stack.state import StackState

_Language = Annotated[Lang | None, typer.Option(help="Its language; default: that of the uid, else English.")]
_BOARD = "Its name or uid: see hotline boards list."
KINDS = (".png", ".pdf")


class Theme(StrEnum):
    """How a board looks."""

    LIGHT = "light"
    DARK = "dark"


def shot(
    board: Annotated[str, typer.Argument(metavar="BOARD", help=_BOARD, show_default=False)],
    data: Data = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .png, or a .pdf on A4.", show_default=False)],
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Pixels of the page.")] = "1920x1080",
    full: Annotated[bool, typer.Option("--full", help="As high as the whole board.")] = False,
    kiosk: Annotated[
        bool | None,
        typer.Option("--kiosk/--no-kiosk", help="The panels alone; default: for a board that fits a screen."),
    ] = None,
    theme: Annotated[Theme, typer.Option(help="How it looks.")] = Theme.LIGHT,
    lang: _Language = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="now-6h, now/d, 2023-05-01 …")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="The end of the range, as --from.")] = None,
    var: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="What a reader chooses; also repeated.")
    ] = None,
    browser: Annotated[
        str | None,
        typer.Option("--browser", metavar="PROGRAM", envvar="CHROME_PATH", help="Chromium or Chrome; default: found."),
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Give up after so long.")] = 90,
    json: Json = False,
) -> int:
    """Take a picture of a board.

    As the running stack shows it, with all its numbers there and its charts drawn; it takes a Chromium. Exit code 1
    when a panel had no answer and shows no value, 2 when there is no picture, 3 when no stack runs.
    """
    from dashboards.pictures.asking import page, read_size, read_variables
    from dashboards.pictures.browser import find
    from dashboards.pictures.taking import Wanted, take, write
    from dashboards.web.boards import fits_a_screen
    from deploy.stack.boards import boards_here
    from deploy.stack.stopping import running

    pdf = _is_pdf(out)
    one = _one(board, lang, data)
    alone = kiosk if kiosk is not None else fits_a_screen(one.board) and not (full or pdf)
    choice = [("from", since), ("to", until), *read_variables(var or ())]
    pixels = read_size(size)
    state = running(load_settings(data))
    address = page(boards_here(state), one.uid, choice, theme=theme, kiosk=alone)
    wanted = Wanted(address, pixels, find(browser), whole=full, pdf=pdf, **_key(state, address))
    taken = take(wanted, wait)
    write(out, taken.content)
    return _told(out, address, taken, json=json)


def open_(
    board: Annotated[str, typer.Argument(metavar="BOARD", help=_BOARD)] = "wall",
    data: Data = None,
    *,
    lang: _Language = None,
    json: Json = False,
) -> None:
    """Open a board in the browser.

    Prints its address, and opens it where there is a terminal and a screen. Exit code 3 when no stack runs.
    """
    from deploy.stack.boards import boards_for_people
    from deploy.stack.stopping import running

    one = _one(board, lang, data)
    address = f"{boards_for_people(running(load_settings(data)))}/d/{one.uid}"
    opened = may_open() and open_in_browser(address)
    if json:
        print_json({"address": address, "opened": opened})
    else:
        print_data(address)


def _is_pdf(file: Path) -> bool:
    """Whether a PDF is wanted. Raises RefusedError for what is neither that nor a PNG, or has no place."""
    if file.suffix.lower() not in KINDS:
        raise RefusedError(f"--out is {file}: pictures are {' or '.join(KINDS)}")
    if not file.parent.is_dir():
        raise RefusedError(f"--out is {file}, but there is no folder {file.parent}: make it, or name another")
    return file.suffix.lower() == ".pdf"


def _one(board: str, lang: Lang | None, data: Path | None) -> "Chosen":
    """Choose one board: in English unless its uid or the language says otherwise."""
    found = sorted(chosen([board], lang, data), key=lambda one: one.lang)
    if not found:
        raise RefusedError(f"{board} is not in the language {lang}: name the board without a language")
    return found[0]


def _key(state: "StackState", address: str) -> dict[str, Any]:
    """What lets a picture in where boards are open to the network, and so are asked for a token, by TLS."""
    from dashboards.pictures.certificate import check_certificate
    from dashboards.web.access import token_in

    settings = state.settings
    if not settings.web:
        return {}
    check_certificate(address, Path(settings.web_certificate_file))
    return {"token": token_in(settings.folder.password_file("web")), "any_certificate": True}


def _told(out: Path, address: str, taken: "Picture", *, json: bool) -> int:
    from dashboards.pictures.browser import FONTS_PACKAGE, lacks_chinese

    warnings = [f"{panel} had no answer ({why}) and shows no value" for panel, why in taken.failed]
    if lacks_chinese():
        warnings.append(f"no font here has Chinese characters: install {FONTS_PACKAGE}")
    if json:
        size = {"width": taken.size.width, "height": taken.size.height}
        print_json({"file": str(out), "bytes": len(taken.content), **size, "address": address, "warnings": warnings})
    else:
        print_data(str(out))
    for warning in warnings:
        say(warning)
    return DIFFERS if taken.failed else 0
