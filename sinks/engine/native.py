"""The Native block that says which columns an empty result has: chDB writes nothing at all for no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def header_block(columns: Iterable[tuple[str, str]]) -> bytes:
    """One block with names and types and no rows, as chDB's other blocks are written."""
    listed = list(columns)
    return _number(len(listed)) + _number(0) + b"".join(_string(name) + _string(_plain(kind)) for name, kind in listed)


def _plain(kind: str) -> str:
    """Without its zone, as in every Native block for clients that name no protocol version."""
    return "DateTime" if kind.startswith("DateTime(") else kind


def _number(value: int) -> bytes:
    """Write a whole number in seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _string(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw)) + raw
