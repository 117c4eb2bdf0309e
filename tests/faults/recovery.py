"""How soon a stack is caught up after something broke: how soon what is sent now is stored."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from hotline.blocks import complete, pack
from hotline.subjects import SUBJECTS
from tests.e2e.sending import send_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotline.blocks import Block
    from tests.e2e.stacks import Hotline

ENTITIES_A_PARTITION = 16


@dataclass
class Diary:
    """What happened in a run, also in one that failed."""

    faults: list[str] = field(default_factory=list)
    """As they are named."""
    bites: Counter[str] = field(default_factory=Counter)
    """Fault → how often it met something that it broke."""
    killed: Counter[str] = field(default_factory=Counter)
    """Part → how many of its processes were killed."""
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    """A fault, and after how many seconds what was sent then was stored."""


def spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, what nineteen in twenty did not pass, and the largest."""
    return statistics.median(seconds), sorted(seconds)[-(-len(seconds) * 19 // 20) - 1], max(seconds)


def stored_after_s(hotline: Hotline, blocks: Iterable[Block], broken_at: float) -> float:
    """Seconds from `broken_at` (of the monotonic clock) until blocks that are sent now are stored."""
    send_blocks(hotline, blocks)
    return time.monotonic() - broken_at


def calls_now(partitions: int, name: str) -> list[Block]:
    """Calls of this moment that nobody told before, to every partition."""
    now = datetime.now(UTC).replace(microsecond=0)
    calls = [
        {"type": "call.offered", "source": "probe", "entity": f"{name}-{number}", "born_at": now, "occurred_at": now}
        for number in range(partitions * ENTITIES_A_PARTITION)
    ]
    frame = complete(SUBJECTS["calls"], pl.DataFrame(calls).with_columns(direction=pl.lit("inbound")))
    blocks = list(pack(SUBJECTS["calls"], frame, partitions))
    assert {block.partition for block in blocks} == set(range(partitions)), "a partition got none"
    return blocks
