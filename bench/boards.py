"""What the boards ask for, on two years of a large city: rows read and milliseconds, against the budget.

    python -m bench.boards [--days 730] [--times 3]

Each query of a panel, a variable or an annotation is asked alone, as Grafana's reader asks it, then all of a board as
a browser asks, six at once; of several times, a minute apart as ticks are, the best counts: an engine that is asked the
same again remembers what did not match. The annual board shows the last 365 days, beside the 365 before.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bench import beside, year
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.macros import ALL_VALUE, Chosen, expand
from dashboards.words import Lang
from hotline.windows import DAY_S, HOUR_S, MINUTE_S
from tests.dashboards.asking import Asking
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dashboards.board import Board
    from hotline.settings import Settings

ZONE = "Asia/Shanghai"
LIVE_MS, ANNUAL_MS, CROSS_MS = 50, 1000, 1000
"""The budget: of a query of a live board; of all of the annual board, and of the cross tables of rows, together."""
BUDGETS = {"annual": ANNUAL_MS, "cross": CROSS_MS}
BACK_S = {"now-6h": 6 * HOUR_S, "now-24h": DAY_S, "now-7d": 7 * DAY_S}
ROOMY = ("--memory-mib", "3072")
"""A year comes in half a minute, and what merges it needs memory at the same time."""
YEAR_DAYS = 365
BROWSER_CONNECTIONS = 6
"""To one server, as all browsers have them."""
OF_ONE = ("department", "district")
"""Boards about one scope of the kind that they are named for."""


@dataclass(frozen=True)
class Cost:
    """What a query took."""

    panel: str
    sql: str
    ms: float
    rows: int


def main() -> None:
    """Store a year, then ask everything."""
    parser = argparse.ArgumentParser(prog="python -m bench.boards", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=2 * YEAR_DAYS, help="days that are stored (%(default)s)")
    parser.add_argument("--board", action="append", help="ask for this one alone; several may be given")
    parser.add_argument("--times", type=int, default=3, help="how often each query is asked (%(default)s)")
    given = parser.parse_args()
    at_s = int(time.time()) // HOUR_S * HOUR_S
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made, engine(Path(made), ZONE, *ROOMY) as settings:
        with migrated(settings) as client:
            begun = time.monotonic()
            year.store(client, at_s, days=given.days)
            year.store_tickets(client, at_s, days=given.days)
            beside.store(client, at_s, days=given.days)
            print(f"{given.days} days stored in {time.monotonic() - begun:.0f} s", flush=True)
        asking = Asking(settings)
        for board in (one for one in BOARDS if one.name in (given.board or [one.name])):
            report(
                board, costs(board, asking, at_s, times=given.times), together_ms(board, settings, at_s, given.times)
            )


def costs(board: Board, asking: Asking, at_s: int, *, times: int = 1) -> list[Cost]:
    """Ask all queries of a board as it opens at an instant, in epoch seconds, and in the minutes before it."""
    titles = [title for title, _ in _statements(board.json(Edition(Lang.EN, ZONE)))]
    every = zip(*(statements(board, at_s - again * MINUTE_S) for again in range(times)), strict=True)
    return [Cost(title, same[0], *_asked(asking, same)) for title, same in zip(titles, every, strict=True)]


def statements(board: Board, at_s: int) -> list[str]:
    """What a board asks when it opens at an instant."""
    chosen = opened(board, at_s)
    return [expand(sql, chosen) for _, sql in _statements(board.json(Edition(Lang.EN, ZONE)))]


def _statements(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """All statements of a board, by what asks them."""
    for panel in made["panels"]:
        yield from ((panel["title"], target["rawSql"]) for target in panel.get("targets", ()))
    for variable in made["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]
    for mark in made["annotations"]["list"]:
        if sql := mark["target"].get("rawSql"):
            yield f"annotation {mark['name']}", sql


def opened(board: Board, at_s: int) -> Chosen:
    """What a reader has chosen who opens a board: all scopes, but the one that the board is about; the year."""
    variables: dict[str, str | list[str]] = {kind: [ALL_VALUE] for kind in ("line", "district", "department")}
    if board.name in OF_ONE:
        variables[board.name] = [f"{board.name} 1"]
    since, until = _range(board, at_s)
    return Chosen(from_s=since, to_s=until - 1, interval_s=300, variables={**variables, "window": "today"})


def _range(board: Board, at_s: int) -> tuple[int, int]:
    midnight = datetime.fromtimestamp(at_s - 1, ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0)
    today = int(midnight.timestamp())
    if board.since == "now/d":
        return today, at_s
    if board.since == "now-1y/y":  # a year of whole days that is stored
        return today - YEAR_DAYS * DAY_S, today
    return at_s - BACK_S[board.since], at_s


def _asked(asking: Asking, same: Sequence[str]) -> tuple[float, int]:
    taken, rows = [], 0
    for sql in same:
        begun = time.perf_counter()
        rows = asking.ask(sql).read_rows
        taken.append((time.perf_counter() - begun) * 1000)
    return min(taken), rows


def together_ms(board: Board, settings: Settings, at_s: int, times: int) -> float:
    """Milliseconds until all statements are answered that a browser asks for, at minutes that nobody asked about."""
    mine = threading.local()

    def connect() -> None:
        mine.asking = Asking(settings)

    def ask(sql: str) -> None:
        mine.asking.ask(sql)

    with ThreadPoolExecutor(BROWSER_CONNECTIONS, initializer=connect) as pool:
        taken = []
        for again in range(times, 2 * times):
            asked = statements(board, at_s - again * MINUTE_S)
            begun = time.perf_counter()
            list(pool.map(ask, asked))
            taken.append((time.perf_counter() - begun) * 1000)
    return min(taken)


def report(board: Board, found: list[Cost], together: float) -> None:
    """Print what a board takes beside what it may."""
    slowest = max(found, key=lambda cost: cost.ms)
    total = sum(cost.ms for cost in found)
    part = together / BUDGETS[board.name] if board.name in BUDGETS else slowest.ms / LIVE_MS
    print(
        f"{board.name:11} {len(found):2} queries, {together:6,.0f} ms together, {total:6,.0f} ms in a row, median "
        f"{statistics.median(cost.ms for cost in found):4.0f} ms, slowest {slowest.ms:4.0f} ms ({slowest.panel}), "
        f"{sum(cost.rows for cost in found):10,} rows read: {part:.0%} of the budget",
        flush=True,
    )


if __name__ == "__main__":
    main()
