"""A board of a made-up minute: values of every KPI, scope and window, without a broker or an engine."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl

from cli.watch.listening import Phase
from cli.watch.pipeline import Dead, Health, Lag, Part, Sink
from cli.watch.scene import Scene
from cli.watch.trend import Trend
from deploy.stack.status import PartStatus
from hotline import ipc
from hotline.catalogue import ALL, KPIS, Better, Kpi, Quantile, Stock, Unit, scope_kinds
from hotline.current import Current, is_published
from hotline.live import COLUMNS, Live
from hotline.windows import NOW, WINDOWS

AT = datetime(2026, 3, 2, 6, 32, 7, tzinfo=UTC)
"""14:32:07 in Shanghai."""
ZONE = ZoneInfo("Asia/Shanghai")
SCOPES = {
    "line": ["12345", "尚贤", "一企来办", "法治民意"],
    "district": [
        "姑苏区",
        "苏州工业园区",
        "昆山市",
        "张家港市",
        "吴中区",
        "常熟市",
        "虎丘区",
        "吴江区",
        "太仓市",
        "相城区",
        "",
    ],
    "operator_group": ["早班一组", "早班二组", "企业服务组"],
    "department": [
        f"市{name}局"
        for name in "公安 教育 民政 财政 交通运输 水务 商务 卫生健康 市场监督管理 生态环境 城市管理".split()
    ],
}
MINUTES_OF = {"5min": 5, "30min": 30, "1h": 60, "today": 872, "7d": 8300}
OFFERED_A_MINUTE = 21.0
OF_OFFERED = {
    "calls_answered": 0.92,
    "calls_abandoned": 0.08,
    "calls_outbound": 0.17,
    "calls_waiting": 0.12,
    "calls_talking": 1.1,
    "tickets_open": 40.0,
    "tickets_overdue": 0.4,
    "tickets_due_1h": 1.3,
    "tickets_reopened": 0.01,
    "surveys_rated": 0.12,
}
"""A count for each call that is offered."""


def values(rng: random.Random) -> pl.DataFrame:
    """Values of every KPI: all of the city, and of the scopes that are named above."""
    rows = []
    for kpi in KPIS.values():
        if isinstance(kpi.numerator, Quantile):
            continue
        for kind in scope_kinds(kpi.subject):
            scopes = [""] if kind == ALL else SCOPES.get(kind, [])
            for scope in scopes:
                rows += [
                    _row(kpi, window, kind, scope, rng) for window in _windows(kpi) if is_published(kpi, window, kind)
                ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _windows(kpi: Kpi) -> list[str]:
    return [NOW] if isinstance(kpi.numerator, Stock) else [window.name for window in WINDOWS]


def _row(kpi: Kpi, window: str, kind: str, scope: str, rng: random.Random) -> tuple[object, ...]:
    minutes = MINUTES_OF.get(window, 4)
    of_offered = OF_OFFERED.get(kpi.name, 1.0 if kpi.subject.name == "calls" else 0.3)
    count = round(OFFERED_A_MINUTE * minutes * of_offered * _part(kind, scope) * rng.uniform(0.97, 1.03))
    if kpi.denominator is None:
        return kpi.name, window, kind, scope, count, None, float(count)
    if kpi.unit is Unit.SHARE:
        near = kpi.target or (0.7 if kpi.better is Better.HIGHER else 0.05)
        numerator = round(count * min(1.0, max(0.0, rng.gauss(near, near * (1 - near) / 6))))
    else:
        each = {Unit.SECONDS: 240 if "talk" in kpi.name else 19, Unit.DAYS: 3 * 86_400, Unit.WORKDAYS: 3}[kpi.unit]
        numerator = round(count * each * rng.uniform(0.9, 1.1))
    value = kpi.value(numerator, count)
    return kpi.name, window, kind, scope, numerator, count, None if value is None else float(value)


def _part(kind: str, scope: str) -> float:
    """The part of the city that a scope has; all of a kind together are the city."""
    if kind == ALL:
        return 1.0
    weights = [1 / (place + 2) for place in range(len(SCOPES[kind]))]
    return weights[SCOPES[kind].index(scope)] / sum(weights)


def full(frame: pl.DataFrame, *, at: datetime = AT, sequence: int = 1) -> Live:
    """A full record of values."""
    at_s = int(at.timestamp())
    newest = {"calls": at_s - 2, "tickets": at_s - 11}
    return Live(sequence=sequence, as_of_ms=at_s * 1000, full=True, newest_at=newest, values=ipc.encode(frame))


def trend(rng: random.Random) -> Trend:
    """The hour before, for every KPI."""
    minutes = {}
    for kpi in KPIS.values():
        if isinstance(kpi.numerator, Quantile):
            continue
        level, share, pairs = 20.0, 0.8, []
        for _ in range(60):
            level = max(4.0, level + rng.uniform(-3, 3))
            share = min(1.0, max(0.4, share + rng.uniform(-0.05, 0.05)))
            pairs.append((round(level * share * 10), round(level * 10)) if kpi.denominator else (round(level), None))
        minutes[kpi.name] = pairs
    return Trend(int(AT.timestamp()) // 60 * 60, minutes)


def health() -> Health:
    """A pipeline with a little of everything."""
    parts = [
        Part(PartStatus("engine", True, "ready", 4101, "http://127.0.0.1:21873"), 0, 93_000),
        Part(PartStatus("broker", True, "ready", 4177, "127.0.0.1:24410"), 0, 93_000),
        Part(PartStatus("sink", True, "ready", 4202, "http://127.0.0.1:23007"), 0, 92_990),
        Part(PartStatus("worker-0", False, "starting", 9981, "", ("intake", "measure", "roll")), 2, 3),
    ]
    lags = [
        Lag(f"hotline.{name}.measured", number, 81_234, number * 3)
        for name in ("calls", "tickets")
        for number in (0, 1)
    ]
    sink = Sink(True, {}, lags, 2.0, 143.2, 4.1, 0.034)
    dead = [Dead("unknown_ticket", 3, 17), Dead("bad_value", 0, 240)]
    return Health("running", parts, sink, dead)


@cache
def _record(seed: int) -> Live:
    return full(values(random.Random(seed)))


def scene(*, silent_s: float = 0.4, seed: int = 7, phase: Phase = Phase.VALUES) -> Scene:
    """The board's picture of that minute."""
    current = Current()
    current.take(_record(seed), 0)
    return Scene(current, phase, silent_s, trend(random.Random(seed)), health(), ZONE)
