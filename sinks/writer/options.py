"""What the sink is told at its start, and the bounds it keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """Addresses, folders and bounds of one sink; sizes in bytes, times in seconds."""

    bootstrap: str
    """The broker, "host:port", several separated by commas."""
    engine_address_file: Path
    """JSON with `host` and `port` of the engine, read again at every connection."""
    engine_password_file: Path
    engine_user: str = "writer"
    spool: Path
    """Folder of batches under way; one sink a folder."""
    address_file: Path
    """Where the sink writes its own address when it is ready."""
    token_file: Path
    """The secret that holding and releasing ask for; made with 0600 when absent."""
    port: int = 0
    gather_seconds: float = 0.2
    batch_bytes_max: int = 64 << 20
    batch_rows_max: int = 500_000
    """Events, of all partitions together."""
    die_after: str = ""
    """A step after which the process ends at once, for fault tests: spool, table:NAME or marks."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Options:
    """Options by HOTLINE_DATA and HOTLINE_BROKER. Raises ValueError for one that is missing."""
    missing = [name for name in ("HOTLINE_BROKER",) if not environment.get(name)]
    if missing:
        raise ValueError(f"{missing[0]} is not set; set it to the broker's host:port")
    data = Path(environment.get("HOTLINE_DATA", ".hotline")).resolve()
    return in_folder(
        data,
        bootstrap=environment["HOTLINE_BROKER"],
        port=int(environment.get("HOTLINE_SINK_PORT", "0")),
        die_after=environment.get("HOTLINE_SINK_DIE_AFTER", ""),
    )


def in_folder(data: Path, *, bootstrap: str, port: int = 0, die_after: str = "") -> Options:
    """Options for a data folder: addresses in run/, passwords in secrets/, batches in spool/."""
    return Options(
        bootstrap=bootstrap,
        engine_address_file=data / "run" / "engine.json",
        engine_password_file=data / "secrets" / "writer.password",
        spool=data / "spool",
        address_file=data / "run" / "sink.json",
        token_file=data / "secrets" / "sink.token",
        port=port,
        die_after=die_after,
    )
