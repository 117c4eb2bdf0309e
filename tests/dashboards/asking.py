"""Queries of boards, asked as Grafana asks them: expanded, as the reader, with columns and their types."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hotline.settings import password

if TYPE_CHECKING:
    from hotline.settings import Settings


@dataclass(frozen=True)
class Answer:
    """Columns with their types, and rows."""

    types: dict[str, str]
    rows: list[list[Any]]
    read_rows: int
    """Rows of tables that the engine read for it."""

    @property
    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.types, row, strict=True)) for row in self.rows]


class Asking:
    """One connection of the reader."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.clickhouse_url)
        self._connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        self._headers = {
            "X-ClickHouse-User": settings.clickhouse_reader,
            "X-ClickHouse-Key": password(settings, "reader"),
        }

    def close(self) -> None:
        self._connection.close()

    def ask(self, sql: str) -> Answer:
        path = "/?default_format=JSONCompact&wait_end_of_query=1&output_format_json_quote_64bit_integers=0"
        self._connection.request("POST", path, body=sql.encode(), headers=self._headers)
        reply = self._connection.getresponse()
        body = reply.read()
        assert reply.status == http.client.OK, f"{body.decode(errors='replace')[:600]}\n{sql}"
        found = json.loads(body)
        types = {column["name"]: column["type"] for column in found["meta"]}
        return Answer(types, found["data"], int(json.loads(reply.headers["X-ClickHouse-Summary"])["read_rows"]))
