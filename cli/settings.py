"""Commands that print what is set: config, url, version."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

import typer

from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table, say

if TYPE_CHECKING:
    from hotline.settings import Account, Settings

MASK = "********"


class Server(StrEnum):
    """What `hotline url` knows."""

    CLICKHOUSE = "clickhouse"
    CLICKHOUSE_WRITER = "clickhouse-writer"
    BROKER = "broker"
    BOARDS = "boards"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(epilog=examples("hotline config", "hotline config --json"))(config)
    app.command(
        epilog=examples(
            "hotline url clickhouse",
            "hotline url clickhouse --with-password",
            "hotline url broker",
            "hotline url boards",
        )
    )(url)
    app.command(epilog=examples("hotline version", "hotline version --json"))(version)


def config(data: Data = None, *, json: Json = False) -> None:
    """Print every setting.

    Each with its value, where that comes from, and what it is for; secrets are masked.
    """
    from hotline.settings import doc, load, password_file, unknown_variables

    settings, origins = load(data)
    rows = {name: {"value": getattr(settings, name), "origin": origins[name], "doc": doc(name)} for name in origins}
    rows["data"]["value"] = str(settings.data)
    accounts: tuple[Account, Account] = ("reader", "writer")
    for account in accounts:
        file = password_file(settings, account)
        there = {"value": MASK, "origin": str(file)} if file.exists() else {"value": None, "origin": "not made yet"}
        rows[f"{account}.password"] = {**there, "doc": f"Password of the {account}; read from that file only."}
    for name in unknown_variables():
        say(f"the environment variable {name} is no setting and is ignored")
    if json:
        print_json(rows)
    else:
        print_table([(name, _shown(row["value"]), str(row["origin"]), str(row["doc"])) for name, row in rows.items()])


def url(
    server: Annotated[Server, typer.Argument(help="Which server.", show_default=False)],
    data: Data = None,
    *,
    with_password: Annotated[bool, typer.Option("--with-password", help="Put the password into it.")] = False,
) -> None:
    """Print the address of a server.

    One line, for any client of ClickHouse or Kafka, or a browser. Exit code 3 when no stack runs.
    """
    from deploy.stack.boards import boards_for_people
    from deploy.stack.stopping import running
    from hotline.settings import load

    settings, _ = load(data)
    if server is Server.BOARDS:
        print_data(boards_for_people(running(settings)))
        return
    named = settings.bootstrap if server is Server.BROKER else settings.clickhouse_url
    found = settings if named else running(settings).settings
    print_data(found.bootstrap if server is Server.BROKER else _clickhouse(found, server, with_password=with_password))


def version(*, json: Json = False) -> None:
    """Print versions.

    Of this product and of what it is made of.
    """
    from cli.versions import versions

    found = versions()
    if json:
        print_json(found)
    else:
        print_table(list(found.items()))


def _clickhouse(settings: "Settings", server: Server, *, with_password: bool) -> str:
    from hotline.settings import password

    account: Account = "writer" if server is Server.CLICKHOUSE_WRITER else "reader"
    user = settings.clickhouse_writer if account == "writer" else settings.clickhouse_reader
    secret = f":{quote(password(settings, account), safe='')}" if with_password else ""
    parts = urlsplit(settings.clickhouse_url)
    return f"{parts.scheme}://{quote(user, safe='')}{secret}@{parts.netloc}/"


def _shown(value: object) -> str:
    return "-" if value is None else str(value) or '""'
