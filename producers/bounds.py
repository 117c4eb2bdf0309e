"""What a sender may keep in memory, and how long it goes on trying."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hotline.settings import Settings


class Bounds(NamedTuple):
    """The settings `sent_bytes_max` and `away_s_max`."""

    bytes_max: int
    """Bytes sent and not yet stored; sending waits above it."""
    away_s_max: float
    """How long the stack may be away, or answer and store nothing, before sending gives up."""


def bounds(settings: Settings) -> Bounds:
    """As the settings say."""
    return Bounds(settings.sent_bytes_max, float(settings.away_s_max))


DEFAULTS = bounds(Settings(data=Path()))
