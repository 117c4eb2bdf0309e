"""Dead letters in a row, or within a minute: a wrong deployment must not divert much before somebody looks.

A minute is one of the times at which the broker took the records, so that a record read again falls into the same one.
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
from hotline.windows import MINUTE_S

if TYPE_CHECKING:
    from pathlib import Path

    from hotline.measured import Measured

_Place = tuple[int, int, int]
"""Log, offset, and place of the next event in its block."""


class Count(NamedTuple):
    """Dead in a row: events, and records that are no block; and all that died in the minute that had any last."""

    events: int = 0
    blocks: int = 0
    minute: int = 0
    in_minute: int = 0


class Limits(NamedTuple):
    """More than so many are too many; 0: none are."""

    events: int
    blocks: int
    in_minute: int


class InARow:
    """The dead letters of one line since the last event that was none, and those of a minute.

    Kept in a file, as a restart decides nothing.
    """

    def __init__(self, file: Path, at: _Place, limits: Limits) -> None:
        """Go on at that place, from what the process before knew there."""
        self._file, self._limits = file, limits
        self.count = self._before = Count(*_read(file).get(at, ()))
        self.reasons: dict[str, int] = {}

    def take(self, record: Measured, at_s: int = 0) -> bool:
        """Count what an output brings, of an input that came at that instant (0: unknown); whether it is too many."""
        before = self._before = self.count
        died = of_this_installation(record) if record.verdicts.dead else Count()
        if record.verdicts.dead < record.verdicts.read:
            self.count, self.reasons = before._replace(events=0, blocks=0), {}
        elif record.verdicts.dead:
            self.count = before._replace(events=before.events + died.events, blocks=before.blocks + died.blocks)
            for reason, count in record.verdicts.reasons.items():
                self.reasons[reason] = self.reasons.get(reason, 0) + count
        if (more := died.events + died.blocks) and at_s > 0:
            self._in_minute(at_s // MINUTE_S, more)
        if before != self.count:
            self._write(record, before)
        return bool(self.too_many)

    def _in_minute(self, minute: int, more: int) -> None:
        known = self.count.in_minute if minute == self.count.minute else 0
        self.count = self.count._replace(minute=minute, in_minute=known + more)

    @property
    def too_many(self) -> str:
        """What is too many; empty when nothing is."""
        count, limits = self.count, self._limits
        if 0 < limits.events < count.events or 0 < limits.blocks < count.blocks:
            reasons = ", ".join(f"{reason} {many:,}" for reason, many in sorted(self.reasons.items()))
            return f"{count.events:,} events and {count.blocks:,} records in a row are dead letters ({reasons})"
        if 0 < limits.in_minute < count.in_minute:
            return f"{count.in_minute:,} events and records of one minute are dead letters"
        return ""

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


def _read(file: Path) -> dict[_Place, tuple[int, int, int, int]]:
    try:
        return dict(msgspec.json.decode(file.read_bytes(), type=list[tuple[_Place, tuple[int, int, int, int]]]))
    except (OSError, msgspec.MsgspecError):
        return {}
