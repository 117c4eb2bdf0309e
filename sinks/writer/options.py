"""What the sink is told at its start, and the bounds it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotline.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """Addresses, folders and bounds of one sink; sizes in bytes, times in seconds."""

    settings: Settings
    """Where the engine is, and by which account."""
    bootstrap: str
    """The broker, "host:port", several separated by commas."""
    spool: Path
    """Folder of batches under way; one sink a folder."""
    address_file: Path
    """Where the sink writes its own address when it is ready."""
    token_file: Path
    """The secret that holding and releasing ask for; made with 0600 when absent."""
    port: int
    gather_seconds: float
    batch_bytes_max: int
    batch_rows_max: int
    """Events, of all partitions together."""
    log_survives: bool
    """The broker keeps its log when it restarts, under the same cluster id."""
    die_after: str = ""
    """A step after which the process ends at once, for fault tests: spool, table:NAME or marks."""


def from_settings(settings: Settings, *, die_after: str = "") -> Options:
    """Take the sink's options from the settings. Raises SettingsError without the address of a broker."""
    if not settings.bootstrap:
        raise SettingsError("bootstrap is empty: start the stack (hotline up), or set HOTLINE_BOOTSTRAP to host:port")
    return Options(
        settings=settings,
        bootstrap=settings.bootstrap,
        spool=settings.folder.sink,
        address_file=settings.folder.run / "sink.json",
        token_file=settings.folder.secrets / "sink.token",
        port=settings.sink_health_port,
        gather_seconds=settings.batch_wait_ms / 1000,
        batch_bytes_max=settings.batch_bytes_max,
        batch_rows_max=settings.batch_rows_max,
        log_survives=settings.broker == "kafka",
        die_after=die_after,
    )
