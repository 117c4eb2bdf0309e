"""Mutations of bytes that know nothing of what they hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Spoil = Callable[[random.Random, bytes, bytes], bytes]

ODD_INTEGERS = (
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    256,
    65_535,
    2**31 - 1,
    -(2**31),
    2**32,
    2**40,
    2**62,
    2**63 - 1,
    -(2**63),
)
_ODD_PIECES = (
    b"\0",
    b"\0" * 64,
    b"\xff" * 8,
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",  # a surrogate, as UTF-8 must not hold it
    b"\xc0\x80",
    b"\n",
    b"\r\n\r\n",
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-",
    b"%00",
    b"{" * 50,
    b"[" * 2000,
    b"9" * 400,
    "吴".encode(),
)


def _flip(draw: random.Random, value: bytes, _: bytes) -> bytes:
    found = bytearray(value)
    for _number in range(draw.choice((1, 1, 2, 8))):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def _set(draw: random.Random, value: bytes, _: bytes) -> bytes:
    found = bytearray(value)
    found[draw.randrange(len(found))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
    return bytes(found)


def _cut(draw: random.Random, value: bytes, _: bytes) -> bytes:
    return value[: draw.randrange(len(value))] if draw.random() < 0.7 else value[draw.randrange(len(value)) :]


def _drop(draw: random.Random, value: bytes, _: bytes) -> bytes:
    start = draw.randrange(len(value))
    return value[:start] + value[start + draw.choice((1, 2, 8, 64)) :]


def _splice(draw: random.Random, value: bytes, other: bytes) -> bytes:
    return value[: draw.randrange(len(value))] + other[draw.randrange(len(other) + 1) :]


def _insert(draw: random.Random, value: bytes, _: bytes) -> bytes:
    at = draw.randrange(len(value) + 1)
    return value[:at] + draw.choice(_ODD_PIECES) + value[at:]


def _repeat(draw: random.Random, value: bytes, _: bytes) -> bytes:
    start = draw.randrange(len(value))
    stop = min(len(value), start + draw.choice((1, 4, 16, 256)))
    return value[:stop] + value[start:stop] * draw.choice((1, 3, 40)) + value[stop:]


def _number(draw: random.Random, value: bytes, _: bytes) -> bytes:
    width = draw.choice((2, 4, 8))
    found = bytearray(value)
    at = draw.randrange(max(1, len(found) // width)) * width
    odd = (draw.choice(ODD_INTEGERS) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    found[at : at + width] = odd
    return bytes(found)


SPOILS: Sequence[Spoil] = (_flip, _flip, _set, _cut, _drop, _splice, _insert, _repeat, _number)


def spoilt(draw: random.Random, value: bytes, other: bytes = b"") -> bytes:
    """The bytes with one to three mutations; pieces of `other` may get into them."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        if value:
            value = draw.choice(SPOILS)(draw, value, other)
    return value
