"""Roll: what current values cost, and how soon an event shows in them.

    python -m bench.roll

First in process, with a city of 200 departments: CPU of taking changes in and publishing, a second of live traffic
after another. Then on a whole stack: from the sending of a JSON event to the record of `hotline.kpis` that has it, the
first seconds of a stack that has just started apart; and to the database, before which an embedded broker that dies
takes it along.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.stack.joining import join_or_start
from deploy.stack.state import read_state
from hotline import live
from hotline.accept import Accepted
from hotline.catalogue import ALL
from hotline.contributions import contributions
from hotline.fold import fold, with_keys
from hotline.names import DATABASE, INTAKE_TOPIC, KPIS_TOPIC, MEASURED_TOPICS
from hotline.settings import load
from hotline.subjects import CALLS, SUBJECTS
from hotline.windows import ALL_MINUTES
from producers.simulator import CITY, day
from sinks.connecting import connect
from streams.roll.cells import cells, recent_cells
from streams.roll.publishing import Publisher
from streams.roll.scopes import Scopes
from streams.roll.state import Read, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotline.contributions import Changes
    from hotline.settings import Settings
    from hotline.subjects import Subject

ZONE = "Asia/Shanghai"
DEPARTMENTS = 200
SECONDS = 60
RATES = (1_000, 10_000)
LATENCY_S = 30.0
COLD_S = 3.0


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python -m bench.roll", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="seconds of traffic in process (%(default)s)")
    given = parser.parse_args()
    in_process(given.seconds)
    few, many = (on_a_stack(rate) for rate in RATES)
    print(
        f"sent to shown at {many.rate:,.0f} against {few.rate:,.0f} JSON events/s: "
        f"p50 {many.p50_s / few.p50_s:.2f} times, p99 {many.p99_s / few.p99_s:.2f} times"
    )


def in_process(seconds: int) -> None:
    """CPU of roll alone, as a share of one core."""
    now = datetime.now(UTC).replace(microsecond=0)
    city = CITY.scaled(CITY.tickets_per_day, CITY.calls_per_day)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    state = _state(int(now.timestamp()))
    for back in range(6, -1, -1):
        for name, frame in _few_departments(day(city, today - timedelta(days=back), 1)).items():
            subject = SUBJECTS[name]
            _take(state, subject, _changes(subject, frame.filter(pl.col("occurred_at") <= now)))
    publisher, sizes, fresh = Publisher(state), [], list(_fresh(now, seconds))
    begun = time.process_time()
    for second, changes in enumerate(fresh):
        for quarter in range(4):
            at_ms = int(now.timestamp() * 1000) + second * 1000 + quarter * 250
            for name, parts in changes.items():
                _take(state, SUBJECTS[name], parts[quarter])
            state.move(at_ms // 1000)
            record = publisher.everything(at_ms) if quarter == 0 else publisher.changed(at_ms)
            sizes += [len(record.encode())] if record else []
    spent = time.process_time() - begun
    shown = live.decode(publisher.everything(0).encode()).frame()
    departments = shown.filter(pl.col("scope_kind") == "department")["scope"].n_unique()
    print(
        f"roll in process: {departments} departments, {len(state.scopes)} scopes, {len(shown):,} values of something, "
        f"{spent / seconds:.1%} of a core, {sum(sizes) / seconds / 1024:,.0f} KiB/s published"
    )


def _few_departments(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    tickets = frames["tickets"]
    number = pl.col("department").hash() % DEPARTMENTS
    named = pl.when(pl.col("department").is_null()).then(None).otherwise(pl.format("d{}", number))
    return {**frames, "tickets": tickets.with_columns(department=named)}


def _state(at_s: int) -> State:
    read = {(topic, 0): Read(log=1, offset=0, accepted=Accepted()) for topic in MEASURED_TOPICS.values()}
    return State(ZoneInfo(ZONE), at_s, Scopes([(ALL, "")]), read)


def _changes(subject: Subject, events: pl.DataFrame) -> Changes:
    rows = fold(subject, with_keys(subject, events))
    return contributions(subject, rows, rows.clear(), ZONE, minutes_from=ALL_MINUTES)


def _take(state: State, subject: Subject, changes: Changes) -> None:
    state.add(subject.name, [cells(subject, changes.sums, state.scopes, hours_before=0)])
    state.add(subject.name, [recent_cells(subject, changes.recent, state.scopes)])


def _fresh(now: datetime, seconds: int) -> Iterator[dict[str, list[Changes]]]:
    """Changes of each quarter of a second: a busy second's share of a day's events, at the running minute."""
    draw = np.random.default_rng(1)
    frames = _few_departments(day(CITY, now.astimezone(ZoneInfo(ZONE)).date() - timedelta(days=1), 2))
    for second in range(seconds):
        changes: dict[str, list[Changes]] = {}
        for name, frame in frames.items():
            parts = [frame[draw.integers(0, len(frame), 5)] for _ in range(4)]
            at = now + timedelta(seconds=second)
            moved = [part.with_columns(occurred_at=pl.lit(at).dt.cast_time_unit("ms")) for part in parts]
            changes[name] = [_changes(SUBJECTS[name], part) for part in moved]
        yield changes


class Reached(NamedTuple):
    """How soon events were shown, at the rate at which they were really sent."""

    rate: float
    p50_s: float
    p99_s: float


def on_a_stack(rate: int) -> Reached:
    """From the sending of an event to the record that has it; CPU of roll's process meanwhile."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as made:
        settings, _ = load(Path(made))
        with join_or_start(settings, say=lambda _: None) as stack:
            told = read_state(stack.settings.folder)
            roll = next(part.pid for part in (told.parts if told else []) if part.name == "roll")
            shown, stored = _Shown(stack.settings), _Stored(stack.settings)
            cpu = psutil.Process(roll).cpu_times()
            sent = _send(stack.settings, rate)
            (cold, waits), (_, kept) = shown.waits(sent), stored.waits(sent)
            after = psutil.Process(roll).cpu_times()
            spent = after.user + after.system - cpu.user - cpu.system
    p50, p99 = _spread(waits)
    kept_p50, kept_p99 = _spread(kept)
    (first_at, first), (last_at, last) = sent[0], sent[-1]
    reached = Reached((last - first) / (last_at - first_at), p50, p99)
    print(
        f"{rate:,} JSON events/s, of which {reached.rate:,.0f} were reached: "
        f"sent to shown p50 {p50:.2f} s, p99 {p99:.2f} s ({len(waits)} instants; "
        f"at worst {max(cold):.2f} s in the first {COLD_S:.0f} s of the stack), "
        f"sent to stored p50 {kept_p50:.2f} s, p99 {kept_p99:.2f} s, at worst {max(kept):.2f} s, "
        f"roll {spent / LATENCY_S:.1%} of a core"
    )
    return reached


def _spread(waits: list[float]) -> tuple[float, float]:
    return statistics.median(waits), statistics.quantiles(waits, n=100)[98]


class _Counted(ABC):
    """How many calls had arrived somewhere, by the instant at which that was seen."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @abstractmethod
    def _counts(self) -> Iterator[int]:
        """Counts that are to be seen now."""

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.seen += [(time.monotonic(), count) for count in self._counts()]

    def waits(self, sent: list[tuple[float, int]]) -> tuple[list[float], list[float]]:
        """How long each count sent took to be seen: those of the first seconds, and the rest."""
        until = time.monotonic() + 60
        while (not self.seen or self.seen[-1][1] < sent[-1][1]) and time.monotonic() < until:
            time.sleep(0.1)
        self._stop.set()
        self._thread.join()
        waits = [(when, next(at for at, count in self.seen if count >= upto) - when) for when, upto in sent]
        warm_at = sent[0][0] + COLD_S
        return [wait for when, wait in waits if when < warm_at], [wait for when, wait in waits if when >= warm_at]


class _Shown(_Counted):
    """How many calls the city had in records of current values."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=settings.bootstrap, group_id=None, auto_offset_reset="none")
        self._consumer.assign([TopicPartition(KPIS_TOPIC, 0)])
        self._consumer.seek(TopicPartition(KPIS_TOPIC, 0), 0)
        super().__init__()

    def _counts(self) -> Iterator[int]:
        whole = (pl.col("kpi") == "calls_offered") & (pl.col("window") == "7d") & (pl.col("scope_kind") == "all")
        for records in self._consumer.poll(timeout_ms=50).values():
            for record in records:
                yield from live.decode(record.value).frame().filter(whole)["numerator"].to_list()


class _Stored(_Counted):
    """How many events of calls the database has; asked every twentieth of a second."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect(settings, "reader")
        super().__init__()

    def _counts(self) -> Iterator[int]:
        time.sleep(0.05)
        ((count,),) = self._client.query(f"SELECT count() FROM {DATABASE}.{CALLS.events_table}").result_rows  # noqa: S608 names of ours
        yield count


def _send(settings: Settings, rate: int) -> list[tuple[float, int]]:
    """Send so many calls a second for a while; when how many had been sent, ten times a second."""
    producer: Any = KafkaProducer(bootstrap_servers=settings.bootstrap, enable_idempotence=False, linger_ms=5)
    begun, count = time.monotonic(), 0
    noted: list[tuple[float, int]] = []
    with contextlib.closing(producer):
        while (passed := time.monotonic() - begun) < LATENCY_S:
            while count < passed * rate:
                producer.send(INTAKE_TOPIC, value=_call(count), partition=count % settings.partitions)
                count += 1
            if not noted or time.monotonic() - noted[-1][0] > 0.1:
                noted.append((time.monotonic(), count))
            time.sleep(0.002)
    return noted


def _call(number: int) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    event = {
        "type": "call.offered",
        "source": "bench",
        "entity": f"{uuid.uuid4().hex}-{number}",
        "direction": "inbound",
    }
    return json.dumps(event | {"born_at": at, "occurred_at": at, "line": "12345"}).encode()


if __name__ == "__main__":
    main()
