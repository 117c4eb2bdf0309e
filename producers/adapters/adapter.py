"""What an adapter is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from hotline.zones import zone as zone_of
from producers.adapters.errors import TruncatedError, UnreadableError
from producers.adapters.opening import Input, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import polars as pl

CHUNK_BYTES = 5 * 2**20
"""Unpacked bytes read before a batch is made of them: about 50,000 lines of a hundred bytes."""


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

    def read(
        self,
        file: str | Path | IO[bytes],
        *,
        key: bytes,
        zone: str | None = None,
        origin: str | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> Iterator[Batch]:
        """Batches of a file (`-`: standard input; gzip, zstd or plain by its content) in constant memory.

        Raises ValueError at once for an unknown zone or an empty key. The iterator raises UnreadableError before any
        batch when the file holds nothing for this adapter, and TruncatedError after the last readable batch.
        """
        if not key:
            raise ValueError("an empty key makes no pseudonyms; give a secret of at least one byte")
        zone_name = zone_of(zone or self.zone).key
        return self._read(file, zone_name, key, origin, chunk_bytes)

    def _read(
        self, file: str | Path | IO[bytes], zone: str, key: bytes, origin: str | None, chunk_bytes: int
    ) -> Iterator[Batch]:
        begun = False
        with opened(file, origin) as source:
            try:
                for batch in self.batches(source, Reading(zone, key, source.name, chunk_bytes)):
                    begun = True
                    yield batch
            except TruncatedError as error:
                if begun:
                    raise
                raise UnreadableError(source.name, error.reason, "Fetch the file again.") from error
