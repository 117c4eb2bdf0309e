"""Several files of one source, read one after the other, whatever becomes of each."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from producers.adapters.errors import AdapterError, TruncatedError, UnreadableError
from producers.adapters.opening import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from producers.adapters.adapter import Adapter, Batch
    from producers.following import Follower


class IncompleteError(AdapterError):
    """Some of the files were not read to their ends; raised after all that could be read was given."""


class Files:
    """Batches of all files, in their order; iterate once.

    The first batch comes only if a file has one: when none can be read at all the first file's UnreadableError is
    raised. What breaks off later, or cannot be read, is told by IncompleteError after the last batch.
    """

    def __init__(
        self,
        adapter: Adapter,
        files: Sequence[str],
        *,
        key: bytes,
        zone: str | None = None,
        follower: Follower | None = None,
    ) -> None:
        """Open nothing yet, but check that all can be; `files` are paths, `-` is standard input.

        With a `follower` the last file is read on while it grows. Raises ValueError for an unknown zone,
        UnreadableError for a path that cannot be opened, standard input named twice, or files that do not grow.
        """
        if follower and (not adapter.grows or files[-1] == STDIN):
            reason = (
                f"files of {adapter.name} do not grow" if files[-1] != STDIN else "standard input is read as it comes"
            )
            raise UnreadableError(files[-1], reason, "Load it without --follow.")
        if list(files).count(STDIN) > 1:
            raise UnreadableError(STDIN, "standard input is named twice", "It can be read only once.")
        for file in files:
            _check(file)
        memory: dict[str, Any] = {}

        def read(file: str | IO[bytes]) -> Iterator[Batch]:
            return adapter.read(file, key=key, zone=zone, memory=memory)

        whole = files[:-1] if follower else files
        self._sizes = [None if file == STDIN else Path(file).stat().st_size for file in files]
        self._readings: Iterable[Iterator[Batch]] = [read(file) for file in whole]
        if follower:
            self._sizes[-1] = None
            self._readings = itertools.chain(self._readings, follower.readings(Path(files[-1]), read))
        self._rest = adapter.rest_of(memory)
        self._before = 0
        self._at = 0
        self._batches = self._read()

    @property
    def bytes_total(self) -> int | None:
        """Size of all files as they lie on disk; None when one of them has no size."""
        sizes = [size for size in self._sizes if size]
        return sum(sizes) if len(sizes) == len(self._sizes) else None

    @property
    def bytes_read(self) -> int:
        """How far the reading has come."""
        return self._before + self._at

    def begin(self) -> Files:
        """Read the first batch, so that a file of something else raises UnreadableError before anything is started."""
        self._batches = itertools.chain(list(itertools.islice(self._batches, 1)), self._batches)
        return self

    def __iter__(self) -> Iterator[Batch]:
        return self._batches

    def _read(self) -> Iterator[Batch]:
        problems: list[AdapterError] = []
        begun = False
        for reading, size in zip(self._readings, itertools.chain(self._sizes, itertools.repeat(None)), strict=False):
            try:
                for batch in reading:
                    begun = True
                    self._at = batch.bytes_read
                    yield batch
            except (TruncatedError, UnreadableError) as error:
                problems.append(error)
            self._before, self._at = self._before + (size or self._at), 0
        yield from self._rest
        if problems and not begun:
            raise problems[0]
        if problems:
            raise IncompleteError("; ".join(str(problem) for problem in problems))


def _check(file: str) -> None:
    """Raise UnreadableError for a path that cannot be opened, before anything is sent of the files before it."""
    if file == STDIN:
        return
    try:
        if Path(file).is_dir():
            raise IsADirectoryError(21, "it is a folder")
        with Path(file).open("rb"):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnreadableError(file, reason, "Check the path and its permissions.") from error
    except ValueError as error:  # a path with a NUL
        raise UnreadableError(repr(file), str(error), "Check the path.") from error
