"""What the sink tells of itself: health as JSON, metrics as Prometheus text."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from hotline.health import (
    APPLY_S,
    BATCHES,
    EVENTS,
    LAG_RECORDS,
    RESIDENT_BYTES,
    TELL_EVERY_S,
    Fact,
    Teller,
    Told,
)
from hotline.marks import Mark, Partition
from hotline.names import EVENTS_TOPICS, KEPT_TOPICS
from hotline.resident import resident_bytes
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Health:
    """Counters and states, written by the threads of the sink and read by its door. Times are epoch seconds."""

    def __init__(self) -> None:
        self.started = False
        """The spool is finished and every partition is read from its mark."""
        self.epoch = 0
        self.stored: dict[Partition, Mark] = {}
        self.reached: dict[Partition, int] = {}
        """Offset that is read next."""
        self.ends: dict[Partition, int] = {}
        """High-water marks, of the last fetch."""
        self.rows: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.batches = 0
        self.apply_seconds = 0.0
        self.newest_at: int | None = None
        """Newest event stored since the start."""
        self._troubles: dict[str, str] = {}
        self._lock = threading.Lock()
        self._teller, self._tells_at = Teller("sink"), 0.0

    def trouble(self, part: str, reason: str | None) -> None:
        """Say what is wrong with a part (engine, broker), None when nothing is."""
        with self._lock:
            if reason is None:
                self._troubles.pop(part, None)
            else:
                self._troubles[part] = reason

    def stored_batch(self, moved: Mapping[Partition, Mark], rows: Mapping[str, int], newest_at: int | None) -> None:
        """Count a stored batch."""
        with self._lock:
            self.batches += 1
            self.stored = {**self.stored, **moved}
            self.rows.update(rows)
            self.newest_at = max(filter(None, (self.newest_at, newest_at)), default=None)

    def lag(self) -> dict[Partition, int]:
        """Count the records of each partition that are written and not stored."""
        return {at: max(0, end - self._done_to(at)) for at, end in sorted(self.ends.items())}

    def due_to_tell(self) -> Told | None:
        """What there is to store of the sink itself; None when it told lately.

        As if what was read were stored, for it is stored at once with these rows.
        """
        if time.monotonic() < self._tells_at:
            return None
        self._tells_at = time.monotonic() + TELL_EVERY_S
        ends = {at: end for at, end in sorted(self.ends.items()) if at[0] not in KEPT_TOPICS}
        lags = [Fact(LAG_RECORDS, max(0, end - self.reached.get(at, end)), *at) for at, end in ends.items()]
        memory = Fact(RESIDENT_BYTES, resident_bytes(os.getpid()))
        work = [Fact(BATCHES, self.batches), Fact(APPLY_S, self.apply_seconds), *self._events()]
        return self._teller.tell([memory, *work, *lags])

    def _events(self) -> Iterable[Fact]:
        for name, topic in EVENTS_TOPICS.items():
            yield Fact(EVENTS, self.rows[SUBJECTS[name].events_table], topic)

    def as_json(self, now: float) -> dict[str, Any]:
        """Tell the state at `now`."""
        lag = self.lag()
        return {
            "ready": self.started and not self._troubles,
            "epoch": self.epoch,
            "trouble": dict(self._troubles),
            "partitions": [
                {"topic": topic, "partition": partition, "position": self._stored_to((topic, partition)), "lag": behind}
                for (topic, partition), behind in lag.items()
            ],
            "lag": sum(lag.values()),
            "rows": dict(sorted(self.rows.items())),
            "batches": self.batches,
            "newest_event_age_s": None if self.newest_at is None else round(now - self.newest_at, 3),
        }

    def as_metrics(self, now: float) -> str:
        """Tell the same as Prometheus text."""
        lines: list[str] = []
        for name, kind, text, samples in self._samples(now):
            lines += [f"# HELP hotline_sink_{name} {text}", f"# TYPE hotline_sink_{name} {kind}"]
            lines += [f"hotline_sink_{name}{_labels(labels)} {value}" for labels, value in samples]
        return "\n".join(lines) + "\n"

    def _samples(self, now: float) -> Iterable[tuple[str, str, str, Sequence[tuple[Mapping[str, Any], float]]]]:
        yield "ready", "gauge", "1 when it stores what comes.", [({}, int(self.started and not self._troubles))]
        yield "epoch", "gauge", "Its epoch.", [({}, self.epoch)]
        parts = [({"part": part}, int(part in self._troubles)) for part in ("broker", "engine")]
        yield "trouble", "gauge", "1 while a part does not answer.", parts
        places = [{"topic": topic, "partition": partition} for topic, partition in sorted(self.ends)]
        lags = list(self.lag().values())
        yield "lag_records", "gauge", "Records written and not stored.", list(zip(places, lags, strict=False))
        stored = [self._stored_to(at) for at in sorted(self.ends)]
        yield "position", "gauge", "Offset that follows the last stored.", list(zip(places, stored, strict=False))
        rows = [({"table": table}, count) for table, count in sorted(self.rows.items())]
        yield "rows_total", "counter", "Rows inserted since the start.", rows
        records = [({"decision": name}, count) for name, count in sorted(self.records.items())]
        yield "records_total", "counter", "Records read since the start.", records
        yield "batches_total", "counter", "Batches stored since the start.", [({}, self.batches)]
        yield "apply_seconds_total", "counter", "Seconds spent on batches.", [({}, round(self.apply_seconds, 6))]
        if self.newest_at is not None:
            age = round(now - self.newest_at, 3)
            yield "newest_event_age_seconds", "gauge", "Age of the newest event stored since the start.", [({}, age)]

    def _done_to(self, at: Partition) -> int:
        """Offset that follows what is done with; of what each record states by itself, few have anything to store."""
        return max(self._stored_to(at), self.reached.get(at, 0) if at[0] in KEPT_TOPICS else 0)

    def _stored_to(self, at: Partition) -> int:
        return self.stored.get(at, Mark()).position


def _labels(labels: Mapping[str, Any]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""
