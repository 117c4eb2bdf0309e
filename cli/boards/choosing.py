"""Which boards, in which language, in which Grafana: the options that these commands share."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from cli.asking import Lang, RefusedError, load_settings

if TYPE_CHECKING:
    from dashboards.choosing import Chosen
    from dashboards.grafana.connection import Connection
    from hotline.settings import Settings

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="BOARD", help="Only these, by name or uid: see hotline boards list.", show_default=False),
]
Language = Annotated[Lang | None, typer.Option(help="Only in this language; default: in both.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", envvar="GRAFANA_URL", help="Address of the Grafana, without any secret."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        envvar="GRAFANA_TOKEN_FILE",
        help="File with the token of a service account that is Editor; default: the variable GRAFANA_TOKEN.",
    ),
]
Web = Annotated[
    str | None,
    typer.Option(
        "--web",
        metavar="URL",
        help="Where readers of these boards find the web board, to which numbers link; default: by the settings.",
    ),
]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for Grafana to start.")]


def chosen(names: list[str] | None, lang: Lang | None, data: Path | None, web: str | None = None) -> "list[Chosen]":
    """Make the boards that are meant, for the hotline's zone. Raises RefusedError for a name that none has."""
    from dashboards.choosing import UnknownBoardError, choose
    from dashboards.words import Lang as Language

    settings = load_settings(data)
    try:
        only = None if lang is None else Language(lang)
        return choose(names or (), only, settings.zone, _web(web) if web else _web_of(settings))
    except UnknownBoardError as error:
        raise RefusedError(str(error)) from error


def _web(url: str) -> str:
    """Check an address of the web board. Raises RefusedError."""
    parts = urlsplit(url)
    plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not plain or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", url):
        raise RefusedError(f"--web is {url!r}: write http(s)://host:port, and a path if it has one")
    return url.rstrip("/")


def _web_of(settings: "Settings") -> str:
    from dashboards.entries import WEB
    from deploy.stack.boards import ANY_HOST

    if settings.web:
        if settings.web.rpartition(":")[0] in ANY_HOST:
            said = f"the setting web is {settings.web}, which is no address to link to"
            raise RefusedError(f"{said}: write --web with the one that readers use, such as https://boards.city:8443")
        return f"https://{settings.web}"
    return f"http://127.0.0.1:{settings.web_port}" if settings.web_port else WEB


@contextmanager
def connected(url: str | None, token_file: Path | None, wait_s: float = 0) -> "Iterator[Connection]":
    """Connect with a Grafana that knows the token. Raises RefusedError without an address, and GrafanaError."""
    from dashboards.grafana.address import read_address
    from dashboards.grafana.connection import Connection
    from dashboards.grafana.token import read_token
    from dashboards.grafana.waiting import wait

    if not url:
        raise RefusedError("--url is missing: write the address of the Grafana, such as --url http://localhost:3000")
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it tells of every retry, in words of its own
    with Connection(read_address(url), read_token(token_file)) as connection:
        if wait_s:
            wait(connection, wait_s)
        connection.login()
        yield connection
