"""Asking ClickHouse by plain HTTP, as the reader: a client library takes longer to import than the questions take."""

import http.client
import json
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from deploy.stack.errors import StackError

if TYPE_CHECKING:
    from hotline.queries import Statement
    from hotline.settings import Settings

_TIMEOUT_S = 60.0
_SHOWN_MAX = 300


class Reader:
    """One connection, kept for all statements of a command; the password goes into a header, never into an address."""

    def __init__(self, settings: "Settings") -> None:
        from hotline.settings import password

        url = urlsplit(settings.clickhouse_url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT_S)
        self._where = f"ClickHouse at {url.scheme}://{url.netloc}"
        self._headers = {
            "X-ClickHouse-User": settings.clickhouse_reader,
            "X-ClickHouse-Key": password(settings, "reader"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, statement: "Statement") -> Sequence[Sequence[Any]]:
        """Run a statement and return its rows. Raises StackError when it is not answered."""
        # The answer is complete or an error: without the wait, an error may come in the middle of it.
        path = "/?" + urlencode({"default_format": "JSONCompact", "wait_end_of_query": "1", **statement.arguments})
        status, body = self._post(path, statement.sql)
        if status != http.client.OK:
            said = body.decode(errors="replace").strip().partition("\n")[0][:_SHOWN_MAX]
            raise StackError(f"{self._where} did not answer: {said or f'status {status}'}; see hotline status")
        found: Sequence[Sequence[Any]] = json.loads(body)["data"]
        return found

    def _post(self, path: str, sql: str) -> tuple[int, bytes]:
        try:
            self._connection.request("POST", path, body=sql.encode(), headers=self._headers)
            reply = self._connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise StackError(
                f"{self._where} cannot be reached ({error or type(error).__name__}): see hotline status"
            ) from error
