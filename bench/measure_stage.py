"""Measure alone, in one process and without a broker: microseconds of CPU an event, by stage.

python -m bench.measure_stage [DAYS]
"""

from __future__ import annotations

import functools
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import polars as pl

from bench.workload import WARM_DAYS, ZONE, day_blocks, paired
from hotline.blocks import decode
from hotline.measured import Source
from hotline.subjects import SUBJECTS, Subject
from streams.measure import memory, output, step
from streams.measure.line import tables

PARTITIONS = 2
spent: dict[str, float] = defaultdict(float)


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        begun = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - begun

    return call


class Forgetful:
    """A store that has nothing of the few tickets that come back after they were at rest: it costs no time here."""

    def days(self, subject: Subject, partition: int) -> set[int]:
        return set()

    def by_day(self, subject: Subject, partition: int, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        raise LookupError(day)

    def by_key(self, subject: Subject, partition: int, entities: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        spent["asked of the store"] += len(entities) / 1e6
        return pl.DataFrame(), pl.DataFrame()


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    for module, name in ((step, "problems"), (step, "with_member_keys"), (step, "fold"), (step, "contributions")):
        setattr(module, name, timed(name, getattr(module, name)))
    for name in ("members", "rows"):
        setattr(memory.Memory, name, timed(name, getattr(memory.Memory, name)))
    memories = {
        (name, p): memory.Memory(SUBJECTS[name], p, Forgetful(), bytes_max=2**31)
        for name in SUBJECTS
        for p in range(PARTITIONS)
    }
    events = rows = sums = size = 0
    for number, day in enumerate(paired(WARM_DAYS + 1 + days)):
        if number * 2 == WARM_DAYS + 1:
            spent.clear()
            events = rows = sums = size = 0
            begun, cpu = time.perf_counter(), time.process_time()
        for block in list(day_blocks(day, PARTITIONS)):
            value = block.encode()
            mine = memories[block.subject.name, block.partition]
            start = time.process_time()
            taken = decode(block.subject, value, block_id=block.block_id, partition=block.partition)
            done = step.step(taken, PARTITIONS, mine, ZONE)
            spent["step, decode"] += time.process_time() - start
            start = time.process_time()
            source = Source(
                log=1, topic="t", partition=block.partition, offset=0, first=0, last=0, final=True, block_id="b"
            )
            record = output.output(done, block.subject, source, deployment=1, days=[])
            encoded = record.encode()
            spent["encode"] += time.process_time() - start
            start = time.process_time()
            mine.remember(done.fresh, done.rows, functools.partial(tables, block.subject, record))
            mine.stored(mine.sequence)
            spent["remember"] += time.process_time() - start
            events += len(block.events)
            rows += len(done.rows)
            sums += len(done.changes.sums)
            size += len(encoded)
    del begun, cpu
    print(f"{events} events, {rows / events:.2f} rows and {sums / events:.2f} sums an event, {size / events:.0f} bytes")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{name:16} {seconds / events * 1e6:6.2f} us an event")
    for key, mine in memories.items():
        print(key, f"{mine.bytes / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
