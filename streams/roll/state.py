"""All that roll knows: the sums of every subject, and up to where in the measured topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from hotline import ipc
from hotline.accept import Accepted, Decision, accept, advance
from hotline.live import Position
from hotline.marks import Partition
from hotline.measured import Measured, decode
from hotline.names import MEASURED_TOPICS
from hotline.subjects import SUBJECTS
from streams.roll.cells import Cells, cells, recent_cells
from streams.roll.rolling import Rolling
from streams.roll.scopes import Scopes

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_SUBJECT_OF = {topic: name for name, topic in MEASURED_TOPICS.items()}


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition is read: the next offset in that log, the last accepted source, the newest event."""

    log: int
    offset: int
    accepted: Accepted
    newest_at: int | None = None


def watermark(read: Mapping[Partition, Read]) -> int:
    """Newest event, in epoch seconds, of that partition which is furthest behind, of those with any; 0 before."""
    return min((one.newest_at for one in read.values() if one.newest_at is not None), default=0)


class AstrayError(RuntimeError):
    """An output follows another one than the one accepted last: either it is astray, or this state is."""


class State:
    """Changes by records and by time, which two may not do at once."""

    def __init__(
        self, zone: ZoneInfo, at_s: int, scopes: Scopes, read: Mapping[Partition, Read], *, repairs: int = 0
    ) -> None:
        self.repairs = repairs
        """How often the stored sums had been repaired when they were read: what a repair adds stands in no output."""
        self.scopes = scopes
        self.read = dict(read)
        self.rolling = {name: Rolling(subject, zone, at_s) for name, subject in SUBJECTS.items()}
        self.changes = 0
        """Grows with everything that may change a value."""

    def add(self, subject: str, found: Iterable[Cells]) -> None:
        """Take in sums that stand in no record."""
        for part in found:
            self.rolling[subject].add(part)
        self.changes += 1

    def take(self, at: Partition, offset: int, value: bytes) -> None:
        """Take in a record of a measured topic. Raises AstrayError, GapError, DeploymentError, msgspec.DecodeError."""
        known, record = self.read[at], decode(value)
        decision = accept(known.accepted, record)
        if decision is Decision.STRAY:
            raise AstrayError(f"{at[0]}[{at[1]}] offset {offset} follows another output than the one accepted last")
        if decision is Decision.DROP:
            self.read[at] = msgspec.structs.replace(known, offset=offset + 1)
            return
        newest = max((at for at in (known.newest_at, record.newest_at) if at is not None), default=None)
        self.read[at] = Read(log=known.log, offset=offset + 1, accepted=advance(record), newest_at=newest)
        self.add(_SUBJECT_OF[at[0]], self._changes(_SUBJECT_OF[at[0]], record))

    def move(self, at_s: int) -> None:
        """Let all windows end with the minute of an instant."""
        moved = [rolling.move(at_s) for rolling in self.rolling.values()]
        self.changes += any(moved)

    @property
    def newest_at(self) -> dict[str, int]:
        """Subject → epoch seconds of its newest event; absent before the first."""
        found: dict[str, int] = {}
        for (topic, _), read in self.read.items():
            if read.newest_at is not None:
                name = _SUBJECT_OF[topic]
                found[name] = max(found.get(name, read.newest_at), read.newest_at)
        return found

    @property
    def positions(self) -> list[Position]:
        """Up to where the values hold."""
        return [
            Position(topic=topic, partition=partition, log=read.log, offset=read.offset)
            for (topic, partition), read in sorted(self.read.items())
        ]

    def _changes(self, name: str, record: Measured) -> Iterable[Cells]:
        subject = SUBJECTS[name]
        if sums := record.tables.get(subject.sums_table):
            read = self.rolling[name].columns_read(ipc.decode(sums, ["at"])["at"])
            yield cells(subject, ipc.decode(sums, read), self.scopes, hours_before=record.minutes_from)
        if recent := record.tables.get(subject.recent_table):
            yield recent_cells(subject, ipc.decode(recent), self.scopes)
