"""An engine as a process of a test, and what tests of the door share; no process outlives its block."""

from __future__ import annotations

import base64
import http.client
import io
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import clickhouse_connect
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clickhouse_connect.driver.client import Client

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60


@dataclass
class Running:
    """A started engine: its process, its folder and what it said about itself."""

    process: subprocess.Popen[bytes]
    folder: Path
    address: dict[str, Any]

    def password(self, account: str) -> str:
        return (self.folder / "secrets" / f"{account}.password").read_text().strip()

    def client(self, account: str = "writer", **more: Any) -> Client:
        return clickhouse_connect.get_client(
            host=self.address["host"],
            port=self.address["port"],
            username=account,
            password=self.password(account),
            **more,
        )

    def login(self, account: str = "writer") -> dict[str, str]:
        """Headers that say who asks."""
        return {"X-ClickHouse-User": account, "X-ClickHouse-Key": self.password(account)}

    def ask(
        self,
        body: bytes,
        *,
        account: str = "writer",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        **args: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one bare request: status, headers in lower case, body."""
        connection = http.client.HTTPConnection(self.address["host"], self.address["port"], timeout=DEADLINE_S)
        login = base64.b64encode(f"{account}:{self.password(account)}".encode()).decode()
        try:
            given = {"Authorization": f"Basic {login}"} if headers is None else headers
            connection.request(method, "/?" + urlencode(args), body=body, headers=given)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def reads(self, sql: str, **args: Any) -> tuple[int, str, bytes]:
        """Ask as the reader: status, code of the error or "", body."""
        status, headers, body = self.ask(sql.encode(), account="reader", **args)
        return status, headers.get("x-clickhouse-exception-code", ""), body

    def incoming(self) -> list[Path]:
        return [path for path in (self.folder / "data" / "incoming").rglob("*") if path.is_file()]

    def sleepers(self, count: int = 1) -> None:
        """Wait until that many sleeping statements run; the question itself is one more."""
        seen = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%'"
        with self.client() as client:
            wait_until(lambda: client.query(seen).result_rows[0][0] >= count + 1)


@contextmanager
def running(folder: Path, *more: str) -> Iterator[Running]:
    """Start an engine and wait for its address; whatever happens, no process stays."""
    address = folder / "address.json"
    address.unlink(missing_ok=True)
    with (folder / "stderr.txt").open("wb") as errors:
        process = start(folder, *more, "--address-file", str(address), stderr=errors)
        try:
            until = time.monotonic() + DEADLINE_S
            while not address.exists():
                assert process.poll() is None, (folder / "stderr.txt").read_text()
                assert time.monotonic() < until, "the engine told no address"
                time.sleep(0.02)
            yield Running(process, folder, json.loads(address.read_text()))
        finally:
            process.kill()
            process.communicate()


def start(folder: Path, *more: str, stderr: Any) -> subprocess.Popen[bytes]:
    folders = ("--data", str(folder / "data"), "--secrets", str(folder / "secrets"))
    command = [sys.executable, "-m", "sinks.engine", *folders, "--zone", "Asia/Shanghai", *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr)


def wait_until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def arrow(rows: int, *, batch: int | None = None) -> bytes:
    data = pa.table({"a": pa.array(range(rows), pa.uint64()), "b": [f"w{n % 7}" for n in range(rows)]})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, data.schema) as stream:
        stream.write_table(data, max_chunksize=batch)
    return sink.getvalue()


def count(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])  # noqa: S608 a test's own table


def parts(client: Client, table: str) -> int:
    sql = "SELECT count() FROM system.parts WHERE active AND table = {table:String}"
    return int(client.query(sql, parameters={"table": table}).result_rows[0][0])
