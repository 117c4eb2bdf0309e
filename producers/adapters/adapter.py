"""What an adapter is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

from hotline.zone_names import zone as zone_of
from producers.adapters.errors import TruncatedError, UnreadableError
from producers.adapters.opening import Input, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import polars as pl

CHUNK_BYTES = 5 * 2**20
"""Unpacked bytes read before a batch is made of them: about 50,000 lines of a hundred bytes."""


_RECOGNISED = "recognised"


@dataclass(frozen=True)
class Batch:
    """Events of consecutive lines. All events of one line are in one batch, sorted by birth.

    A broken line is one row of `frames` with `problem`, `original` and `origin`, and no event.
    """

    frames: dict[str, pl.DataFrame]
    """Subject's name → rows, in any subset of `hotline.blocks.columns`."""
    lines_read: int
    """Lines that hold data: those of events, the broken and the skipped; no headers, no blank lines."""
    lines_broken: int
    bytes_read: int
    """How far into the file, as it lies on disk, the reading has come."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Why lines were left out on purpose → how many."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be read."""

    zone: str
    """IANA zone of its wall-clock times."""
    key: bytes
    """Key of the pseudonyms."""
    origin: str
    """What dead letters call the file."""
    chunk_bytes: int = CHUNK_BYTES
    memory: dict[str, Any] = field(default_factory=dict)
    """What an adapter remembers from one file to the next of the same load; it bounds what it keeps here."""

    @property
    def recognised(self) -> bool:
        """Whether a file of this name was read before in this load: a log that is followed stays what it is."""
        return self.origin in self.memory.setdefault(_RECOGNISED, set())

    def recognise(self) -> None:
        """Remember that the file is one of this adapter."""
        self.memory.setdefault(_RECOGNISED, set()).add(self.origin)


@dataclass(frozen=True)
class Adapter:
    """A source of files: what it is, what its columns become, and how it is read."""

    name: str
    title: str
    title_zh: str
    source: str
    licence: str
    zone: str
    """Zone of its times unless the reader says otherwise."""
    subjects: tuple[str, ...]
    scopes: tuple[str, ...]
    """Scope kinds that it fills."""
    columns: Mapping[str, str]
    """Column of the file → what it becomes."""
    batches: Callable[[Input, Reading], Iterator[Batch]]
    limits: tuple[str, ...] = ()
    """What the source cannot tell, a sentence each."""
    grows: bool = False
    """Whether its files are written on for ever, a line at a time, so that one may follow them."""
    rest: Callable[[dict[str, Any]], Iterator[Batch]] | None = None
    """Given the memory of a load after its last file: what was held back until then."""

    def read(
        self,
        file: str | Path | IO[bytes],
        *,
        key: bytes,
        zone: str | None = None,
        origin: str | None = None,
        chunk_bytes: int = CHUNK_BYTES,
        memory: dict[str, Any] | None = None,
    ) -> Iterator[Batch]:
        """Batches of a file (`-`: standard input; gzip, zstd or plain by its content) in constant memory.

        Who reads several files gives all of them one `memory`, and asks for the `rest_of` it after the last one.
        Raises ValueError at once for an unknown zone or an empty key. The iterator raises UnreadableError before any
        batch when the file holds nothing for this adapter, and TruncatedError after the last readable batch.
        """
        if not key:
            raise ValueError("an empty key makes no pseudonyms; give a secret of at least one byte")
        zone_name = zone_of(zone or self.zone).key
        reading = Reading(zone_name, key, origin or "", chunk_bytes, {} if memory is None else memory)
        return self._read(file, reading, alone=memory is None)

    def rest_of(self, memory: dict[str, Any]) -> Iterator[Batch]:
        """Give what was held back of the files that were read with this memory; it must be the end of the load."""
        return iter(()) if self.rest is None else self.rest(memory)

    def _read(self, file: str | Path | IO[bytes], reading: Reading, *, alone: bool) -> Iterator[Batch]:
        begun = False
        with opened(file, reading.origin or None) as source:
            cut: TruncatedError | None = None
            try:
                for batch in self.batches(source, replace(reading, origin=source.name)):
                    begun = True
                    yield batch
            except TruncatedError as error:
                if not begun:
                    raise UnreadableError(source.name, error.reason, "Fetch the file again.") from error
                cut = error
            if alone:
                yield from (replace(batch, bytes_read=source.position) for batch in self.rest_of(reading.memory))
            if cut:
                raise cut
