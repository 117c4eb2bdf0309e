"""The agents' connection to ClickHouse."""

from __future__ import annotations

from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from hotline.settings import Settings, password

ANSWER_WITHIN_S = 300


def connect(settings: Settings, *, answer_within_s: int = ANSWER_WITHIN_S) -> Client:
    """A client of the database; the writer's account, whose look-ups no reader's limit may cut off."""
    url = urlsplit(settings.clickhouse_url)
    return clickhouse_connect.get_client(
        host=url.hostname or "127.0.0.1",
        port=url.port or 8123,
        secure=url.scheme == "https",
        username=settings.clickhouse_writer,
        password=password(settings, "writer"),
        autogenerate_session_id=False,
        send_receive_timeout=answer_within_s,
    )
