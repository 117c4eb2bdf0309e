"""Pieces of the Native format that chDB does not write itself, such as the block of an empty result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def header_block(columns: Iterable[tuple[str, str]]) -> bytes:
    """One block with names and types and no rows, as chDB's other blocks are written."""
    listed = list(columns)
    return number(len(listed)) + number(0) + b"".join(string(name) + string(_plain(kind)) for name, kind in listed)


def _plain(kind: str) -> str:
    """Without its zone, as in every Native block for clients that name no protocol version."""
    return "DateTime" if kind.startswith("DateTime(") else kind


def number(value: int) -> bytes:
    """Write a whole number in seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def string(text: str) -> bytes:
    """Write a text with its length in front."""
    raw = text.encode()
    return number(len(raw)) + raw
