"""Batches of records are read whatever their header names hold."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c

from streams.record_batches import Records

NOT_UTF8 = b"a\xffc"
RECORDS = 5
_CRC_AT, _CRC_COVERS = 17, 21
"""Places in a batch: Kafka's record batch, magic 2."""


def batch(names: list[str], *, first: int = 0, codec: int = 0) -> bytes:
    """Records from the offset `first` on, with two headers each; the name `abc` becomes one that is no UTF-8."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for number, name in enumerate(names):
        builder.append(number, timestamp=number, key=b"k", value=b"%d" % number, headers=[(name, b"x"), ("n", None)])
    packed = bytes(builder.build()).replace(b"abc", NOT_UTF8)
    crc = struct.pack(">I", crc32c(packed[_CRC_COVERS:]))
    return struct.pack(">q", first) + packed[8:_CRC_AT] + crc + packed[_CRC_COVERS:]


def read(content: bytes, records: type[Any] = Records) -> list[Any]:
    at = TopicPartition("in", 0)
    return list(PartitionRecords(at, records(content), [], 0, None, None, True, READ_UNCOMMITTED))


@pytest.mark.parametrize("place", range(RECORDS))
def test_a_header_name_that_is_no_utf8_hides_neither_its_record_nor_the_others(place: int) -> None:
    names = ["abc" if number == place else "good" for number in range(RECORDS)]
    found = read(batch(names) + batch(["good"], first=RECORDS))
    assert [record.value for record in found] == [b"%d" % number for number in [*range(RECORDS), 0]]
    assert found[place].headers == (("a\ufffdc", b"x"), ("n", None))


def test_aiokafka_alone_stops_at_such_a_record() -> None:
    from aiokafka.record.memory_records import MemoryRecords

    with pytest.raises(UnicodeDecodeError):
        read(batch(["good", "abc"]), MemoryRecords)


@pytest.mark.parametrize("codec", range(5), ids=["plain", "gzip", "snappy", "lz4", "zstd"])
def test_ordinary_batches_are_read_as_aiokafka_reads_them(codec: int) -> None:
    from aiokafka.record.memory_records import MemoryRecords

    content = batch(["good", "吴"], codec=codec) + batch(["one"], first=2)
    assert read(content) == read(content, MemoryRecords)


def test_the_drivers_consumers_read_so() -> None:
    from aiokafka.consumer import fetcher

    import streams.transport  # noqa: F401 its import is what a worker does

    assert fetcher.MemoryRecords is Records
