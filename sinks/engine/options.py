"""What the engine is told at its start, and the bounds it keeps."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Folders, address and bounds of one engine; sizes in bytes, times in seconds, 0 seconds is no limit.

    `pool` statements of the writer run at a time and `reader_pool` of the reader, who first gets `light_bytes_max` of
    memory a statement; one that needs more runs again in a lane of its own, one at a time, with `reader_bytes_max`.
    So readers together stay below ``reader_pool x light + reader`` and the writer keeps the rest of `memory_bytes_max`.
    `inside_port` is another address for what runs on this machine: loopback, never encrypted.
    `databases` are the reader's; a name that ends in ``*`` stands for all that begin like it.
    """

    data: Path
    secrets: Path
    zone: str
    host: str = LOOPBACK
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    inside_port: int | None = None
    address_file: Path | None = None
    databases: tuple[str, ...] = ("default", "hotline", "hotline_*")
    pool: int = 8
    reader_pool: int = 4
    waiting_max: int = 1000
    body_bytes_max: int = 256 * MIB
    sql_bytes_max: int = MIB
    memory_bytes_max: int = 1024 * MIB
    light_bytes_max: int = 64 * MIB
    reader_body_bytes_max: int = 64 * MIB
    reader_sql_bytes_max: int = MIB // 4
    reader_bytes_max: int = 512 * MIB
    reader_result_bytes_max: int = 256 * MIB
    reader_rows_max: int = 10_000_000
    reader_threads_max: int = 2
    reader_seconds_max: float = 30.0
    writer_seconds_max: float = 600.0
    stall_seconds_max: float = 60.0
    stop_seconds: float = 5.0


def check_address(options: Options) -> None:
    """Raise ValueError for an address that others can reach without TLS, and for half a TLS."""
    if (options.certificate is None) != (options.key is None):
        raise ValueError("TLS needs both --certificate FILE and --key FILE; one of them is missing")
    if options.certificate is None and not is_loopback(options.host):
        raise ValueError(
            f"the address {options.host} can be reached by others and passwords would cross the network readable: "
            f"give --certificate FILE and --key FILE, or use --host {LOOPBACK}"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
