"""What a sender may keep in memory, and how long it goes on trying."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hotline.settings import Settings


class Bounds(NamedTuple):
    """The settings `sent_bytes_max` and `away_s_max`, with their defaults."""

    bytes_max: int = 96 << 20
    """Bytes sent and not yet stored; sending waits above it."""
    away_s_max: float = 1800.0
    """How long the stack may be away, or answer and store nothing, before sending gives up."""


DEFAULTS = Bounds()


def bounds(settings: Settings) -> Bounds:
    """As the settings say."""
    return Bounds(settings.sent_bytes_max, float(settings.away_s_max))
