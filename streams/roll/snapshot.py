"""Roll's state in one file, written whole or not at all: where it goes on after a restart.

A worker that loses the file loses time only: it starts from ClickHouse then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import zstandard

from hotline.catalogue import measures
from hotline.data_folder import write_draft
from hotline.marks import Partition
from hotline.subjects import SUBJECTS
from streams.roll.cells import Cells
from streams.roll.rolling import Held
from streams.roll.scopes import I64, SCOPES_MAX, Scopes
from streams.roll.state import Read, State, watermark

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

SNAPSHOT_VERSION = 1
_LEVEL = 1


class _Place(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    read: Read


class _Sums(msgspec.Struct, frozen=True):
    columns: list[str]
    at: bytes
    code: bytes
    value: bytes


class _Snapshot(msgspec.Struct, frozen=True):
    version: int
    zone: str
    scopes: list[tuple[str, str]]
    places: list[_Place]
    sums: dict[str, _Sums]
    repairs: int = 0
    scopes_max: int = 0


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Snapshot)


class Taken(NamedTuple):
    """A state as it was at one moment."""

    scopes: list[tuple[str, str]]
    read: dict[Partition, Read]
    held: dict[str, Held]
    repairs: int


def take(state: State) -> Taken:
    """Take the state; milliseconds, after which it may change again."""
    held = {name: rolling.held() for name, rolling in state.rolling.items()}
    return Taken(list(state.scopes.names), dict(state.read), held, state.repairs)


def save(file: Path, taken: Taken, zone: str) -> None:
    """Write a state; after a crash the file has this or the one before.

    Raises OSError, as for a full disk: the file has the one before then, and nothing of this one takes room.
    """
    snapshot = _Snapshot(
        version=SNAPSHOT_VERSION,
        zone=zone,
        scopes=taken.scopes,
        places=[_Place(topic, partition, read) for (topic, partition), read in taken.read.items()],
        sums={name: _sums(name, held) for name, held in taken.held.items()},
        repairs=taken.repairs,
        scopes_max=SCOPES_MAX,
    )
    file.parent.mkdir(exist_ok=True)
    draft = file.with_name(f"{file.name}.new")
    write_draft(draft, _ENCODER.encode(snapshot))
    draft.replace(file)


def restored(file: Path, zone: ZoneInfo, at_s: int | None) -> State | None:
    """The state in a file, with the windows at an instant as `read_stored`; None without one of this catalogue."""
    try:
        snapshot = _DECODER.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    same = all(of.columns == _columns(name) for name, of in snapshot.sums.items())
    same &= snapshot.scopes_max == SCOPES_MAX  # where less was taken in, a scope that is new now lacks what came before
    if snapshot.version != SNAPSHOT_VERSION or snapshot.zone != zone.key or not same:
        return None
    read: dict[Partition, Read] = {(place.topic, place.partition): place.read for place in snapshot.places}
    instant_s = watermark(read) if at_s is None else at_s
    state = State(zone, instant_s, Scopes(snapshot.scopes), read, repairs=snapshot.repairs)
    for name, of in snapshot.sums.items():
        state.add(name, [Cells(_unpacked(of.at), _unpacked(of.code), _unpacked(of.value))])
    return state


def _sums(name: str, held: Held) -> _Sums:
    at, code, value = (_packed(part) for part in held.cells())
    return _Sums(_columns(name), at, code, value)


def _columns(name: str) -> list[str]:
    return [measure.column for measure in measures(SUBJECTS[name])]


def _packed(numbers: I64) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(np.ascontiguousarray(numbers, "<i8").tobytes())


def _unpacked(packed: bytes) -> I64:
    return np.frombuffer(zstandard.ZstdDecompressor().decompress(packed), "<i8").astype(np.int64)
