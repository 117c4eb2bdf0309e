"""Stable 64-bit keys of entities, events and what senders stated, a whole column at a time.

They decide what is a repeat, so they must never change between versions of any library: hence this small hash of our
own (eight bytes a step, MurmurHash3's 64-bit finaliser), with its values pinned by a test. A key is only ever compared
within one birth second (entities) or one entity (events), so 64 bits leave no room for chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, TAOCP vol. 3, 6.4
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)  # Appleby, MurmurHash3 fmix64
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_NULL = np.uint64(0x6E756C6C6E756C6C)
_SHIFT = np.uint64(33)


def mix(value: U64) -> U64:
    """Spread every bit of each value over the whole word (a bijection)."""
    value = value ^ (value >> _SHIFT)
    value = value * _MIX_1
    value = value ^ (value >> _SHIFT)
    value = value * _MIX_2
    return value ^ (value >> _SHIFT)


def combine(first: U64, second: U64) -> U64:
    """One key of two, order kept."""
    return mix(first * _GOLDEN + second)


def hash_strings(values: pl.Series) -> U64:
    """A key for each string, null included."""
    array = values.cast(pl.String).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return _hash_large_strings(array, len(values))


def hash_text(text: str) -> np.uint64:
    """The key `hash_strings` gives to one string."""
    return np.uint64(hash_strings(pl.Series([text]))[0])


def _hash_large_strings(array: pa.LargeStringArray, rows: int) -> U64:
    _, offsets_buffer, data = array.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[array.offset : array.offset + rows + 1]
    starts, lengths = offsets[:-1], np.diff(offsets)
    words = _words(data)
    keys = mix(lengths.astype(np.uint64) + _GOLDEN)
    pending = np.flatnonzero(lengths > 0)
    step = 0
    while pending.size:
        left = lengths[pending] - step
        word = words[starts[pending] + step]
        bits = (np.minimum(left, 8) * 8).astype(np.uint64)
        word = word & (np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - bits))
        keys[pending] = combine(keys[pending], word)
        step += 8
        pending = pending[left > 8]
    if array.null_count:
        keys[np.asarray(array.is_null())] = _NULL
    return keys


def _words(data: pa.Buffer | None) -> U64:
    """Every byte position of `data` read as a little-endian word, zeros past the end."""
    padded = (bytes(data) if data is not None else b"") + bytes(8)
    return np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))


def hash_column(values: pl.Series) -> U64:
    """A key for each value of a column of text, time, number or truth; a time is its whole second."""
    if values.dtype == pl.String:
        return hash_strings(values)
    numbers = values.dt.epoch("s") if values.dtype == pl.Datetime else values
    keys = mix(numbers.cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64) + _GOLDEN)
    if values.null_count():
        keys[values.is_null().to_numpy()] = _NULL
    return keys


def entity_keys(frame: pl.DataFrame) -> U64:
    """Key of (source, entity) of each event or row."""
    return combine(hash_strings(frame["source"]), hash_strings(frame["entity"]))


def event_keys(frame: pl.DataFrame) -> U64:
    """Key of the event within its entity: the sender's id, or (type, occurred_at) where there is none."""
    ids = frame["id"]
    if not ids.null_count():
        return hash_strings(ids)
    nameless = combine(hash_strings(frame["type"]), hash_column(frame["occurred_at"]))
    if ids.null_count() == len(ids):
        return nameless
    return np.where(ids.is_null().to_numpy(), nameless, hash_strings(ids))


def digests(frame: pl.DataFrame, columns: tuple[str, ...]) -> U64:
    """Digest of what each sender stated. What is not stated adds nothing, so a later field leaves old digests alone."""
    total: Any = np.zeros(len(frame), np.uint64)
    for column in columns:
        if column not in frame.columns:
            continue
        values = frame[column]
        if values.null_count() == len(values):
            continue
        part = combine(np.full(len(frame), hash_text(column)), hash_column(values))
        if values.null_count():
            part = np.where(values.is_null().to_numpy(), np.uint64(0), part)
        total = total + part
    return mix(total)


def partitions(keys: U64, count: int) -> npt.NDArray[np.int32]:
    """The partition of each entity key among `count`: the only partition function there is."""
    return (keys % np.uint64(count)).astype(np.int32)
