"""The first question of clickhouse-go, answered in the older layout that it reads it in.

It asks at the protocol revision it knows, and a block of that revision has two things more than the engine writes: a
description of the block in front, and a byte behind every type. The answer says revision 0, so that the client reads
plain blocks from then on.
"""

from __future__ import annotations

import struct

from sinks.engine.native import number, string

QUESTION = b"SELECT displayName(), version(), revision(), timezone()"
DISPLAY_NAME = "embedded"
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # field 1: no overflow rows; field 2: bucket -1; end
_BLOCK_INFO_SINCE = 51903
_SERIALIZATION_SINCE = 54454


def is_handshake(sql: bytes) -> bool:
    """Whether a statement is that question."""
    return sql.strip().rstrip(b";").strip() == QUESTION


def handshake_sql() -> bytes:
    """Write the question so that the engine answers it without telling the name of the host."""
    return f"SELECT '{DISPLAY_NAME}' AS `displayName()`, version(), toUInt32(0) AS `revision()`, timezone()".encode()


def handshake_block(version: str, zone: str, *, revision: int) -> bytes:
    """Write the answer as one Native block for a client of that protocol revision."""
    info = _BLOCK_INFO if revision >= _BLOCK_INFO_SINCE else b""
    plain = b"\x00" if revision >= _SERIALIZATION_SINCE else b""
    columns = [
        ("displayName()", "String", string(DISPLAY_NAME)),
        ("version()", "String", string(version)),
        ("revision()", "UInt32", struct.pack("<I", 0)),
        ("timezone()", "String", string(zone)),
    ]
    written = b"".join(string(name) + string(kind) + plain + data for name, kind, data in columns)
    return info + number(len(columns)) + number(1) + written
