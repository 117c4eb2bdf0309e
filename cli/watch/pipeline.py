"""How the pipeline does: its parts, how far the sink is, and what could not be counted."""

import http.client
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotline.names import DATABASE, DEAD_LETTERS_TABLE

if TYPE_CHECKING:
    from deploy.stack.status import PartStatus
    from hotline.queries import Ask
    from hotline.settings import Settings

TIMEOUT_S = 2.0
RATE_OVER_S = 30.0
"""Rates are taken over this span: batches come in bursts."""
_RECENT_S = 3600
_APPLY = "hotline_sink_apply_seconds_total"


@dataclass(frozen=True)
class Part:
    """A part of the stack; `restarts` are those seen since the board began to look, `up_s` the age of its process."""

    status: "PartStatus"
    restarts: int
    up_s: float | None


@dataclass(frozen=True)
class Lag:
    """Records of a measured partition that are written and not stored."""

    topic: str
    partition: int
    position: int
    records: int


@dataclass(frozen=True)
class Sink:
    """What the sink tells; rates are None until it was asked twice."""

    ready: bool
    troubles: Mapping[str, str]
    lags: Sequence[Lag]
    newest_age_s: float | None
    events_a_s: float | None
    batches_a_s: float | None
    insert_s: float | None
    """Seconds spent on a batch, on the average."""

    @property
    def lag(self) -> int:
        """Records of all partitions that are not stored."""
        return sum(lag.records for lag in self.lags)


@dataclass(frozen=True)
class Dead:
    """Dead letters of one reason: of the last hour, and all."""

    reason: str
    recent: int
    total: int


@dataclass(frozen=True)
class Health:
    """Everything at once; `sink` and `dead` None when they did not answer."""

    state: str
    parts: Sequence[Part]
    sink: Sink | None
    dead: Sequence[Dead] | None

    @property
    def dead_recent(self) -> int | None:
        """Dead letters of the last hour."""
        return None if self.dead is None else sum(dead.recent for dead in self.dead)


@dataclass(frozen=True)
class _Sample:
    """The sink's counters at a time of the monotonic clock."""

    at_s: float
    events: int
    batches: int
    apply_s: float


class Pipeline:
    """Asks, and remembers what it takes to tell rates and restarts."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._pids: dict[str, int] = {}
        self._restarts: dict[str, int] = {}

    def look(self, asked: "Settings", running: "Settings | None", ask: "Ask | None") -> Health:
        """Look at everything once; `running` are the settings with the addresses of the parts."""
        from deploy.stack.status import look

        found = look(asked)
        return Health(
            state=found.state if found.parts or found.state != "stopped" or running is None else "foreign",
            parts=[self._part(part) for part in found.parts],
            sink=self._sink(running.sink_health_port) if running and running.sink_health_port else None,
            dead=read_dead(ask) if ask else None,
        )

    def _part(self, status: "PartStatus") -> Part:
        before = self._pids.get(status.name)
        if status.pid is not None:
            if before not in {None, status.pid}:
                self._restarts[status.name] = self._restarts.get(status.name, 0) + 1
            self._pids[status.name] = status.pid
        return Part(status, self._restarts.get(status.name, 0), _up_s(status.pid))

    def _sink(self, port: int) -> Sink | None:
        body, metrics = _get(port, "/health"), _get(port, "/metrics")
        if body is None or metrics is None:
            return None
        try:
            told = json.loads(body)
            return self._told(told, _metric(metrics, _APPLY))
        except (ValueError, KeyError, TypeError):  # something else answers there
            return None

    def _told(self, told: Mapping[str, Any], apply_s: float) -> Sink:
        events = sum(count for table, count in told["rows"].items() if table.endswith("_events"))
        now = _Sample(time.monotonic(), events, int(told["batches"]), apply_s)
        first = self._first_sample(now)
        span_s, batches = now.at_s - first.at_s, now.batches - first.batches
        return Sink(
            ready=bool(told["ready"]),
            troubles=told["trouble"],
            lags=[Lag(at["topic"], at["partition"], at["position"], at["lag"]) for at in told["partitions"]],
            newest_age_s=told["newest_event_age_s"],
            events_a_s=(now.events - first.events) / span_s if span_s else None,
            batches_a_s=batches / span_s if span_s else None,
            insert_s=(now.apply_s - first.apply_s) / batches if batches else None,
        )

    def _first_sample(self, now: _Sample) -> _Sample:
        """Keep a sample; the oldest that counts, `now` itself when there is no other."""
        if self._samples and self._samples[-1].batches > now.batches:
            self._samples.clear()  # the sink began anew
        self._samples.append(now)
        while now.at_s - self._samples[0].at_s > RATE_OVER_S:
            self._samples.popleft()
        return self._samples[0]


def read_dead(ask: "Ask") -> "Sequence[Dead]":
    """Count dead letters by reason, those with most in the last hour first."""
    from hotline.queries import Statement

    rows = ask(
        Statement(
            "SELECT reason, countIf(set_aside_at >= now() - {recent:UInt32}), count() "  # noqa: S608 names of ours
            f"FROM {DATABASE}.{DEAD_LETTERS_TABLE} GROUP BY reason ORDER BY 2 DESC, 3 DESC, 1",
            {"recent": _RECENT_S},
        )
    )
    return [Dead(str(reason), int(recent), int(total)) for reason, recent, total in rows]


def _get(port: int, path: str) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _metric(text: str, name: str) -> float:
    """The value of a metric without labels. Raises ValueError when it is not there."""
    for line in text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    raise ValueError(f"no metric {name}")


def _up_s(pid: int | None) -> float | None:
    import psutil

    if pid is None:
        return None
    try:
        return max(0.0, time.time() - float(psutil.Process(pid).create_time()))
    except psutil.Error:
        return None
