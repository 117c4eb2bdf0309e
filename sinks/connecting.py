"""Connections to ClickHouse, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import clickhouse_connect

from hotline.settings import Account, Settings, SettingsError, password

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

CONNECT_WITHIN_S = 5
ANSWER_WITHIN_S = 900
"""A large insert on a slow disk may take minutes; the server has limits of its own."""


def connect(settings: Settings, account: Account = "writer") -> Client:
    """Open a client that several threads may use.

    Raises SettingsError for a missing address or password, ClickHouseError or OSError when nobody answers.
    """
    url = urlsplit(settings.clickhouse_url)
    if not url.hostname:
        raise SettingsError(
            "clickhouse_url is empty: start the stack (hotline up), or set HOTLINE_CLICKHOUSE_URL to http://host:port"
        )
    return clickhouse_connect.get_client(
        interface=url.scheme,
        host=url.hostname,
        port=url.port or 8123,
        username=settings.clickhouse_reader if account == "reader" else settings.clickhouse_writer,
        password=password(settings, account),
        autogenerate_session_id=False,
        connect_timeout=CONNECT_WITHIN_S,
        send_receive_timeout=ANSWER_WITHIN_S,
    )
