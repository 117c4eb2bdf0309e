"""Which boards, in which language, in which Grafana: the options that these commands share."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import Lang, RefusedError, load_settings

if TYPE_CHECKING:
    from dashboards.choosing import Chosen
    from dashboards.grafana.connection import Connection

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
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for Grafana to start.")]


def chosen(names: list[str] | None, lang: Lang | None, data: Path | None) -> "list[Chosen]":
    """Make the boards that are meant, for the hotline's zone. Raises typer.BadParameter for a name that none has."""
    from dashboards.choosing import UnknownBoardError, choose
    from dashboards.words import Lang as Language

    try:
        return choose(names or (), None if lang is None else Language(lang), load_settings(data).zone)
    except UnknownBoardError as error:
        raise RefusedError(str(error)) from error


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
