"""The door of the embedded engine: what it costs beside the engine itself, and what readers cost a load.

Ratios come from one run; on a machine that is busy otherwise the times say little and the ratios more.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import io
import json
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import psutil
import pyarrow as pa

from deploy.ports import free_port

ZONE = "Asia/Shanghai"
ROUNDS = 3
READY = "ready\n"
ROWS = 100_000
CALLS = (
    "CREATE TABLE calls (entity String, born_at DateTime64(3, 'UTC'), offered_at DateTime64(3, 'UTC'), "
    "answered_at Nullable(DateTime64(3, 'UTC')), wait_s Float64, talk_s Float64, district LowCardinality(String), "
    "line LowCardinality(String), answered Bool, version UInt32) ENGINE = MergeTree ORDER BY (born_at, entity)"
)
FILL_CALLS = (
    "INSERT INTO calls SELECT concat('call-', toString(cityHash64(number))), toDateTime64(1677600000 + number, 3), "
    "toDateTime64(1677600000 + number, 3), if(number % 9 = 0, NULL, toDateTime64(1677600020 + number, 3)), "
    "number % 77 / 3, number % 601 / 7, concat('district ', toString(number % 10)), toString(number % 5), "
    "number % 9 != 0, number % 4 FROM numbers(100000)"
)
RESULT = "SELECT * FROM calls"
SUMS = (
    "CREATE TABLE sums (minute DateTime, scope UInt16, answered Int32, within Int32) "
    "ENGINE = SummingMergeTree ORDER BY (minute, scope)"
)
FILL = (
    "INSERT INTO sums SELECT toDateTime('2023-03-01 00:00:00') + intDiv(number, 200) * 60, number % 200, "
    "number % 13, number % 7 FROM numbers(288000)"
)
BOARD = (
    "SELECT scope, sum(within) / nullIf(sum(answered), 0) AS share FROM sums "
    "WHERE minute >= toDateTime('2023-03-01 22:00:00') GROUP BY scope ORDER BY scope"
)
LOADED = (
    "CREATE TABLE loaded (at DateTime64(3), entity UInt64, kind LowCardinality(String), value Int64) "
    "ENGINE = MergeTree ORDER BY (at, entity) SETTINGS non_replicated_deduplication_window = 1000"
)


class Engine:
    """A started engine, asked over connections that stay open."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.secrets = folder / "secrets"
        address = folder / "address.json"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sinks.engine", "--data", str(folder / "data"), "--secrets", str(self.secrets)),
                *("--zone", ZONE, "--port", str(self.port), "--address-file", str(address)),
            ],
            stdout=subprocess.DEVNULL,
        )
        while not address.exists():
            time.sleep(0.05)

    def login(self, account: str) -> dict[str, str]:
        password = (self.secrets / f"{account}.password").read_text().strip()
        return {"Authorization": "Basic " + base64.b64encode(f"{account}:{password}".encode()).decode()}

    def cpu_s(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def resident_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)


class Line:
    """One open connection."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._login = engine.login(account)
        self._connection = http.client.HTTPConnection("127.0.0.1", engine.port)

    def ask(self, body: bytes, **args: str) -> bytes:
        self._connection.request("POST", "/?" + urlencode(args), body=body, headers=self._login)
        reply = self._connection.getresponse()
        found = reply.read()
        if reply.status != 200:
            raise RuntimeError(found.decode(errors="replace"))
        return found


@contextmanager
def started() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        try:
            yield engine
        finally:
            engine.process.kill()
            engine.process.wait()


def timed(work: Callable[[], Any], times: int) -> list[float]:
    """Milliseconds of each of `times` runs, the shortest first."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append((time.perf_counter() - begun) * 1e3)
    return sorted(found)


def smallest(engine: Engine, times: int) -> None:
    line = Line(engine, "reader")
    timed(lambda: line.ask(b"SELECT 1"), 50)
    before = engine.cpu_s()
    found = timed(lambda: line.ask(b"SELECT 1"), times)
    cpu = (engine.cpu_s() - before) / times * 1e3
    print(f"SELECT 1            {found[times // 2]:8.2f} ms median, {found[times // 10]:.2f} ms best tenth")
    print(f"                    {cpu:8.2f} ms CPU of the engine")


def rows(engine: Engine, times: int) -> None:
    """Compare with the engine in this process, turn by turn: best of all turns, and CPU of all of them."""
    from chdb.state.sqlitelike import connect

    owner, line = Line(engine, "writer"), Line(engine, "reader")
    with tempfile.TemporaryDirectory() as folder:
        inside = connect(str(Path(folder) / "store"))
        for sql in (CALLS, FILL_CALLS):
            owner.ask(sql.encode())
            inside.query(sql)
        for name in ("Native", "ArrowStream"):
            mine, door, mine_cpu, door_cpu = [], [], 0.0, engine.cpu_s()
            for _ in range(times):
                before = time.process_time()
                mine += timed(partial(in_process, inside, name), 1)
                mine_cpu += time.process_time() - before
                door += timed(partial(line.ask, RESULT.encode(), default_format=name), 1)
            door_cpu = engine.cpu_s() - door_cpu
            print(
                f"{ROWS:,} rows {name:12} {min(door):8.1f} ms, in process {min(mine):.1f} ms: "
                f"{min(mine) / min(door):.2f} x; CPU {door_cpu / times * 1e3:.1f} and {mine_cpu / times * 1e3:.1f} ms: "
                f"{mine_cpu / door_cpu:.2f} x"
            )
        inside.close()


def in_process(inside: Any, name: str) -> bytes:
    return bytes(inside.query(RESULT, name).bytes())


def block(number: int, size: int) -> bytes:
    at = pa.array([1_677_600_000_000 + number * 1000 + n % 1000 for n in range(size)], pa.timestamp("ms"))
    kinds = pa.array([("offered", "answered", "ended")[n % 3] for n in range(size)])
    data = {"at": at, "entity": pa.array(range(size), pa.uint64()), "kind": kinds, "value": pa.array(range(size))}
    table = pa.table(data)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


class Load:
    """One writer at full speed."""

    def __init__(self, engine: Engine, size: int) -> None:
        self._line = Line(engine, "writer")
        self._blocks = [block(number, size) for number in range(8)]
        self._size = size
        self._sent = 0

    def run(self, seconds: float) -> float:
        """Insert into an empty table for that long; gives rows a second."""
        self._line.ask(b"TRUNCATE TABLE loaded")
        begun, rows = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            self._sent += 1
            args = {"query": "INSERT INTO loaded FORMAT ArrowStream", "insert_deduplication_token": str(self._sent)}
            self._line.ask(self._blocks[self._sent % len(self._blocks)], **args)
            rows += self._size
        return rows / (time.perf_counter() - begun)


async def read(engine: Engine, count: int, seconds: float, rest: float) -> list[float]:
    """`count` readers, each with a board that asks, rests and asks again; milliseconds of every answer."""
    found: list[float] = []
    until = time.perf_counter() + seconds
    address = f"http://127.0.0.1:{engine.port}/"
    connector = aiohttp.TCPConnector(limit=0)

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        await asyncio.sleep(rest * number / count)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            async with session.post(address, data=BOARD, headers={"User-Agent": f"board {number}"}) as reply:
                body = await reply.read()
            if reply.status != 200:
                raise RuntimeError(body.decode(errors="replace"))
            found.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(rest)

    async with aiohttp.ClientSession(connector=connector, headers=engine.login("reader")) as session:
        await asyncio.gather(*(one(session, number) for number in range(count)))
    return sorted(found)


def beside(engine: Engine, count: int, seconds: float, rest: float) -> None:
    """Measure the load alone and beside readers, three times each, one after the other."""
    owner = Line(engine, "writer")
    for sql in (SUMS, FILL, LOADED):
        owner.ask(sql.encode())
    load = Load(engine, 50_000)
    load.run(2)
    found, ratios = [], []
    for _ in range(ROUNDS):
        alone = load.run(seconds / ROUNDS)
        answers, together = with_readers(engine, load, [str(count), str(seconds / ROUNDS), str(rest)])
        found += answers
        ratios.append(together / alone)
        print(f"load                {alone:,.0f} rows/s alone, {together:,.0f} beside readers: {ratios[-1]:.2f} x")
    found.sort()
    p50, p99 = (found[math.ceil(q * len(found)) - 1] for q in (0.5, 0.99))
    print(f"{count} readers, {len(found) / seconds:,.0f} queries/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"load beside readers {sorted(ratios)[ROUNDS // 2]:.2f} x of its speed alone (median)")


def with_readers(engine: Engine, load: Load, told: list[str]) -> tuple[list[float], float]:
    """Let readers ask from a process of their own while the load runs."""
    seconds, rates = float(told[1]), list[float]()
    command = [sys.executable, "-m", "bench.door", "--read", json.dumps([engine.port, str(engine.secrets)])]
    options = [part for pair in zip(("--readers", "--seconds", "--rest"), told, strict=True) for part in pair]
    readers = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if readers.stdout is None or readers.stdout.readline() != READY:  # starting costs what must not be measured
        raise RuntimeError("the readers did not start")
    thread = threading.Thread(target=lambda: rates.append(load.run(seconds)))
    thread.start()
    answers: list[float] = json.loads(readers.communicate("go\n")[0])
    thread.join()
    return answers, rates[0]


def only_read(told: str, asked: argparse.Namespace) -> None:
    """Be the readers' process of `beside`."""
    port, secrets = json.loads(told)
    engine = Engine.__new__(Engine)
    engine.port, engine.secrets = port, Path(secrets)
    sys.stdout.write(READY)
    sys.stdout.flush()
    sys.stdin.readline()
    print(json.dumps(asyncio.run(read(engine, asked.readers, asked.seconds, asked.rest))))


def large(engine: Engine) -> None:
    before, most, stop = engine.resident_mib(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.02):
            most = max(most, engine.resident_mib())

    thread = threading.Thread(target=watch)
    thread.start()
    begun = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", engine.port)
    asked = urlencode({"query": "SELECT number, number FROM numbers(67108864)", "default_format": "Native"})
    line.request("GET", f"/?{asked}", headers=engine.login("writer"))
    reply, size = line.getresponse(), 0
    while piece := reply.read(1 << 20):
        size += len(piece)
    seconds = time.perf_counter() - begun
    stop.set()
    thread.join()
    print(
        f"{size / 2**30:.2f} GiB in one result   {size / 2**20 / seconds:,.0f} MiB/s, resident {before:.0f} MiB before"
    )
    print(f"                    {most:.0f} MiB at most meanwhile")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rest", type=float, default=5.0, help="seconds between two questions of one board")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        only_read(asked.read, asked)
        return
    with started() as engine:
        smallest(engine, asked.times)
        rows(engine, max(asked.times // 20, 5))
        large(engine)
        beside(engine, asked.readers, asked.seconds, asked.rest)


if __name__ == "__main__":
    main()
