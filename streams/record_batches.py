"""Batches of records as the broker keeps them, read although a header's name is no UTF-8.

Kafka stores names of headers as they come, and other programs may write any bytes. aiokafka cannot read such a record:
it raises each time, and neither a restart nor a skip of that offset gets past it, as its whole batch is read again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_FIRST_MAGIC_WITH_HEADERS = 2


def install() -> None:
    """Let all consumers of this process read so. Repeating it changes nothing."""
    fetcher.MemoryRecords = Records


class Records(_MemoryRecordsPy):  # type: ignore[misc]
    """The batches in the answer to a fetch."""

    def next_batch(self) -> Any:
        """The next batch, None after the last one."""
        content = self._next_slice
        batch = super().next_batch()
        if batch is None or content[self.MAGIC_OFFSET] < _FIRST_MAGIC_WITH_HEADERS:
            return batch
        return _Batch(batch, content)


class _Batch:
    """A batch that is read by aiokafka's fast reader, as far as that can."""

    def __init__(self, fast: Any, content: memoryview) -> None:
        self._fast, self._content = fast, content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def __next__(self) -> Any:
        return next(self._fast)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._fast:
                given += 1
                yield record
        except UnicodeDecodeError:
            yield from itertools.islice(_AnyNames(self._content), given, None)


class _AnyNames(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch whose header names may hold anything; what is no UTF-8 in them becomes U+FFFD."""

    def __iter__(self) -> Any:
        unpacked = super().__iter__()
        self._buffer: bytearray = _AnyText(self._buffer)
        return unpacked


class _AnyText(bytearray):
    """Bytes that can always be read as text; so can pieces of them."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _AnyText(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
