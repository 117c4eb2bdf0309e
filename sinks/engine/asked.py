"""One request on its way through the door: what is known of it so far, for its answer and for the query log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinks.engine.query_log import Entry, now, shown

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

    from aiohttp import web

    from sinks.engine.accounts import Account
    from sinks.engine.bodies import Cutter
    from sinks.engine.session import Answer, Job


@dataclass
class Asked:
    """A request, its account and statement once they are known, and when it came and ran (monotonic seconds).

    `result` is where the engine writes to while it runs, by which it is known there; `begun` is the last line of a head
    that is already on its way.
    """

    request: web.Request
    query_id: str
    at: datetime = field(default_factory=now)
    came_s: float = field(default_factory=time.monotonic)
    ran_s: float | None = None
    account: Account | None = None
    cutter: Cutter | None = None
    job: Job | None = None
    result: str = ""
    begun: str = ""

    @property
    def agent(self) -> str:
        """How the client calls itself; Grafana names its user there."""
        return printable(self.request.headers.get("User-Agent", ""))

    @property
    def asker(self) -> Hashable:
        """Whose turn it uses up: many clients share an account, so its address and name tell them apart."""
        return self.request.remote, self.request.headers.get("User-Agent", ""), self.request.query.get("quota_key", "")

    def writes_to(self, path: str) -> None:
        """Say where its result goes to."""
        self.result = path

    def runs(self) -> None:
        """Say that its turn has come."""
        self.ran_s = time.monotonic()

    def entry(self, *, code: int = 0, error: str = "", answer: Answer | None = None) -> Entry:
        """Write what the query log keeps of it, when it is over."""
        over_s, ran_s = time.monotonic(), self.ran_s
        return Entry(
            at=self.at,
            user=str(self.account or ""),
            client=self.request.remote or "",
            agent=self.agent,
            query_id=self.query_id,
            query=self._statement(),
            code=code,
            error=error[:1000],
            waited_ms=round(((over_s if ran_s is None else ran_s) - self.came_s) * 1e3, 3),
            ran_ms=_ran_ms(answer, ran_s, over_s),
            read_rows=answer.read_rows if answer else 0,
            read_bytes=answer.read_bytes if answer else 0,
            written_rows=answer.written_rows if answer else 0,
            result_rows=answer.result_rows if answer else 0,
            result_bytes=answer.result.size if answer else 0,
        )

    def _statement(self) -> str:
        if self.cutter is None:
            return ""
        return shown(self.cutter.sql, self.cutter.clause.end if self.cutter.clause else None)


def _ran_ms(answer: Answer | None, ran_s: float | None, over_s: float) -> float:
    """Time in the engine; where it failed, time since its turn came."""
    if answer:
        return round(answer.elapsed_ns / 1e6, 3)
    return 0.0 if ran_s is None else round((over_s - ran_s) * 1e3, 3)


def printable(text: str) -> str:
    """Keep what may stand in a header: visible ASCII, 128 characters of it."""
    return "".join(c for c in text if c.isascii() and c.isprintable())[:128]
