"""Requests against a real engine's door, over real connections."""

from __future__ import annotations

import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.fuzz.odd_requests import request
from tests.fuzz.targets import Case, Stopwatch, claim
from tests.sinks.engines import Running, running

BOUNDS = (
    "--reader-seconds",
    "1",
    "--reader-mib",
    "64",
    "--light-mib",
    "32",
    "--body-mib",
    "32",
    "--memory-mib",
    "1024",
)
WAITING_S = 0.4
"""So long a request that need not be whole is waited for."""
ANSWER_S_MAX = 60.0
ANSWER_BYTES_MAX = 4 << 20
LOGIN = "@login@"
"""Stands in a case for a reader's login, which every engine makes anew."""
PROBE_EVERY = 50


class Door:
    """Each case is one request."""

    cpu_s_max = 4.0  # a reader's second on two threads, and what parsing, merges and the log take beside it
    passed_s_max = 3.0  # a reader's second, and the engine's own watch, which looks at it now and then
    records_per_case = 1

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self._asked = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Run an engine with a table of three rows that nobody may change."""
        with tempfile.TemporaryDirectory() as folder, running(Path(folder), *BOUNDS) as engine:
            self._engine, self._process = engine, psutil.Process(engine.process.pid)
            self.pid = engine.process.pid
            with engine.client() as client:
                client.command("CREATE TABLE canary (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
                client.command("INSERT INTO canary VALUES (1, 'x'), (2, 'y'), (3, 'z')")
            yield
            self._probe()

    def case(self, draw: random.Random) -> Case:
        """Make a request."""
        sent, whole = request(draw, [LOGIN])
        return Case(1, sent, whole)

    def judge(self, case: Case) -> Counter[str]:
        """Send it, and take the answer."""
        login = "\r\n".join(f"{name}: {value}" for name, value in self._engine.login("reader").items())
        before_s, at_s = self._cpu_s(), time.perf_counter()
        answer = answer_to(self._engine, case.value.replace(LOGIN.encode(), login.encode()), whole=case.more)
        self._asked += 1
        claim(self._engine.process.poll() is None, f"the engine died: {self._said()}")
        self.watch.spent_s += self._cpu_s() - before_s
        self.watch.passed_s += time.perf_counter() - at_s
        claim(b"root:x:0" not in answer, "a file of the host came out")
        claim(self._engine.password("writer").encode() not in answer, "a password came out")
        claim(b"X-ClickHouse-Exception-Code: 1001\r\n" not in answer, f"the door failed inside: {self._said()}")
        if self._asked % PROBE_EVERY == 0:
            self._probe()
        status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/1.") else b"cut off"
        return Counter({f"status {status.decode(errors='replace')}": 1})

    def _probe(self) -> None:
        """An ordinary question is answered, nothing was changed, and nothing lies about."""
        status, code, body = self._engine.reads("SELECT count(), sum(a) FROM canary")
        claim((status, body) == (200, b"3\t6\n"), f"the engine answers {status} {code} {body[:200]!r}")
        claim(self._engine.incoming() == [], f"files of requests stay: {self._engine.incoming()}")

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _said(self) -> str:
        return (self._engine.folder / "stderr.txt").read_text(errors="replace")[-2000:]


def answer_to(engine: Running, sent: bytes, *, whole: bool) -> bytes:
    """What the door sends back, or the beginning of much; a request that is not whole is given up soon."""
    taken = bytearray()
    patience_s = ANSWER_S_MAX if whole else WAITING_S
    with socket.create_connection((engine.address["host"], engine.address["port"]), timeout=patience_s) as line:
        try:
            line.sendall(sent)
            while (piece := line.recv(1 << 16)) and len(taken) < ANSWER_BYTES_MAX:
                taken += piece
        except ConnectionError:
            pass  # it was cut off
        except TimeoutError:
            claim(not whole, f"no answer for {ANSWER_S_MAX} s")
    return bytes(taken)
