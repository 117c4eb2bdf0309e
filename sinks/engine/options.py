"""What the engine is told at its start, and the bounds it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """Folders, port and bounds of one engine; sizes in bytes, times in seconds, 0 seconds is no limit."""

    data: Path
    secrets: Path
    zone: str
    port: int = 0
    address_file: Path | None = None
    pool: int = 8
    body_bytes_max: int = 256 * MIB
    sql_bytes_max: int = MIB
    memory_bytes_max: int = 1024 * MIB
    reader_bytes_max: int = 512 * MIB
    reader_result_bytes_max: int = 256 * MIB
    reader_seconds_max: float = 30.0
    writer_seconds_max: float = 600.0
    stop_seconds: float = 5.0
