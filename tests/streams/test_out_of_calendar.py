"""Blocks may hold times of years that Python does not have."""

from __future__ import annotations

import io

import polars as pl
import pytest

from hotline.blocks import Block, complete
from hotline.columns import TIME
from hotline.measured import Source
from hotline.names import DEAD_LETTERS_TABLE
from hotline.subjects import CALLS
from streams.measure.memory import Memory
from streams.measure.output import output
from streams.measure.step import step
from tests.streams.test_measure_step import ZONE, Kept

DAY_MS = 86_400_000
MORNING_MS = 1_700_000_000_000


@pytest.mark.parametrize("odd_ms", [-800_000 * DAY_MS, 3_000_000 * DAY_MS], ids=["year -221", "year 10183"])
def test_a_year_that_python_does_not_have_is_a_dead_letter_and_the_event_beside_it_counts(odd_ms: int) -> None:
    times = pl.Series([MORNING_MS, odd_ms]).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").cast(TIME)
    events = pl.DataFrame(
        {
            "type": ["call.offered"] * 2,
            "source": ["s"] * 2,
            "entity": ["1", "2"],
            "born_at": times,
            "occurred_at": times,
        }
    )
    done = step(Block("b", CALLS, 0, complete(CALLS, events)), 1, Memory(CALLS, 0, Kept()), ZONE)
    assert (done.verdicts.counted, done.verdicts.reasons) == (1, {"time_out_of_range": 1})
    source = Source(log=1, topic="t", partition=0, offset=0, first=0, last=2, final=True, block_id="b")
    record = output(done, CALLS, source, deployment=1, days=[])
    (letter,) = pl.read_ipc_stream(io.BytesIO(record.tables[DEAD_LETTERS_TABLE])).to_dicts()
    assert letter["reason"] == "time_out_of_range"
    assert b'"entity":"2"' in letter["original"]
