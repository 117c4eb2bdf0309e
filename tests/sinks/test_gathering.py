"""How long a batch is gathered: bulk longer than live traffic, but never long after the last record of a load."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from hotline.marks import Mark
from hotline.measured import UNKNOWN, Measured, Verdicts
from hotline.names import MEASURED_TOPICS
from hotline.settings import load
from hotline.subjects import CALLS
from sinks.writer import gatherer as gathering
from sinks.writer.gatherer import BULK_EVENTS, BULK_PATIENCE, BULK_QUIET, POLL_S, Gatherer, LineStoppedError
from sinks.writer.health import Health
from sinks.writer.options import from_settings
from tests.sinks.sinking import Outputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sinks.writer.reader import Reader

AT = (MEASURED_TOPICS["calls"], 0)


@dataclass
class Log:
    """Records of one partition that come at given seconds, and the clock that a poll moves on."""

    due: deque[tuple[float, Measured]]
    seconds: float = 0.0
    read: int = 0
    numbers: list[int] | None = None
    """Offsets of the records; from 0 on where none are given."""
    partitions: list[tuple[str, int]] = field(default_factory=lambda: [AT])

    def seek(self, positions: Any) -> None:
        del positions

    def ends(self) -> dict[tuple[str, int], int]:
        return {}

    def monotonic(self) -> float:
        return self.seconds

    def poll(self, timeout_s: float) -> list[tuple[tuple[str, int], list[Any]]]:
        until = self.seconds + timeout_s
        if not self.due or self.due[0][0] > until:
            self.seconds = until
            return []
        self.seconds = max(self.seconds, self.due[0][0])
        record = _Record(self.numbers[self.read] if self.numbers else self.read, self.due.popleft()[1].encode())
        self.read += 1
        return [(AT, [record])]


@dataclass
class _Record:
    offset: int
    value: bytes


def gathered(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_seconds: list[float],
    events: int,
    tables: Mapping[str, bytes] = MappingProxyType({}),
    **limits: int,
) -> tuple[int, float]:
    """Records in the first batch when they come at those seconds, and seconds from its first until it is closed."""
    made = Outputs()
    verdicts = Verdicts(counted=events)
    outputs = [
        msgspec.structs.replace(made.output(CALLS, 0), verdicts=verdicts, tables=dict(tables)) for _ in at_seconds
    ]
    log = Log(deque(zip(at_seconds, outputs, strict=True)))
    monkeypatch.setattr(gathering, "time", log)
    given = {f"HOTLINE_{name.upper()}": str(limit) for name, limit in limits.items()}
    options = from_settings(load(folder, {"HOTLINE_BOOTSTRAP": "127.0.0.1:1", **given})[0])
    reader = cast("Reader", log)
    chosen = Gatherer(reader, options, Health(), check=lambda *_: None)
    chosen.start({AT[0]: 1})
    batch = chosen.gather(busy=lambda: False, ended=lambda: False)
    assert batch is not None
    return log.read, log.seconds - at_seconds[0]


@pytest.fixture
def wait_s(tmp_path: Path) -> float:
    return from_settings(load(tmp_path, {"HOTLINE_BOOTSTRAP": "127.0.0.1:1"})[0]).gather_seconds


def test_live_traffic_is_stored_at_its_beat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_s: float) -> None:
    _, seconds = gathered(tmp_path, monkeypatch, [0.1 * number for number in range(100)], events=BULK_EVENTS - 1)
    assert seconds <= wait_s + POLL_S


def test_bulk_is_gathered_longer_while_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_s: float) -> None:
    every_s = wait_s * BULK_QUIET * 0.9
    records, seconds = gathered(tmp_path, monkeypatch, [every_s * number for number in range(100)], events=BULK_EVENTS)
    assert wait_s * BULK_PATIENCE <= seconds <= wait_s * BULK_PATIENCE + every_s
    assert records > 2


def test_the_last_of_a_load_does_not_wait_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_s: float
) -> None:
    records, seconds = gathered(tmp_path, monkeypatch, [0.0, 0.01, 0.02], events=BULK_EVENTS)
    assert records == 3
    assert seconds <= 0.02 + wait_s * BULK_QUIET + POLL_S


def test_a_batch_that_is_full_is_closed_at_the_output_that_fills_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By rows, or by bytes; what comes after it waits for the next one."""
    at_once = [0.0] * 20
    assert gathered(tmp_path, monkeypatch, at_once, events=4, batch_rows_max=10) == (3, 0.0)
    tables = Outputs().output(CALLS, 0, entities=3_000).tables
    size, bound = sum(map(len, tables.values())), 1 << 20
    assert size < bound
    fills = -(-bound // size)
    assert gathered(tmp_path, monkeypatch, at_once, 4, tables, batch_bytes_max=bound) == (fills, 0.0)


@pytest.mark.parametrize(
    ("numbers", "taken", "said"),
    [
        ([0, 2, 3], [0, 1, 2], "offset 2 came where 1 was due: the log lost records"),
        ([0, 1, 2], [0, 2, 3], "offset 1: .* after log 1 offset 0 .* outputs between them are missing"),
    ],
    ids=["offsets", "sources"],
)
def test_a_hole_in_the_log_or_between_outputs_stops_the_line_after_what_came_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[int], taken: list[int], said: str
) -> None:
    made = Outputs()
    outputs = [made.output(CALLS, 0, upon=UNKNOWN) for _ in range(4)]
    log = Log(deque((0.0, outputs[number]) for number in taken), numbers=numbers)
    monkeypatch.setattr(gathering, "time", log)
    options = from_settings(load(tmp_path, {"HOTLINE_BOOTSTRAP": "127.0.0.1:1"})[0])
    chosen = Gatherer(cast("Reader", log), options, Health(), check=lambda *_: None)
    chosen.start({AT[0]: 1})
    batch = chosen.gather(busy=lambda: False, ended=lambda: False)
    assert batch is not None
    assert [move.after.position for move in batch.moves] == [1]
    for _ in range(2):
        with pytest.raises(LineStoppedError, match=said):
            chosen.gather(busy=lambda: False, ended=lambda: False)


def test_a_mark_of_a_later_log_than_the_current_one_stops_the_line(tmp_path: Path) -> None:
    """A database that knows more than its broker: a folder was put back to an older state, and not the other one."""
    health = Health()
    health.stored = {AT: Mark(log=3, position=7)}
    options = from_settings(load(tmp_path, {"HOTLINE_BOOTSTRAP": "127.0.0.1:1"})[0])
    chosen = Gatherer(cast("Reader", Log(deque())), options, health, check=lambda *_: None)
    with pytest.raises(LineStoppedError, match="stored up to log 3, but its current log is 2"):
        chosen.start({AT[0]: 2})
