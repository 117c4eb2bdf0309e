"""Whether the sink accepted what a line takes for accepted: its mark names the output that it accepted last.

Where a log lost its tail, the sink may pass over what a line writes, which then has to begin again at the mark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.measured import UNKNOWN

if TYPE_CHECKING:
    from hotline.marks import Mark


class Unconfirmed:
    """The output accepted last before each position of the log that no mark has come to yet."""

    def __init__(self) -> None:
        self._accepted: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._accepted)

    @property
    def first(self) -> int | None:
        """The lowest position that no mark has come to."""
        return next(iter(self._accepted), None)

    def note(self, position: int, output_id: int) -> None:
        """Before `position` that output was accepted last."""
        self._accepted[position] = output_id

    def refuted(self, mark: Mark) -> bool:
        """Whether the sink accepted another one before its mark, which is of the same log. Asked once of a position."""
        known = self._accepted.get(mark.position, UNKNOWN)
        self._accepted = {position: known for position, known in self._accepted.items() if position > mark.position}
        return UNKNOWN not in (known, mark.accepted.output_id) and known != mark.accepted.output_id
