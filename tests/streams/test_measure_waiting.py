"""Measure does not run away from the sink: what is not yet stored is bounded, and goes on when it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from faust.types.tuples import TP

from hotline.accept import Accepted
from hotline.settings import load
from hotline.subjects import CALLS
from streams.measure.agent import Measure
from streams.measure.line import Line, Place
from streams.measure.memory import Memory
from streams.measure.store import NothingStored

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MIB = 1 << 20
TPS = [TP("hotline.calls", 0), TP("hotline.calls", 1)]


def line(tp: TP) -> Line:
    place = Place(subject=CALLS, topic=tp.topic, partition=tp.partition, partitions=2, log=1, deployment=1, zone="UTC")
    return Line(place, Memory(CALLS, tp.partition, NothingStored()), Accepted(), next_output=0, output_log=1)


def test_a_line_pauses_while_too_much_is_not_stored_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_UNSTORED_BYTES_MAX", str(2 * MIB))
    measure = Measure(load(tmp_path)[0])
    first, second = (measure._lines.setdefault(tp, line(tp)) for tp in TPS)

    async def run() -> None:
        second.sent(MIB)
        await asyncio.wait_for(measure._wait_for_sink(TPS[1], second), 5)  # its share of the bound, and no more
        for _ in range(3):
            first.sent(MIB)
        waits = asyncio.create_task(measure._wait_for_sink(TPS[0], first))
        for stored, left in ((0, 3), (1, 2), (2, 1)):
            await asyncio.wait_for(measure._awaited.wait(), 5)
            assert not waits.done()
            measure._awaited.clear()
            measure._stored[TPS[0]] = stored
            measure._moved.set()
            again = asyncio.create_task(measure._awaited.wait())
            await asyncio.wait({waits, again}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
            assert first.unstored_bytes == left * MIB
        again.cancel()
        assert waits.done()

    asyncio.run(run())
    assert (first.next_output, second.next_output) == (3, 1)
