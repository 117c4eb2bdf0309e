"""Locks on files (flock): the kernel lets go of them when their process dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock(file: Path, *, shared: bool = False) -> Iterator[bool]:
    """Try to lock the file for the duration of the block, without waiting; give whether that worked."""
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def is_locked(file: Path) -> bool:
    """Tell whether somebody holds the file's exclusive lock.

    The question itself is a shared lock for an instant: who fails to lock should ask again before giving up.
    """
    if not file.exists():
        return False
    with lock(file, shared=True) as got:
        return not got
