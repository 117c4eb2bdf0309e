"""Which marks of intake are to be written now: of partitions that moved, and of those written last an hour ago."""

from __future__ import annotations

from collections.abc import Mapping

MARK_AGAIN_S = 3600.0
"""How often a mark is written although it did not move: brokers forget what was not written for days."""


class Marking:
    """When the mark of each partition was written last, and with which offset; each partition for itself."""

    def __init__(self, again_s: float = MARK_AGAIN_S) -> None:
        self._again_s = again_s
        self._written: dict[int, tuple[int, float]] = {}

    def due(self, reached: Mapping[int, int], timer: float) -> dict[int, int]:
        """Of the offsets that partitions have reached, those to be written at a time (monotonic, seconds)."""
        return {partition: at for partition, at in reached.items() if self._is_due(partition, at, timer)}

    def due_in(self, timer: float) -> float:
        """Seconds until the first is to be written again although none moves."""
        return max(0.0, min((when for _, when in self._written.values()), default=timer) + self._again_s - timer)

    def wrote(self, marks: Mapping[int, int], timer: float) -> None:
        """Learn that these stand at the broker since that time."""
        self._written |= {partition: (at, timer) for partition, at in marks.items()}

    def _is_due(self, partition: int, at: int, timer: float) -> bool:
        if partition not in self._written:
            return True
        written, when = self._written[partition]
        return written != at or timer - when >= self._again_s
