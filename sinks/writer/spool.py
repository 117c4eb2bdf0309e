"""The spool: a batch is on the disk before its first insert, so that it can be applied whole whatever dies."""

from __future__ import annotations

import fcntl
import os
from typing import IO, TYPE_CHECKING

import msgspec

from hotline.data_folder import write_draft
from sinks.writer.batch import Batch, decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX = ".batch"
_DRAFT = ".draft"


class SpoolError(RuntimeError):
    """The spool folder cannot be used; the message says why and what to do."""


class Spool:
    """A folder that one sink owns as long as it lives. Files are numbered, so that they are read in order."""

    def __init__(self, folder: Path) -> None:
        """Own the folder, made when absent. Raises SpoolError when another sink owns it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._lock = _own(folder)
        for draft in folder.glob(f"*{_DRAFT}"):
            draft.unlink()  # never whole, so never applied
        self._number = max((int(path.stem) for path in self._files()), default=0)

    def write(self, batch: Batch) -> Path:
        """Make a batch durable: when this returns, a crash cannot lose it.

        Raises OSError that names file and remedy, as for a full disk; then nothing of the batch is left there.
        """
        path = self._folder / f"{self._number + 1:012}{_SUFFIX}"
        draft = path.with_suffix(_DRAFT)
        body = batch.encode()
        try:
            write_draft(draft, body)
        except OSError as error:
            why = f"{error.strerror}: a batch of {len(body)} bytes does not get on the disk; give it room"
            raise OSError(error.errno, why, str(draft)) from error
        self._number += 1
        draft.rename(path)
        _sync_folder(self._folder)
        return path

    def remove(self, path: Path) -> None:
        """Forget a batch."""
        path.unlink()

    def left(self) -> Iterator[tuple[Path, Batch]]:
        """Batches that a former life left, oldest first. Raises SpoolError for a file that is none."""
        for path in self._files():
            try:
                yield path, decode(path.read_bytes())
            except msgspec.DecodeError as error:
                raise SpoolError(f"{path} is damaged ({error}): the disk lost bytes it had acknowledged") from error

    def close(self) -> None:
        """Give the folder up."""
        self._lock.close()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))


def _own(folder: Path) -> IO[str]:
    lock = (folder / "sink.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SpoolError(f"another sink runs on {folder}: stop it, or name another folder") from error
    return lock


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
