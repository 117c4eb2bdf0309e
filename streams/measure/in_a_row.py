"""Dead letters in a row: a wrong deployment must not divert everything before somebody looks.

What counts is what this installation refuses. What an adapter found broken in a file is the file's fault: the load that
sent it says so to whoever loads, and it counts neither for nor against anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hotline import ipc
from hotline.accept import advance
from hotline.data_folder import write_whole
from hotline.dead_letters import WHOLE_RECORDS
from hotline.names import DEAD_LETTERS_TABLE, INTAKE_TOPIC

if TYPE_CHECKING:
    from pathlib import Path

    from hotline.measured import Measured

_Place = tuple[int, int, int]
"""Log, offset, and place of the next event in its block."""


class Count(NamedTuple):
    """Dead in a row: events, and records that are no block."""

    events: int = 0
    blocks: int = 0


class InARow:
    """The dead letters of one line since the last event that was none. Kept in a file, as a restart decides nothing."""

    def __init__(self, file: Path, at: _Place, *, events_max: int, blocks_max: int) -> None:
        """Go on at that place, from what the process before knew there. A limit of 0 is none."""
        self._file, self._events_max, self._blocks_max = file, events_max, blocks_max
        self.count = self._before = Count(*_read(file).get(at, ()))
        self.reasons: dict[str, int] = {}

    def take(self, record: Measured) -> bool:
        """Count what an output brings; whether that is too many."""
        before = self._before = self.count
        if record.verdicts.dead < record.verdicts.read:
            self.count, self.reasons = Count(), {}
        elif record.verdicts.dead:
            more = of_this_installation(record)
            self.count = Count(before.events + more.events, before.blocks + more.blocks)
            for reason, count in record.verdicts.reasons.items():
                self.reasons[reason] = self.reasons.get(reason, 0) + count
        if before != self.count:
            self._write(record, before)
        return 0 < self._events_max < self.count.events or 0 < self._blocks_max < self.count.blocks

    def accept(self, record: Measured) -> None:
        """Somebody looked at what was taken last: count anew after it."""
        self.count, self.reasons = Count(), {}
        self._write(record, self._before)

    def _write(self, record: Measured, before: Count) -> None:
        """Before the output and after it: whoever comes next may stand at either."""
        source, after = record.source, advance(record)
        known = [
            ((source.log, source.offset, source.first), before),
            ((after.log, after.next_offset, after.next_first), self.count),
        ]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, msgspec.json.encode(known).decode())


def of_this_installation(record: Measured) -> Count:
    """The dead letters of an output that no file is to blame for."""
    source = record.source
    letters = ipc.decode(record.tables[DEAD_LETTERS_TABLE], ("origin", "reason")).select("origin", "reason")
    here = f"{source.topic}/{source.partition}/{source.offset}"
    ours = letters.filter((letters["origin"] == here) | letters["origin"].str.starts_with(f"{INTAKE_TOPIC}/"))
    if len(letters) == len(ours) == 1 and ours.row(0)[0] == here and ours.row(0)[1] in WHOLE_RECORDS:
        return Count(blocks=1)
    return Count(events=len(ours))


def _read(file: Path) -> dict[_Place, tuple[int, int]]:
    try:
        return dict(msgspec.json.decode(file.read_bytes(), type=list[tuple[_Place, tuple[int, int]]]))
    except (OSError, msgspec.MsgspecError):
        return {}
