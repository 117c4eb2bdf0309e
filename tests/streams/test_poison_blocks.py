"""Records on a topic of blocks that once ended measure, or would have: each is a dead letter, and the line goes on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from hotline import ipc
from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.measured import Measured
from hotline.names import BLOCK_BYTES_MAX, BLOCK_ID_BYTES_MAX, DEAD_LETTERS_TABLE, RECORD_BYTES_MAX
from hotline.subjects import CALLS
from hotline.windows import HOUR_S, recent_from
from streams.measure.agent import _block_id
from tests.fuzz.blocks import Blocks, Message, pool
from tests.fuzz.odd_streams import bombs, encoded
from tests.fuzz.targets import Case

TOPIC = "hotline.calls"
COMMITTED_S = 1_700_000_000.0


def good() -> pa.Table:
    return pool("calls").slice(0, 5)


def with_column(name: str, column: Any) -> bytes:
    return encoded(good().append_column(name, column))


def replaced(**columns: Any) -> bytes:
    table = good()
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(place).type))
    return encoded(table)


def judged(value: bytes | None, *, block_id: bytes = b"b", sent_s: float = COMMITTED_S) -> Counter[str]:
    """The verdicts, all claims of the fuzz about them checked."""
    message = Message(TOPIC, 0, 0, value, [("block-id", block_id)], sent_s)
    found = Blocks().judge(Case(1, value or b"", message))
    return Counter({name: count for name, count in found.items() if name != "blocks" and count})


def renamed(name: bytes) -> bytes:
    return with_column("tomorrow", pa.nulls(5)).replace(b"tomorrow", name)


UNDECODABLE: dict[str, Callable[[], bytes | None]] = {
    "nothing at all": lambda: None,
    "a table without columns": lambda: encoded(pa.table({})),
    "no column of a block": lambda: encoded(pa.table({"a": [1, 2, 3]})),
    "a number that polars does not know": lambda: with_column("more", pa.nulls(5, pa.decimal256(70, 3))),
    "such a number in a list": lambda: with_column("more", pa.nulls(5, pa.list_(pa.decimal256(70, 3)))),
    "a name that is no UTF-8": lambda: renamed(b"tomor\xffow"),
    "a name with a NUL": lambda: renamed(b"tomor\0ow"),
    "a time in no zone": lambda: with_column("more", pa.nulls(5, pa.timestamp("ms", "Mars/Olympus"))),
}
TOO_LARGE = dict(
    zip(
        ("packed zeros", "a billion rows", "a trillion rows", "one text by codes", "one text by views"),
        range(5),
        strict=True,
    )
)


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_no_library_can_read_is_undecodable(name: str) -> None:
    assert judged(UNDECODABLE[name]()) == {"undecodable": 1}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_would_unpack_to_far_more_than_it_is_is_too_large(name: str) -> None:
    value = bombs()[TOO_LARGE[name]]
    assert len(value) < 3_000_000
    assert judged(value) == {"too_large": 1}


@pytest.mark.parametrize("at_ms", [2**62, -(2**62), 9 * 10**15, 253_402_300_800_000])
def test_a_time_that_polars_cannot_write_is_dead_and_the_others_count(at_ms: int) -> None:
    born = good().column("born_at").cast(pa.int64()).to_pylist()
    table = good()
    times = pa.array([at_ms, *born[1:]], pa.int64()).cast(table.schema.field("born_at").type)
    value = encoded(table.set_column(table.schema.get_field_index("born_at"), "born_at", times))
    found = judged(value)
    assert found["time_out_of_range"] == 1
    assert found["counted"] + found["seen"] + found["revised"] == 4


def test_a_strange_event_with_such_a_time_keeps_what_it_states_and_the_others_count() -> None:
    table = good().append_column("more", pa.array([2**62, *[0] * 4], pa.timestamp("ms", "UTC")))
    kinds = ["call.tomorrow", *table.column("type").to_pylist()[1:]]
    value = encoded(table.set_column(0, "type", pa.array(kinds, pa.large_string())))
    found = judged(value)
    assert found["unknown_type"] == 1
    assert found["counted"] + found["seen"] + found["revised"] == 4
    assert b'"more":4611686018427387904' in letter_of(value)["original"]


@pytest.mark.parametrize("sent_s", [-1e18, -0.001, 1e12, 9.2e15])
def test_a_record_may_be_stamped_with_any_time(sent_s: float) -> None:
    assert judged(encoded(good()), sent_s=sent_s)["counted"] > 0


def test_where_recent_minutes_begin_is_a_whole_hour_of_a_year_that_events_may_have() -> None:
    assert 0 <= recent_from(10**15, "Asia/Shanghai") % HOUR_S == 0
    assert recent_from(10**15, "Asia/Shanghai") < 4_102_444_800


def letter_of(value: bytes, **more: Any) -> dict[str, Any]:
    kept: list[Measured] = []
    target = Blocks()
    message = Message(TOPIC, 0, 0, value, [("block-id", more.get("block_id", b"b"))], COMMITTED_S)
    line = target._line(CALLS, 0)
    kept += line.measure(0, _block_id(message), value)
    assert all(len(output.encode()) < RECORD_BYTES_MAX - (64 << 10) for output in kept)
    return ipc.decode(kept[0].tables[DEAD_LETTERS_TABLE]).row(0, named=True)


def test_of_a_record_of_twenty_mebibytes_as_much_is_kept_as_may_be_sent() -> None:
    letter = letter_of(os.urandom(RECORD_BYTES_MAX - 100))
    assert len(letter["original"]) == BLOCK_BYTES_MAX


def test_of_an_event_with_a_name_of_megabytes_the_beginning_is_kept() -> None:
    names = good().column("entity").to_pylist()
    letter = letter_of(replaced(entity=["\x01" * 5_000_000, *names[1:]]))
    assert (letter["reason"], len(letter["original"])) == ("bad_value", ORIGINAL_BYTES_MAX)


def test_of_a_long_block_id_the_beginning_stands_on_each_letter() -> None:
    letter = letter_of(b"no block", block_id=b"x" * (1 << 20))
    assert letter["block_id"] == "x" * BLOCK_ID_BYTES_MAX


def test_of_what_a_block_says_of_its_rejects_the_beginning_is_kept() -> None:
    told = pa.array(["x" * 3_000_000, *[None] * 4], pa.large_string())
    letter = letter_of(replaced(problem=["bad_value", *[None] * 4], detail=told, origin=told))
    assert (len(letter["detail"]), len(letter["origin"])) == (1000, 1000)
